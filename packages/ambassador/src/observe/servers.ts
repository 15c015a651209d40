/**
 * Server names as small integers, for counting. Bounded: where servers come and go for weeks, what is gone gives its
 * number back, and beyond `maxServerSeries` at once all further ones share one.
 */

/** Named apart at once; further ones are counted together. */
export const maxServerSeries = 256;

/** The label shared by what is beyond a limit, as in every family. */
export const otherServers = '(other)';

export class ServerIndex {
  readonly #max: number;
  readonly #names: (string | undefined)[] = [otherServers];
  readonly #byName = new Map<string, number>();
  readonly #free: number[] = [];

  constructor(max: number = maxServerSeries) {
    this.#max = max;
  }

  /** Keep it with the connection: look-ups do not belong in hot code. */
  index(name: string): number {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    if (this.#byName.size >= this.#max) return 0;
    const index = this.#free.pop() ?? this.#names.length;
    this.#names[index] = name;
    this.#byName.set(name, index);
    return index;
  }

  get names(): Iterable<string> {
    return this.#byName.keys();
  }

  name(index: number): string {
    return this.#names[index] ?? otherServers;
  }

  /** The number that was freed; undefined when the server had none of its own. */
  forget(name: string): number | undefined {
    const index = this.#byName.get(name);
    if (index === undefined) return undefined;
    this.#byName.delete(name);
    this.#names[index] = undefined;
    this.#free.push(index);
    return index;
  }
}
