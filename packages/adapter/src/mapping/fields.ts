/** Reading untyped YAML field by field: what is wrong is written down with its place, and reading goes on. */

import type { Problem } from '@outrigger/core/config';

export class Fields {
  readonly path: string;
  readonly problems: Problem[];
  readonly #value: Readonly<Record<string, unknown>>;

  /** Takes anything; what is no mapping of fields is a problem and then read as empty. Unknown fields are problems. */
  constructor(value: unknown, path: string, known: readonly string[], problems: Problem[]) {
    this.path = path;
    this.problems = problems;
    this.#value = {};
    if (value === undefined || value === null) return;
    if (typeof value !== 'object' || Array.isArray(value)) {
      this.problems.push({ path: path || 'mapping', got: show(value), want: 'a mapping of fields' });
      return;
    }
    this.#value = value as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(value)) {
      if (known.includes(name)) continue;
      this.wrong(name, 'an unknown field', `one of ${known.join(', ')}`);
    }
  }

  wrong(field: string, got: string, want: string): void {
    this.problems.push({ path: this.#at(field), got, want });
  }

  has(field: string): boolean {
    const value = this.#value[field];
    return value !== undefined && value !== null;
  }

  raw(field: string): unknown {
    return this.#value[field];
  }

  /** Numbers, true and false are texts, too: Go's reader takes them where a text is wanted. */
  string(field: string): string | undefined {
    return this.#read(field, 'a string', (value) =>
      ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined,
    );
  }

  boolean(field: string): boolean | undefined {
    return this.#read(field, 'true or false', (value) => (typeof value === 'boolean' ? value : undefined));
  }

  number(field: string): number | undefined {
    return this.#read(field, 'a number', asNumber);
  }

  oneOf<T extends string>(field: string, ...choices: readonly T[]): T | undefined {
    const want = `one of ${choices.join(', ')}`;
    // An empty text is what Go's reader leaves where nothing was written.
    if (this.#value[field] === '') return undefined;
    return this.#read(field, want, (value) => choices.find((choice) => choice === value));
  }

  /** What `read` returns undefined for is a problem. */
  value<T>(field: string, want: string, read: (value: unknown) => T | undefined): T | undefined {
    return this.#read(field, want, read);
  }

  list(field: string): readonly unknown[] | undefined {
    return this.#read(field, 'a list', (value) => (Array.isArray(value) ? value : undefined));
  }

  /** Names and texts, such as labels. */
  texts(field: string): readonly (readonly [string, string])[] {
    const value = this.#value[field];
    if (value === undefined || value === null) return [];
    const inner = new Fields(value, this.#at(field), Object.keys(value), this.problems);
    if (typeof value !== 'object' || Array.isArray(value)) return [];
    return Object.keys(value).map((name) => [name, inner.string(name) ?? ''] as const);
  }

  inside(field: string, known: readonly string[]): Fields | undefined {
    if (!this.has(field)) return undefined;
    return new Fields(this.#value[field], this.#at(field), known, this.problems);
  }

  #at(field: string): string {
    return this.path === '' ? field : `${this.path}.${field}`;
  }

  #read<T>(field: string, want: string, read: (value: unknown) => T | undefined): T | undefined {
    const value = this.#value[field];
    if (value === undefined || value === null) return undefined;
    const found = read(value);
    if (found === undefined) this.wrong(field, show(value), want);
    return found;
  }
}

export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && !Number.isNaN(value) ? value : undefined;
}

export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
