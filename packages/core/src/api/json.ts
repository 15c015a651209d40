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
  /** Where the value that is being read stands. */
  here: string;
  index: number;
}

/** One pass over text that `JSON.parse` has accepted, without recursion, so depth costs no stack. */
export function duplicateFields(text: string): string[] {
  const duplicates = new Set<string>();
  const levels: Level[] = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[[\]{},]/gs;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const level = levels.at(-1);
    if (match[1] !== undefined && level?.names !== undefined) {
      const name = JSON.parse(match[0].slice(0, match[0].lastIndexOf('"') + 1)) as string;
      level.here = child(level.path, name);
      if (level.names.has(name)) duplicates.add(level.here);
      level.names.add(name);
    } else if (match[0] === '{' || match[0] === '[') {
      levels.push(opened(match[0], level?.here ?? ''));
    } else if (match[0] === '}' || match[0] === ']') {
      levels.pop();
    } else if (match[0] === ',' && level !== undefined && level.names === undefined) {
      level.index += 1;
      level.here = item(level.path, level.index);
    }
  }
  return [...duplicates];
}

function opened(bracket: '{' | '[', path: string): Level {
  return bracket === '{'
    ? { path, names: new Set(), here: path, index: 0 }
    : { path, names: undefined, here: item(path, 0), index: 0 };
}
