/** Rules that every kind with ports shares. */

import type { SyntaxCheck } from '../names.ts';
import { dns1123Label, portName, portNumber, qualifiedName } from '../names.ts';
import { duplicate, invalid, invalidBy, required } from '../problems.ts';
import type { FieldError } from '../schema.ts';

export function validatePortNumber(port: number, path: string): FieldError[] {
  return portNumber(port).map((problem) => invalid(path, port, problem));
}

/** A number, or the name of a container port. */
export function validatePortReference(port: number | string, path: string): FieldError[] {
  return typeof port === 'number' ? validatePortNumber(port, path) : invalidBy(path, port, portName(port));
}

export function validateAppProtocol(appProtocol: string | undefined, path: string): FieldError[] {
  return appProtocol === undefined ? [] : invalidBy(path, appProtocol, qualifiedName(appProtocol));
}

/** Port names of one list: unique, and given wherever `needed`. Keep one for the whole list. */
export class PortNames {
  readonly #seen = new Set<string>();
  readonly #needed: boolean;
  readonly #syntax: SyntaxCheck;

  constructor(needed: boolean, syntax: SyntaxCheck = dns1123Label) {
    this.#needed = needed;
    this.#syntax = syntax;
  }

  check(name: string | undefined, path: string): FieldError[] {
    if (name === undefined || name === '') return this.#needed ? [required(path)] : [];
    const problems = invalidBy(path, name, this.#syntax(name));
    if (this.#seen.has(name)) return [...problems, duplicate(path, name)];
    this.#seen.add(name);
    return problems;
  }
}

/** The indexes of entries whose key an earlier entry has already; entries without a key are left out. */
export function repeated<T>(entries: readonly T[], keyOf: (entry: T) => string | undefined): number[] {
  const seen = new Set<string>();
  return entries.flatMap((entry, index) => {
    const key = keyOf(entry);
    if (key === undefined) return [];
    if (seen.has(key)) return [index];
    seen.add(key);
    return [];
  });
}
