/**
 * The fields of all series, one typed array each: a series is an index, and updating one allocates nothing.
 *
 * An object per series costs 250 bytes and a visit of the garbage collector; these columns cost about 60.
 */

/** No series: the end of a list. */
export const none = -1;

export class Columns {
  /** A counter's or gauge's value; a histogram's or summary's sum. */
  values = new Float64Array(0);
  /** When it was made, seconds since the epoch. */
  created = new Float64Array(0);
  /** When it was last told, in seconds of the registry's clock. */
  touched = new Uint32Array(0);
  /** Seconds it is kept without being told; 0: for ever. */
  ttl = new Uint32Array(0);
  /** Where its text begins in the arena: `name{a="b",c="d"} `. */
  textAt = new Uint32Array(0);
  textLength = new Uint16Array(0);
  /** Bytes of its text up to its own labels, before the closing brace and those all series have. */
  ownLength = new Uint16Array(0);
  hash = new Uint32Array(0);
  family = new Uint32Array(0);
  source = new Uint16Array(0);
  /** A histogram's first bucket among the cells; a summary's number. */
  extra = new Int32Array(0);
  generation = new Uint32Array(0);
  /** Neighbours in the list of its family, in order of creation; `next` links free slots too. */
  next = new Int32Array(0);
  previous = new Int32Array(0);

  #used = 0;
  #free = none;

  /** `expected`: series there is room for at once; memory not touched costs nothing, while growing leaves holes in it. */
  constructor(expected = 256) {
    this.#grow(expected);
  }

  /** Slots ever used: all live ones are below. */
  get end(): number {
    return this.#used;
  }

  take(): number {
    const reused = this.#free;
    if (reused !== none) {
      this.#free = this.next[reused] ?? none;
      return reused;
    }
    if (this.#used === this.values.length) this.#grow(Math.ceil(Math.max(256, this.#used * 1.5)));
    return this.#used++;
  }

  /** The slot may be taken by another series from now on. */
  give(slot: number): void {
    this.generation[slot] = (this.generation[slot] ?? 0) + 1;
    this.textLength[slot] = 0;
    this.next[slot] = this.#free;
    this.#free = slot;
  }

  #grow(capacity: number): void {
    this.values = grown(this.values, new Float64Array(capacity));
    this.created = grown(this.created, new Float64Array(capacity));
    for (const name of ['touched', 'ttl', 'textAt', 'hash', 'family', 'generation'] as const)
      this[name] = grown(this[name], new Uint32Array(capacity));
    for (const name of ['textLength', 'ownLength', 'source'] as const)
      this[name] = grown(this[name], new Uint16Array(capacity));
    for (const name of ['extra', 'next', 'previous'] as const)
      this[name] = grown(this[name], new Int32Array(capacity));
  }
}

function grown<A extends Float64Array | Uint32Array | Uint16Array | Int32Array>(old: A, larger: A): A {
  larger.set(old);
  return larger;
}
