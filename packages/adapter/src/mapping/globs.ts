/**
 * All globs in one tree, a field of the name per level: a name walks down once instead of being tried on every rule.
 *
 * `*` stands for exactly one field. The walk takes the literal branch before `*` and comes back for the other, and
 * since every node has one parent no node is visited twice: a look-up costs at most as many steps as there are nodes.
 * Either the first rule in the order of the document wins, or (glob_disable_ordering) the first the walk finds, which
 * is the most specific one field by field.
 */

import type { Rule } from './rules.ts';

export interface GlobMatch {
  readonly rule: Rule;
  /** What each `*` stood for. */
  readonly captures: readonly string[];
}

interface Node {
  readonly literals: Map<string, Node>;
  any: Node | undefined;
  /** Of names that end here; the first such rule. */
  rule: Rule | undefined;
  /** Lowest index in and below this node: nothing better is found below a node with a higher one. */
  first: number;
}

export class GlobTree {
  readonly #root = newNode();
  readonly #byOrder: boolean;

  constructor(rules: readonly Rule[], byOrder: boolean) {
    this.#byOrder = byOrder;
    for (const rule of rules) this.#add(rule);
  }

  find(name: string): GlobMatch | undefined {
    const fields = name.split('.');
    const walk: Walk = { fields, byOrder: this.#byOrder, captures: [], best: undefined };
    descend(this.#root, 0, walk);
    return walk.best;
  }

  #add(rule: Rule): void {
    let node = this.#root;
    node.first = Math.min(node.first, rule.index);
    for (const field of rule.match.split('.')) {
      node = field === '*' ? (node.any ??= newNode()) : literal(node, field);
      node.first = Math.min(node.first, rule.index);
    }
    node.rule ??= rule;
  }
}

interface Walk {
  readonly fields: readonly string[];
  readonly byOrder: boolean;
  readonly captures: string[];
  best: GlobMatch | undefined;
}

/** Depth is bounded by the longest rule: names with more fields find no node. */
function descend(node: Node, at: number, walk: Walk): void {
  const { best, byOrder, fields, captures } = walk;
  if (best !== undefined && (!byOrder || node.first >= best.rule.index)) return;
  const field = fields[at];
  if (field === undefined) {
    if (node.rule !== undefined && (best === undefined || node.rule.index < best.rule.index)) {
      walk.best = { rule: node.rule, captures: [...captures] };
    }
    return;
  }
  const next = node.literals.get(field);
  if (next !== undefined) descend(next, at + 1, walk);
  if (node.any === undefined) return;
  captures.push(field);
  descend(node.any, at + 1, walk);
  captures.pop();
}

function literal(node: Node, field: string): Node {
  const known = node.literals.get(field);
  if (known !== undefined) return known;
  const made = newNode();
  node.literals.set(field, made);
  return made;
}

function newNode(): Node {
  return { literals: new Map(), any: undefined, rule: undefined, first: Number.POSITIVE_INFINITY };
}
