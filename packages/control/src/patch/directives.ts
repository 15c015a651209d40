/**
 * The directives of a strategic merge patch: field names beginning with `$` that say how to merge instead of being
 * merged. They are taken off here, once, so that merging itself sees plain fields.
 */

import { malformed } from './errors.ts';
import { isObject, setField } from './json.ts';
import type { JsonObject } from './json.ts';

export type PatchDirective = 'merge' | 'replace' | 'delete';

/** A patch of one object, its directives apart from its fields. */
export interface Directed {
  readonly directive: PatchDirective;
  /** Fields as written, nulls included, without directives. */
  readonly fields: JsonObject;
  /** `$retainKeys`: the only fields the result may have. */
  readonly retainKeys: ReadonlySet<string> | undefined;
  /** `$deleteFromPrimitiveList/NAME`: values to take out of list NAME. */
  readonly deletions: ReadonlyMap<string, readonly unknown[]>;
  /** `$setElementOrder/NAME`: the order the writer wants for list NAME. */
  readonly orders: ReadonlyMap<string, readonly unknown[]>;
}

const patchKey = '$patch';
const retainKeysKey = '$retainKeys';
const deletionPrefix = '$deleteFromPrimitiveList/';
const orderPrefix = '$setElementOrder/';

/** Throws PATCH_MALFORMED for a directive of a wrong form. Names with `$` that are no directive are plain fields. */
export function readDirectives(patch: JsonObject): Directed {
  const fields: JsonObject = {};
  const deletions = new Map<string, readonly unknown[]>();
  const orders = new Map<string, readonly unknown[]>();
  let directive: PatchDirective = 'merge';
  let retainKeys: ReadonlySet<string> | undefined;
  for (const [name, value] of Object.entries(patch)) {
    if (name === patchKey) directive = readPatch(value);
    else if (name === retainKeysKey) retainKeys = readRetainKeys(value);
    else if (name.startsWith(deletionPrefix))
      deletions.set(name.slice(deletionPrefix.length), readList(name, value));
    else if (name.startsWith(orderPrefix)) orders.set(name.slice(orderPrefix.length), readList(name, value));
    else setField(fields, name, value);
  }
  if (retainKeys !== undefined) checkRetained(fields, retainKeys);
  return { directive, fields, retainKeys, deletions, orders };
}

/**
 * What a patch becomes where there is nothing to merge it with: directives and nulls go, at every depth, because both
 * only speak about what is there already.
 */
export function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((entry) => !isDirectiveEntry(entry)).map(withoutDirectives);
  if (!isObject(value)) return value;
  const { directive, fields } = readDirectives(value);
  const plain: JsonObject = {};
  if (directive === 'delete') return plain;
  for (const [name, entry] of Object.entries(fields)) {
    if (entry !== null) setField(plain, name, withoutDirectives(entry));
  }
  return plain;
}

/** A list item that is an instruction about the list and not an item to have in it. */
export function isDirectiveEntry(entry: unknown): boolean {
  if (!isObject(entry) || !Object.hasOwn(entry, patchKey)) return false;
  const directive = readPatch(entry[patchKey]);
  return directive === 'delete' || (directive === 'replace' && Object.keys(entry).length === 1);
}

function readPatch(value: unknown): PatchDirective {
  if (value === 'merge' || value === 'replace' || value === 'delete') return value;
  throw malformed(
    `unknown patch type ${JSON.stringify(value)}: $patch must be "merge", "replace" or "delete"`,
    patchKey,
  );
}

function readRetainKeys(value: unknown): ReadonlySet<string> {
  const names = readList(retainKeysKey, value);
  if (!names.every((name) => typeof name === 'string'))
    throw malformed('$retainKeys must list names of fields', retainKeysKey);
  return new Set(names);
}

function checkRetained(fields: JsonObject, retainKeys: ReadonlySet<string>): void {
  const extra = Object.entries(fields).find(([name, value]) => value !== null && !retainKeys.has(name));
  if (extra !== undefined) {
    throw malformed(
      `$retainKeys must list every field of the patch beside it, and ${extra[0]} is missing`,
      extra[0],
    );
  }
}

function readList(name: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(`${name} must be a list`, name);
  return value;
}
