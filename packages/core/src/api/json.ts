/**
 * JSON bodies with the check that `JSON.parse` lacks: a field given twice. Kubernetes refuses that under
 * `fieldValidation=Strict` and warns of it under Warn; the last value counts, as for `JSON.parse`.
 */

import { child, item } from './problems.ts';

export interface ParsedJson {
  readonly value: unknown;
  /** Paths of fields that occur more than once in their object, each once, in order. */
  readonly duplicates: readonly string[];
}

/** Throws the SyntaxError of `JSON.parse`. */
export function parseJson(text: string): ParsedJson {
  return { value: JSON.parse(text) as unknown, duplicates: duplicateFields(text) };
}

interface Level {
  readonly path: string;
  /** Names seen so far; undefined in an array. */
  readonly names: Set<string> | undefined;
  /** In an object: the next string is a name, not a value. */
  atName: boolean;
  /** Where the value that is being read stands. */
  here: string;
  index: number;
}

/** One pass over text that `JSON.parse` has accepted, without recursion, so depth costs no stack. */
export function duplicateFields(text: string): string[] {
  const duplicates = new Set<string>();
  const levels: Level[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const level = levels.at(-1);
    switch (text[at]) {
      case '"': {
        const end = stringEnd(text, at);
        if (level?.atName === true)
          takeName(level, JSON.parse(text.slice(at, end + 1)) as string, duplicates);
        at = end;
        break;
      }
      case '{':
      case '[':
        levels.push(opened(text[at] === '{', level?.here ?? ''));
        break;
      case '}':
      case ']':
        levels.pop();
        break;
      case ',':
        if (level !== undefined) next(level);
    }
  }
  return [...duplicates];
}

function takeName(level: Level, name: string, duplicates: Set<string>): void {
  level.atName = false;
  level.here = child(level.path, name);
  if (level.names?.has(name) === true) duplicates.add(level.here);
  level.names?.add(name);
}

function next(level: Level): void {
  if (level.names !== undefined) {
    level.atName = true;
    return;
  }
  level.index += 1;
  level.here = item(level.path, level.index);
}

function opened(isObject: boolean, path: string): Level {
  return isObject
    ? { path, names: new Set(), atName: true, here: path, index: 0 }
    : { path, names: undefined, atName: false, here: item(path, 0), index: 0 };
}

/** Index of the closing quote: the first one behind an even number of backslashes. */
function stringEnd(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); ; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote;
  }
}
