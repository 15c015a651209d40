/**
 * Which pods a selector selects, and which selectors select a pod, without looking at all of either. Both are indexed
 * by label pair: a selector is found through one of its pairs, because a pod that lacks it cannot match.
 */

import type { ObjectKey } from './keys.ts';

export type Labels = Readonly<Record<string, string>>;

/** Objects by each of their labels, within their namespace. */
export class LabelIndex {
  readonly #byPair = new Map<string, Set<ObjectKey>>();

  add(namespace: string, labels: Labels, key: ObjectKey): void {
    for (const pair of pairs(namespace, labels)) insert(this.#byPair, pair, key);
  }

  remove(namespace: string, labels: Labels, key: ObjectKey): void {
    for (const pair of pairs(namespace, labels)) discard(this.#byPair, pair, key);
  }

  /** Objects with all of these labels. An empty selector selects nothing. */
  matching(namespace: string, selector: Labels): ObjectKey[] {
    const sets = pairs(namespace, selector).map((pair) => this.#byPair.get(pair) ?? none);
    const [smallest, ...rest] = sets.sort((a, b) => a.size - b.size);
    return [...(smallest ?? none)].filter((key) => rest.every((set) => set.has(key)));
  }
}

/** Selectors by one of their pairs. */
export class SelectorIndex {
  readonly #byPair = new Map<string, Set<ObjectKey>>();
  readonly #selectors = new Map<ObjectKey, Labels>();

  add(namespace: string, selector: Labels, key: ObjectKey): void {
    const pair = leadingPair(namespace, selector);
    if (pair === undefined) return;
    this.#selectors.set(key, selector);
    insert(this.#byPair, pair, key);
  }

  remove(namespace: string, selector: Labels, key: ObjectKey): void {
    const pair = leadingPair(namespace, selector);
    if (pair === undefined) return;
    this.#selectors.delete(key);
    discard(this.#byPair, pair, key);
  }

  /** Selectors that select an object with these labels. */
  selecting(namespace: string, labels: Labels): ObjectKey[] {
    const found = pairs(namespace, labels).flatMap((pair) => [...(this.#byPair.get(pair) ?? none)]);
    return found.filter((key) => matches(this.#selectors.get(key) ?? {}, labels));
  }
}

export function matches(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}

const none: ReadonlySet<ObjectKey> = new Set();

/** No character of namespaces, label names or values separates them, so no two different pairs are alike. */
function pairs(namespace: string, labels: Labels): string[] {
  return Object.entries(labels).map(([name, value]) => `${namespace}\n${name}\n${value}`);
}

/** Always the same one, so that what was added can be removed. */
function leadingPair(namespace: string, selector: Labels): string | undefined {
  return pairs(namespace, selector).sort()[0];
}

function insert(map: Map<string, Set<ObjectKey>>, at: string, key: ObjectKey): void {
  const set = map.get(at);
  if (set === undefined) map.set(at, new Set([key]));
  else set.add(key);
}

function discard(map: Map<string, Set<ObjectKey>>, at: string, key: ObjectKey): void {
  const set = map.get(at);
  set?.delete(key);
  if (set?.size === 0) map.delete(at);
}
