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
  let level: Level | undefined;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        // A quote: a name or a text value.
        const end = stringEnd(text, at);
        if (level?.atName === true) takeName(level, nameIn(text, at, end), duplicates);
        at = end;
        break;
      }
      case 0x7b: // {
      case 0x5b: // [
        level = opened(text.charCodeAt(at) === 0x7b, level?.here ?? '');
        levels.push(level);
        break;
      case 0x7d: // }
      case 0x5d: // ]
        levels.pop();
        level = levels.at(-1);
        break;
      case 0x2c: // ,
        if (level !== undefined) next(level);
    }
  }
  return [...duplicates];
}

function nameIn(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end);
  return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
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
    while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return quote;
  }
}
