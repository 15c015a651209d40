/** Runs parsed templates on a document. Every step turns a list of values into a list of values. */

import { isRecord } from './record.ts';
import type { Node, Operand, Operator, Path, Step } from './template.ts';

/** What a node of a template yields, in their order. */
export type Piece = { readonly text: string } | { readonly values: readonly unknown[] };

/** Undefined where a path names something that is not there. */
export function evaluate(nodes: readonly Node[], document: unknown): Piece[] | undefined {
  const pieces: Piece[] = [];
  return run(nodes, document, document, pieces) ? pieces : undefined;
}

function run(nodes: readonly Node[], current: unknown, root: unknown, pieces: Piece[]): boolean {
  for (const node of nodes) {
    if (node.kind === 'text') pieces.push({ text: node.text });
    else {
      const values = walk(node.path, current, root);
      if (values === undefined) return false;
      if (node.kind === 'path') pieces.push({ values });
      else if (!values.every((value) => run(node.body, value, root, pieces))) return false;
    }
  }
  return true;
}

/** Undefined if at some step nothing at all was there; filters and wildcards may come out empty. */
function walk(path: Path, current: unknown, root: unknown): readonly unknown[] | undefined {
  let values: readonly unknown[] = [path.fromRoot ? root : current];
  for (const step of path.steps) {
    const next = advance(step, values, root);
    if (next === undefined) return undefined;
    values = next;
  }
  return values;
}

function advance(step: Step, values: readonly unknown[], root: unknown): readonly unknown[] | undefined {
  switch (step.kind) {
    case 'field':
      return some(
        values,
        values.flatMap((value) => member(value, step.name)),
      );
    case 'index':
      return some(
        values,
        values.flatMap((value) => elementAt(value, step.index)),
      );
    case 'wildcard':
      return values.flatMap(children);
    case 'recursive':
      return values.flatMap(containers);
    case 'slice':
      return values.flatMap((value) => (Array.isArray(value) ? sliced(value, step) : []));
    case 'union': {
      const found = step.of.map((one) => advance(one, values, root) ?? []);
      return some(values, found.flat());
    }
    case 'exists':
      return filtered(values, (element) => (walk(step.path, element, root)?.length ?? 0) > 0);
    case 'compare':
      return filtered(values, (element) => {
        const left = operand(step.left, element, root);
        const right = operand(step.right, element, root);
        return left !== undefined && right !== undefined && compare(left, step.operator, right);
      });
  }
}

/** Nothing out of something is missing; nothing out of nothing is not. */
function some(input: readonly unknown[], output: readonly unknown[]): readonly unknown[] | undefined {
  return input.length > 0 && output.length === 0 ? undefined : output;
}

function member(value: unknown, name: string): unknown[] {
  return isRecord(value) && Object.hasOwn(value, name) ? [value[name]] : [];
}

function elementAt(value: unknown, index: number): unknown[] {
  if (!Array.isArray(value)) return [];
  const at = index < 0 ? value.length + index : index;
  return at >= 0 && at < value.length ? [value[at]] : [];
}

function children(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isRecord(value) ? Object.values(value) : [];
}

/** The value and all below it that hold others, parents first. A stack of its own: documents may be deep. */
function containers(value: unknown): unknown[] {
  const found: unknown[] = [];
  const stack = [value];
  while (stack.length > 0) {
    const next = stack.pop();
    const below = children(next);
    if (below.length === 0) continue;
    found.push(next);
    for (let i = below.length - 1; i >= 0; i--) stack.push(below[i]);
  }
  return found;
}

function sliced(
  list: readonly unknown[],
  { from, to, step }: { from: number | undefined; to: number | undefined; step: number },
): unknown[] {
  const part = list.slice(from ?? 0, to ?? list.length);
  return step === 1 ? part : part.filter((_, index) => index % step === 0);
}

function filtered(values: readonly unknown[], keeps: (element: unknown) => boolean): unknown[] {
  return values.flatMap((value) => (Array.isArray(value) ? value.filter((element) => keeps(element)) : []));
}

/** Exactly one value, else nothing to compare. */
function operand(of: Operand, element: unknown, root: unknown): { value: unknown } | undefined {
  if (!('path' in of)) return { value: of.literal };
  const values = walk(of.path, element, root);
  return values?.length === 1 ? { value: values[0] } : undefined;
}

/** Of one type; anything else is unequal and has no order. */
function compare(
  { value: a }: { value: unknown },
  operator: Operator,
  { value: b }: { value: unknown },
): boolean {
  if (operator === '==') return a === b;
  if (operator === '!=') return a !== b;
  const comparable =
    (typeof a === 'number' && typeof b === 'number') || (typeof a === 'string' && typeof b === 'string');
  if (!comparable) return false;
  switch (operator) {
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
  }
}
