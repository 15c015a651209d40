/** Strict reading of the fields of a mapping: a wrong type or a field nobody read is an error that names its place. */

export class Fields {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #where: string;
  readonly #read = new Set<string>();

  constructor(value: unknown, where: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw wrong(where, 'a mapping', value);
    this.#value = value as Record<string, unknown>;
    this.#where = where;
  }

  has(name: string): boolean {
    return this.#value[name] !== undefined;
  }

  text(name: string): string {
    const value = this.#take(name);
    if (typeof value !== 'string') throw wrong(this.place(name), 'a text', value);
    return value;
  }

  count(name: string): number {
    const value = this.#take(name);
    if (typeof value !== 'number' || !Number.isInteger(value))
      throw wrong(this.place(name), 'a whole number', value);
    return value;
  }

  flag(name: string): boolean {
    const value = this.#take(name);
    if (typeof value !== 'boolean') throw wrong(this.place(name), 'true or false', value);
    return value;
  }

  /** Empty when absent. */
  list(name: string): readonly unknown[] {
    const value = this.#take(name) ?? [];
    if (!Array.isArray(value)) throw wrong(this.place(name), 'a list', value);
    return value;
  }

  texts(name: string): readonly string[] {
    return this.list(name).map((item, index) => {
      if (typeof item !== 'string') throw wrong(`${this.place(name)}[${index}]`, 'a text', item);
      return item;
    });
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T {
    const value = this.#take(name);
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw wrong(this.place(name), choices.join(' or '), value);
    return choice;
  }

  raw(name: string): unknown {
    return this.#take(name);
  }

  place(name: string): string {
    return `${this.#where}.${name}`;
  }

  /** Call when everything known has been read. */
  end(): void {
    const unknown = Object.keys(this.#value).filter((name) => !this.#read.has(name));
    if (unknown.length > 0) throw new Error(`${this.#where}: unknown field ${unknown.join(', ')}`);
  }

  #take(name: string): unknown {
    this.#read.add(name);
    return this.#value[name];
  }
}

export function wrong(where: string, want: string, got: unknown): Error {
  return new Error(`${where}: want ${want}, got ${JSON.stringify(got)}`);
}
