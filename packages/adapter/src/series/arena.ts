/**
 * The texts of all series, ready for the page, and the index that finds a series by its text.
 *
 * A map from text to series would keep every text a second time, as a string with its entry. Here the bytes the page
 * is made of are the keys: the index is a table of slots, probed from the hash of the text, compared byte by byte.
 */

import type { Columns } from './columns.ts';

const empty = -1;
const gone = -2;

export class Arena {
  readonly #columns: Columns;
  bytes: Buffer;
  #used = 0;
  /** Bytes of forgotten series. */
  #dead = 0;
  #table = new Int32Array(1024).fill(empty);
  /** Places of the table that are not empty. */
  #taken = 0;

  /** `expected`: bytes there is room for at once. */
  constructor(columns: Columns, expected: number) {
    this.#columns = columns;
    this.bytes = Buffer.allocUnsafeSlow(Math.max(expected, 64 * 1024));
  }

  /** Bytes of the texts of live series. */
  get live(): number {
    return this.#used - this.#dead;
  }

  /** The live series whose own text (name and own labels) is this. */
  find(text: Buffer, length: number, hash: number): number {
    const { hash: hashes, ownLength, textAt } = this.#columns;
    const mask = this.#table.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = this.#table[at] ?? empty;
      if (slot === empty) return empty;
      if (slot === gone || hashes[slot] !== hash || ownLength[slot] !== length) continue;
      const start = textAt[slot] ?? 0;
      if (this.bytes.compare(text, 0, length, start, start + length) === 0) return slot;
    }
  }

  /** Keeps the text of a slot whose hash and family are set. `slots`: all live ones, in the order of the page. */
  put(slot: number, text: Buffer, length: number, slots: () => Iterable<number>): void {
    if (this.#used + length > this.bytes.length) this.#makeRoom(length, slots);
    text.copy(this.bytes, this.#used, 0, length);
    this.#columns.textAt[slot] = this.#used;
    this.#columns.textLength[slot] = length;
    this.#used += length;
  }

  index(slot: number, slots: () => Iterable<number>): void {
    if ((this.#taken + 1) * 3 > this.#table.length * 2) this.#rehash(slots);
    this.#insert(slot);
  }

  remove(slot: number): void {
    const { hash, textLength } = this.#columns;
    const mask = this.#table.length - 1;
    let at = (hash[slot] ?? 0) & mask;
    while (this.#table[at] !== slot) at = (at + 1) & mask;
    this.#table[at] = gone;
    this.#dead += textLength[slot] ?? 0;
  }

  /** The text of a slot is about to be put again. */
  drop(slot: number): void {
    this.#dead += this.#columns.textLength[slot] ?? 0;
    this.#columns.textLength[slot] = 0;
  }

  #insert(slot: number): void {
    const mask = this.#table.length - 1;
    let at = (this.#columns.hash[slot] ?? 0) & mask;
    while ((this.#table[at] ?? empty) >= 0) at = (at + 1) & mask;
    if (this.#table[at] === empty) this.#taken += 1;
    this.#table[at] = slot;
  }

  #rehash(slots: () => Iterable<number>): void {
    let count = 0;
    for (const slot of slots()) count += slot >= 0 ? 1 : 0;
    let size = 1024;
    while (size < (count + 1) * 2) size *= 2;
    this.#table = new Int32Array(size).fill(empty);
    this.#taken = 0;
    for (const slot of slots()) this.#insert(slot);
  }

  /** Closes the gaps that forgotten series left, if they are worth it; else takes more memory. */
  #makeRoom(length: number, slots: () => Iterable<number>): void {
    const needed = this.live + length;
    const worth = this.#dead * 4 > this.#used;
    const capacity = worth && needed * 1.25 < this.bytes.length ? this.bytes.length : Math.ceil(needed * 1.5);
    const larger = Buffer.allocUnsafeSlow(Math.max(capacity, 64 * 1024));
    if (worth) this.#compact(larger, slots);
    else this.bytes.copy(larger, 0, 0, this.#used);
    this.bytes = larger;
  }

  #compact(target: Buffer, slots: () => Iterable<number>): void {
    const { textAt, textLength } = this.#columns;
    let used = 0;
    for (const slot of slots()) {
      const length = textLength[slot] ?? 0;
      const start = textAt[slot] ?? 0;
      this.bytes.copy(target, used, start, start + length);
      textAt[slot] = used;
      used += length;
    }
    this.#used = used;
    this.#dead = 0;
  }
}

/** FNV-1a. */
export function hashOf(text: Buffer, length: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ (text[i] ?? 0), 0x01000193);
  return hash >>> 0;
}
