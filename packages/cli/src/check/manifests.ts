/** Objects from files and folders: YAML (several documents to a file) and JSON, with the place each stands at. */

import { OutriggerError } from '@outrigger/core/errors';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMap, isNode, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import type { Document, Scalar } from 'yaml';

export interface Manifest {
  /** `FILE`, or `FILE:LINE` where the document begins. */
  readonly place: string;
  readonly value: unknown;
  /** What keeps the document from being read at all: syntax, duplicate keys. */
  readonly errors: readonly string[];
  /** `FILE:LINE` of a field, such as `spec.ports[1].name`, or of what is nearest above it. */
  readonly placeOf: (field: string) => string;
}

/** Files as given; of folders, what ends in .yaml, .yml or .json, in order of names. Throws MANIFEST_UNREADABLE. */
export async function readManifests(paths: readonly string[]): Promise<Manifest[]> {
  const manifests: Manifest[] = [];
  for (const path of paths)
    for (const file of await filesAt(path)) manifests.push(...(await readFileManifests(file)));
  return manifests;
}

async function filesAt(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = await readdir(path);
    return names
      .filter((name) => /\.(ya?ml|json)$/.test(name))
      .sort()
      .map((name) => join(path, name));
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function readFileManifests(file: string): Promise<Manifest[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, cause);
  }
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { uniqueKeys: true, lineCounter: lines });
  return [...documents].flatMap((document) => {
    const value: unknown = document.errors.length === 0 ? document.toJS() : undefined;
    const errors = document.errors.map((error) => error.message.split('\n')[0] ?? error.code);
    // Nothing between two separators is no object.
    if (errors.length === 0 && (value === null || value === undefined)) return [];
    const { line } = lines.linePos(document.contents?.range?.[0] ?? document.range[0]);
    const place = documents.length > 1 ? `${file}:${line}` : file;
    const lineAt = (steps: readonly (string | number)[]): number =>
      lines.linePos(offsetOf(document, steps)).line;
    const placeOf = (field: string): string => (field === '' ? place : `${file}:${lineAt(stepsOf(field))}`);
    return itemsOf({ place, value, errors, placeOf });
  });
}

/** A `kind: List` stands for what is in it. */
function itemsOf(manifest: Manifest): Manifest[] {
  const { value, place } = manifest;
  const { kind, items } = (value ?? {}) as { kind?: unknown; items?: unknown };
  if (kind !== 'List' || !Array.isArray(items)) return [manifest];
  return items.map((item: unknown, i) => ({
    ...{ place: `${place} items[${i}]`, value: item, errors: [] },
    placeOf: (field) => `${manifest.placeOf(`items[${i}]${field === '' ? '' : `.${field}`}`)} items[${i}]`,
  }));
}

/** `a.b[2][name]` as `a`, `b`, 2, `name`. */
function stepsOf(field: string): (string | number)[] {
  return [...field.matchAll(/\[([^\]]*)\]|[^.[\]]+/g)].map(([whole, inside]) => {
    const step = inside ?? whole;
    return /^\d+$/.test(step) ? Number(step) : step;
  });
}

/** Where the last step that is there begins: the key of a map, the item of a list. */
function offsetOf(document: Document.Parsed, steps: readonly (string | number)[]): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range[0] ?? document.range[0];
  for (const step of steps) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) break;
      offset = (pair.key as Scalar).range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      if (!isNode(node)) break;
      offset = node.range?.[0] ?? offset;
    } else break;
  }
  return offset;
}

function unreadable(path: string, cause: unknown): OutriggerError {
  return new OutriggerError(`cannot read ${path}`, {
    code: 'MANIFEST_UNREADABLE',
    target: path,
    hint: 'give a YAML or JSON file, or a folder of them',
    cause,
  });
}
