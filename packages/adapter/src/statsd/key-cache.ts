/**
 * What is remembered of lines: the untouched bytes of everything but the numbers → what to do with the numbers.
 *
 * Clients repeat themselves: the same names, types and tags arrive again and again with other values. So each distinct
 * key is understood once (tags, mapping, limits), and from then on a line costs a hash and a comparison of bytes, and
 * no string. Hostile clients choose the keys, so everything has a fixed size:
 *
 * - A table of ways, twice as many as keys are wanted; a key may stand in one of eight ways from where its hash points.
 *   The hash begins with a seed of the process, so that nobody can aim at a way.
 * - Key bytes are appended to a ring. What the ring has overwritten is forgotten without being told: a way whose place
 *   lies more than a ring behind the head is empty. A key met again shortly before that is appended again, so that a
 *   flood of new keys pushes out each other and not what is in use.
 */

/** Longer keys are understood each time: they are rare, and would push out many others. */
export const longestKey = 1024;

const window = 8;
/** Ring bytes per wanted key. Of longer keys fewer are kept. */
const bytesPerKey = 96;

export class KeyCache {
  /** Per way: index of the plan, slot, generation of the slot (its last 32 bits). */
  readonly plans: Uint16Array;
  readonly slots: Int32Array;
  readonly generations: Uint32Array;
  readonly #hashes: Int32Array;
  readonly #lengths: Uint16Array;
  /** Where the key begins, counted since the ring was new; -1: empty. Moved back before it outgrows a small integer. */
  readonly #places: Int32Array;
  readonly #ring: Uint8Array;
  readonly #ways: number;
  #head = 0;
  /** The head when keys were counted last. */
  #countedAt = 0;
  #count = 0;

  readonly #highestPlace: number;

  /** `keys`: how many are wanted; 0 remembers nothing. */
  constructor(keys: number, highestPlace = 2 ** 29) {
    this.#highestPlace = highestPlace;
    this.#ways = keys === 0 ? 0 : powerAtLeast(Math.max(2 * keys, 64));
    const places = this.#ways + window;
    this.#ring = new Uint8Array(
      keys === 0 ? 0 : Math.max(powerAtLeast(keys * bytesPerKey) / 2, 2 * longestKey),
    );
    this.#hashes = new Int32Array(places);
    this.#lengths = new Uint16Array(places);
    this.#places = new Int32Array(places).fill(-1);
    this.plans = new Uint16Array(places);
    this.slots = new Int32Array(places);
    this.generations = new Uint32Array(places);
  }

  /** The way of a key, or -1. */
  find(key: Uint8Array, length: number, hash: number): number {
    const first = hash & (this.#ways - 1);
    const oldest = this.#head - this.#ring.length;
    for (let way = first; way < first + window; way++) {
      if (this.#hashes[way] !== hash || this.#lengths[way] !== length) continue;
      const place = this.#places[way] as number;
      if (place < 0 || place < oldest || !this.#equals(place, key, length)) continue;
      if (place - oldest < this.#ring.length >> 3) this.#places[way] = this.#append(key, length);
      return way;
    }
    return -1;
  }

  /** Remembers a key `find` did not find, and returns its way; -1 where it is too long. */
  insert(key: Uint8Array, length: number, hash: number): number {
    if (length > longestKey || this.#ways === 0) return -1;
    const way = this.#roomAt(hash & (this.#ways - 1));
    this.#hashes[way] = hash;
    this.#lengths[way] = length;
    this.#places[way] = this.#append(key, length);
    return way;
  }

  clear(): void {
    this.#places.fill(-1);
    this.#countedAt = -1;
  }

  /** Keys remembered; looks at every way where any came since it was asked last. */
  get size(): number {
    if (this.#countedAt === this.#head) return this.#count;
    const oldest = Math.max(0, this.#head - this.#ring.length);
    let count = 0;
    for (const place of this.#places) if (place >= oldest) count += 1;
    this.#countedAt = this.#head;
    this.#count = count;
    return count;
  }

  /** Bytes reserved; only those ever used are real memory. */
  get bytes(): number {
    return this.#ring.length + this.#places.length * 20;
  }

  #equals(place: number, key: Uint8Array, length: number): boolean {
    const ring = this.#ring;
    const from = place & (ring.length - 1);
    for (let i = 0; i < length; i++) if (ring[from + i] !== key[i]) return false;
    return true;
  }

  /** The empty way of a window, or the one whose key is oldest. */
  #roomAt(first: number): number {
    const oldest = Math.max(0, this.#head - this.#ring.length);
    let room = first;
    for (let way = first; way < first + window; way++) {
      const place = this.#places[way] as number;
      if (place < oldest) return way;
      if (place < (this.#places[room] as number)) room = way;
    }
    return room;
  }

  #append(key: Uint8Array, length: number): number {
    if (this.#head > this.#highestPlace) this.#moveBack();
    const size = this.#ring.length;
    // A key is never cut in two: what does not fit before the end begins a new round.
    const left = size - (this.#head & (size - 1));
    const place = left < length ? this.#head + left : this.#head;
    const from = place & (size - 1);
    for (let i = 0; i < length; i++) this.#ring[from + i] = key[i] as number;
    this.#head = place + length;
    return place;
  }

  #moveBack(): void {
    this.#countedAt = -1;
    const size = this.#ring.length;
    const rounds = (Math.floor(this.#head / size) - 1) * size;
    for (let way = 0; way < this.#places.length; way++) {
      this.#places[way] = Math.max(-1, (this.#places[way] as number) - rounds);
    }
    this.#head -= rounds;
  }
}

function powerAtLeast(least: number): number {
  return 2 ** Math.ceil(Math.log2(least));
}
