/**
 * JSON Patch (RFC 6902): operations applied in order, all or none.
 *
 * A small body can ask for a lot of work: `copy` doubles a document each time, inserting at the front of a long array
 * moves all of it. Both are counted against a budget, so that one request cannot hold up everyone else's.
 */

import { equalJson } from '@outrigger/core/api';
import { malformed, notApplicable, tooLarge } from './errors.ts';
import { checkDepth, clone, field, isObject, setField } from './json.ts';
import { arrayIndex, parsePointer } from './pointer.ts';

/** Operations in one patch. Kubernetes has the same limit. */
export const maxOperations = 10_000;

/** Characters of JSON that the `copy` operations of one patch may add: as much as a whole request body. */
export const maxCopiedChars = 3 * 1024 * 1024;

/** Array items that the operations of one patch may shift: some tens of milliseconds of work. */
export const maxShiftedItems = 50_000_000;

type Operation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly path: string; readonly from: string };

/**
 * The patched document; `document` is not changed. Throws PATCH_MALFORMED (400) for what is no patch, PATCH_TOO_LARGE
 * (413), and PATCH_NOT_APPLICABLE (422) where a test fails or a path is not there.
 */
export function applyJsonPatch(document: unknown, operations: unknown): unknown {
  if (!Array.isArray(operations)) throw malformed('a JSON patch must be an array of operations');
  if (operations.length > maxOperations) {
    throw tooLarge(
      `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${operations.length}`,
    );
  }
  checkDepth(operations);
  const parsed = operations.map(parseOperation);
  const run = new Run(clone(document));
  for (const operation of parsed) run.apply(operation);
  checkDepth(run.root);
  return run.root;
}

function parseOperation(entry: unknown, index: number): Operation {
  const where = `operation ${index}`;
  if (!isObject(entry)) throw malformed(`${where} must be an object`);
  const { op, path, from } = entry;
  if (typeof path !== 'string') throw malformed(`${where} must have a "path"`);
  switch (op) {
    case 'add':
    case 'replace':
    case 'test':
      if (!Object.hasOwn(entry, 'value'))
        throw malformed(`${where} (${op} ${path}) must have a "value"`, path);
      return { op, path, value: entry['value'] };
    case 'remove':
      return { op, path };
    case 'move':
    case 'copy':
      if (typeof from !== 'string') throw malformed(`${where} (${op} ${path}) must have a "from"`, path);
      return { op, path, from };
    default:
      throw malformed(`${where} has the unknown op ${JSON.stringify(op ?? null)}`, path);
  }
}

/** One application: the document as it stands between operations. */
class Run {
  root: unknown;
  #copied = 0;
  #shifted = 0;

  constructor(root: unknown) {
    this.root = root;
  }

  apply(operation: Operation): void {
    const { op, path } = operation;
    switch (op) {
      case 'add':
        return this.#add(path, clone(operation.value));
      case 'remove':
        return void this.#remove(path);
      case 'replace':
        return this.#replace(path, clone(operation.value));
      case 'move':
        return this.#move(operation.from, path);
      case 'copy':
        return this.#add(path, this.#copyOf(this.#read(operation.from), path));
      case 'test':
        if (!equalJson(this.#read(path), operation.value)) {
          throw notApplicable(`testing value ${path} failed`, path);
        }
    }
  }

  #read(path: string): unknown {
    return parsePointer(path).reduce((value, token) => entryOf(value, token, path), this.root);
  }

  #add(path: string, value: unknown): void {
    const tokens = parsePointer(path);
    const last = tokens.pop();
    if (last === undefined) {
      this.root = value;
      return;
    }
    const parent = tokens.reduce((at, token) => entryOf(at, token, path), this.root);
    if (isObject(parent)) setField(parent, last, value);
    else if (Array.isArray(parent)) {
      const index = arrayIndex(last, parent.length);
      if (index === undefined) throw missing(path);
      this.#shift(parent.length - index, path);
      parent.splice(index, 0, value);
    } else {
      throw missing(path);
    }
  }

  #remove(path: string): unknown {
    const tokens = parsePointer(path);
    const last = tokens.pop();
    if (last === undefined) {
      const whole = this.root;
      this.root = null;
      return whole;
    }
    const parent = tokens.reduce((at, token) => entryOf(at, token, path), this.root);
    const removed = entryOf(parent, last, path);
    if (Array.isArray(parent)) {
      const index = Number(last);
      this.#shift(parent.length - index, path);
      parent.splice(index, 1);
    } else {
      delete (parent as Record<string, unknown>)[last];
    }
    return removed;
  }

  #replace(path: string, value: unknown): void {
    const tokens = parsePointer(path);
    const last = tokens.pop();
    if (last === undefined) {
      this.root = value;
      return;
    }
    const parent = tokens.reduce((at, token) => entryOf(at, token, path), this.root);
    entryOf(parent, last, path);
    if (Array.isArray(parent)) parent[Number(last)] = value;
    else setField(parent as Record<string, unknown>, last, value);
  }

  #move(from: string, path: string): void {
    if (path.startsWith(`${from}/`)) throw notApplicable(`cannot move ${from} into itself, to ${path}`, path);
    if (path === from) {
      this.#read(from);
      return;
    }
    this.#add(path, this.#remove(from));
  }

  #copyOf(value: unknown, path: string): unknown {
    checkDepth(value);
    this.#copied += JSON.stringify(value).length;
    if (this.#copied > maxCopiedChars) {
      throw tooLarge(`the copy operations of the patch add more than ${maxCopiedChars} characters`, path);
    }
    return clone(value);
  }

  #shift(items: number, path: string): void {
    this.#shifted += items;
    if (this.#shifted > maxShiftedItems) {
      throw tooLarge(`the patch moves more than ${maxShiftedItems} array items`, path);
    }
  }
}

/** The value that exists at one step of a path. */
function entryOf(container: unknown, token: string, path: string): unknown {
  if (isObject(container) && Object.hasOwn(container, token)) return field(container, token);
  if (Array.isArray(container) && token !== '-') {
    const index = arrayIndex(token, container.length - 1);
    if (index !== undefined && index < container.length) return container[index];
  }
  throw missing(path);
}

function missing(path: string): Error {
  return notApplicable(`doc is missing path: ${JSON.stringify(path)}: missing value`, path);
}
