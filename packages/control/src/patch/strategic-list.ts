/** Strategic merging of lists: by merge key, as sets, or not at all, as the schema says. */

import type { ListSchema, Schema } from '@outrigger/core/api';
import { readDirectives, withoutDirectives } from './directives.ts';
import { orderElements } from './element-order.ts';
import type { Identity } from './element-order.ts';
import { malformed } from './errors.ts';
import { field, isObject } from './json.ts';
import type { JsonObject } from './json.ts';

/** How the items of one list are merged. */
export type ListStrategy =
  | { readonly type: 'atomic' }
  | { readonly type: 'set' }
  | {
      readonly type: 'map';
      readonly mergeKey: string;
      /** All fields that tell items apart; the merge key alone may not (Service ports: one number, two protocols). */
      readonly keys: readonly string[];
      readonly items: Schema;
    };

/** Merges one object into another; given by the caller so that lists and objects can nest in each other. */
export type MergeObjects = (current: JsonObject, patch: JsonObject, schema: Schema) => JsonObject;

export function listStrategy(schema: Schema | undefined): ListStrategy {
  if (schema?.type !== 'list' || schema.listType === 'atomic') return { type: 'atomic' };
  if (schema.listType === 'set') return { type: 'set' };
  const mergeKey = mergeKeyOf(schema);
  return mergeKey === undefined
    ? { type: 'atomic' }
    : { type: 'map', mergeKey, keys: schema.keys, items: schema.items };
}

/** The list after a patch of the same field. `path` is for messages. */
export function mergeLists(
  current: readonly unknown[],
  patch: readonly unknown[],
  strategy: ListStrategy,
  path: string,
  mergeObjects: MergeObjects,
): unknown[] {
  switch (strategy.type) {
    case 'atomic':
      return withoutDirectives(patch) as unknown[];
    case 'set':
      return mergeSets(current, patch, path);
    case 'map':
      return mergeMaps(current, patch, strategy, path, mergeObjects);
  }
}

/** Puts a list into the order of a `$setElementOrder` directive. Throws PATCH_MALFORMED where the patch contradicts it. */
export function applyOrder(
  merged: readonly unknown[],
  wanted: readonly unknown[],
  before: readonly unknown[],
  patch: readonly unknown[],
  strategy: ListStrategy,
  path: string,
): unknown[] {
  if (strategy.type === 'atomic') {
    throw malformed(
      `$setElementOrder/${path} is for lists that are merged, and ${path} is replaced whole`,
      path,
    );
  }
  const identity = identityOf(strategy, path);
  const order = wanted.map(identity);
  checkOrder(patch, order, identity, path);
  return orderElements(merged, order, before, identity);
}

/** Without the values of a `$deleteFromPrimitiveList` directive. */
export function deleteValues(current: readonly unknown[], values: readonly unknown[]): unknown[] {
  const gone = new Set(values);
  return current.filter((value) => !gone.has(value));
}

function mergeKeyOf(schema: ListSchema): string | undefined {
  return schema.patchMergeKey ?? (schema.keys.length === 1 ? schema.keys[0] : undefined);
}

function mergeSets(current: readonly unknown[], patch: readonly unknown[], path: string): unknown[] {
  const bad = patch.find((value) => typeof value === 'object');
  if (bad !== undefined)
    throw malformed(`${path} is a list of plain values, got ${JSON.stringify(bad)}`, path);
  const merged = [...new Set([...current, ...patch])];
  return orderElements(merged, patch, current, (value) => value);
}

function mergeMaps(
  current: readonly unknown[],
  patch: readonly unknown[],
  strategy: ListStrategy & { type: 'map' },
  path: string,
  mergeObjects: MergeObjects,
): unknown[] {
  const { replace, deleted, items } = sortEntries(patch, strategy, path);
  if (replace) return items.map((item) => withoutDirectives(item));
  const identity = identityOf(strategy, path);
  const merged = current.filter((item) => !deleted.some((gone) => matches(item, gone, strategy)));
  const places = placesOf(merged, identity);
  for (const item of items) {
    const key = identity(item);
    const index = findPlace(merged, places.get(key), item, strategy);
    if (index === undefined) {
      places.set(key, [...(places.get(key) ?? []), merged.length]);
      merged.push(mergeObjects({}, item, strategy.items));
    } else {
      merged[index] = mergeObjects(merged[index] as JsonObject, item, strategy.items);
    }
  }
  return orderElements(merged, items.map(identity), current, identity);
}

interface SortedEntries {
  readonly replace: boolean;
  readonly deleted: readonly JsonObject[];
  readonly items: readonly JsonObject[];
}

function sortEntries(
  patch: readonly unknown[],
  { mergeKey }: { mergeKey: string },
  path: string,
): SortedEntries {
  let replace = false;
  const deleted: JsonObject[] = [];
  const items: JsonObject[] = [];
  for (const entry of patch) {
    if (!isObject(entry)) throw malformed(`${path} is a list of objects, got ${JSON.stringify(entry)}`, path);
    const { directive, fields } = readDirectives(entry);
    if (directive === 'delete') {
      keyOf(entry, mergeKey, path);
      deleted.push(fields);
    } else if (directive === 'replace') {
      replace = true;
      // An item may carry the directive instead of standing beside it.
      if (Object.keys(fields).length > 0) items.push(fields);
    } else {
      items.push(entry);
    }
  }
  return { replace, deleted, items };
}

/** A deletion names the merge key and, where that is ambiguous, further keys. */
function matches(
  item: unknown,
  gone: JsonObject,
  { mergeKey, keys }: ListStrategy & { type: 'map' },
): boolean {
  return [mergeKey, ...keys].every(
    (key) => field(gone, key) === undefined || (isObject(item) && field(item, key) === field(gone, key)),
  );
}

function placesOf(items: readonly unknown[], identity: Identity): Map<unknown, number[]> {
  const places = new Map<unknown, number[]>();
  for (const [index, item] of items.entries()) {
    const key = identity(item);
    const known = places.get(key);
    if (known === undefined) places.set(key, [index]);
    else known.push(index);
  }
  return places;
}

/** Among several items with the same merge key, the one that agrees in all keys; else the first. */
function findPlace(
  items: readonly unknown[],
  candidates: readonly number[] | undefined,
  item: JsonObject,
  strategy: ListStrategy & { type: 'map' },
): number | undefined {
  if (candidates === undefined || candidates.length < 2) return candidates?.[0];
  return candidates.find((index) => matches(items[index], item, strategy)) ?? candidates[0];
}

function identityOf(strategy: ListStrategy, path: string): Identity {
  if (strategy.type !== 'map') return (value) => value;
  return (item) => keyOf(item, strategy.mergeKey, path);
}

function keyOf(item: unknown, mergeKey: string, path: string): unknown {
  const key = isObject(item) ? field(item, mergeKey) : undefined;
  if (key === undefined || key === null) {
    throw malformed(`an item of ${path} does not contain declared merge key: ${mergeKey}`, path);
  }
  return key;
}

/** Whoever sends both a list and its order must not disagree with themselves: all items named, in the same order. */
function checkOrder(
  patch: readonly unknown[],
  order: readonly unknown[],
  identity: Identity,
  path: string,
): void {
  let next = 0;
  for (const item of patch) {
    if (isObject(item) && readDirectives(item).directive !== 'merge') continue;
    const key = identity(item);
    while (next < order.length && order[next] !== key) next += 1;
    if (next === order.length) {
      throw malformed(`The order in patch list ${path} doesn't match $setElementOrder/${path}`, path);
    }
  }
}
