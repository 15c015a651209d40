/** JSON values as patches see them. Keys are data here: `__proto__` is a name like any other. */

import { malformed } from './errors.ts';

export type JsonObject = { [name: string]: unknown };

/**
 * Levels of nesting in a patch and in what it makes of an object. Everything that walks values recurses, so a limit
 * far above any real object and far below the stack keeps a hostile body from ending the process. The default, 1000.
 */
export const maxDepth = 1_000;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of an own field, never one inherited from Object.prototype. */
export function field(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Sets an own field; plain assignment to `__proto__` would change the prototype instead. */
export function setField(object: JsonObject, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  } else {
    object[name] = value;
  }
}

/** A copy that shares nothing with the original. */
export function clone<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(clone) as T;
  const copy: JsonObject = {};
  for (const [name, entry] of Object.entries(value)) setField(copy, name, clone(entry));
  return copy as T;
}

/** Throws PATCH_MALFORMED where a value nests deeper than `maxDepth`; itself without recursion. */
export function checkDepth(value: unknown): void {
  const open: { value: object; depth: number }[] = [];
  const push = (entry: unknown, depth: number): void => {
    if (typeof entry !== 'object' || entry === null) return;
    if (depth > maxDepth) throw malformed(`the patch nests deeper than ${maxDepth} levels`);
    open.push({ value: entry, depth });
  };
  push(value, 1);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const entry of Object.values(next.value)) push(entry, next.depth + 1);
  }
}
