/**
 * Keys in byte order, with insertion, deletion and counting in well under a microsecond per thousand keys.
 *
 * One sorted array would move half of itself on every insertion (a millisecond per hundred creates at 100,000 keys);
 * a tree of objects costs several times the memory. So: an array of short sorted arrays, split when they grow long.
 */

import type { Key } from './store.ts';

/** A chunk is split in two at this length: long enough to keep the outer array short, short enough to shift cheaply. */
const maxChunk = 512;

const beyondSurrogates = /[\ud800-\uffff]/;

/**
 * Order of the keys' UTF-8 bytes, which is also SQLite's. UTF-16 code units sort differently only where a surrogate
 * pair meets a character from U+E000 up, so those two ranges change places.
 */
export function compareKeys(a: Key, b: Key): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return byteRank(left) - byteRank(right);
  }
  return a.length - b.length;
}

function byteRank(codeUnit: number): number {
  if (codeUnit < 0xd800) return codeUnit;
  return codeUnit >= 0xe000 ? codeUnit - 0x800 : codeUnit + 0x2000;
}

/** Tells whether a key lies before a boundary; true for a first stretch of the keys and false for the rest. */
export type Before = (key: Key) => boolean;

/** The boundary in front of the first key ≥ `key`. */
export function beforeKey(key: Key): Before {
  // Where one of two strings has only code units below the surrogates, their native order is that of their bytes.
  return beyondSurrogates.test(key)
    ? (candidate) => compareKeys(candidate, key) < 0
    : (candidate) => candidate < key;
}

/** The boundary behind the last key that starts with `prefix`. */
export function beforeEndOf(prefix: Key): Before {
  const before = beforeKey(prefix);
  return (candidate) => candidate.startsWith(prefix) || before(candidate);
}

export class SortedKeys {
  #chunks: Key[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a key that is not there yet. */
  add(key: Key): void {
    this.#size++;
    const before = beforeKey(key);
    const chunkIndex = Math.min(this.#chunkAt(before), Math.max(0, this.#chunks.length - 1));
    const chunk = (this.#chunks[chunkIndex] ??= []);
    chunk.splice(firstNot(chunk, before), 0, key);
    if (chunk.length > maxChunk) this.#chunks.splice(chunkIndex + 1, 0, chunk.splice(maxChunk / 2));
  }

  /** Removes a key; harmless when it is not there. */
  delete(key: Key): void {
    const before = beforeKey(key);
    const chunkIndex = this.#chunkAt(before);
    const chunk = this.#chunks[chunkIndex];
    if (chunk === undefined) return;
    const index = firstNot(chunk, before);
    if (chunk[index] !== key) return;
    this.#size--;
    chunk.splice(index, 1);
    if (chunk.length === 0) this.#chunks.splice(chunkIndex, 1);
  }

  /** Keys from the boundary on. The set must not change while it is walked. */
  *from(before: Before): Generator<Key, undefined> {
    let chunkIndex = this.#chunkAt(before);
    let index = firstNot(this.#chunks[chunkIndex] ?? [], before);
    for (; chunkIndex < this.#chunks.length; chunkIndex++, index = 0) {
      const chunk = this.#chunks[chunkIndex] as Key[];
      for (; index < chunk.length; index++) yield chunk[index] as Key;
    }
    return undefined;
  }

  /** How many keys lie before the boundary. */
  rank(before: Before): number {
    const chunkIndex = this.#chunkAt(before);
    let rank = 0;
    for (let index = 0; index < chunkIndex; index++) rank += (this.#chunks[index] as Key[]).length;
    return rank + firstNot(this.#chunks[chunkIndex] ?? [], before);
  }

  /** The first chunk whose last key is not before the boundary. */
  #chunkAt(before: Before): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = this.#chunks[middle] as Key[];
      if (before(chunk[chunk.length - 1] as Key)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function firstNot(keys: readonly Key[], before: Before): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (before(keys[middle] as Key)) low = middle + 1;
    else high = middle;
  }
  return low;
}
