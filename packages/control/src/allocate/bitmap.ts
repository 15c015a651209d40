/** A fixed set of numbers from 0 on, one bit each, that can name a free one quickly even when nearly full. */

import type { Random } from '@outrigger/core/clock';

export class Bitmap {
  readonly size: number;
  readonly #words: Uint32Array;
  #used = 0;

  constructor(size: number) {
    this.size = size;
    this.#words = new Uint32Array(Math.ceil(size / 32));
  }

  get used(): number {
    return this.#used;
  }

  has(index: number): boolean {
    return ((this.#words[index >>> 5] ?? 0) & (1 << (index & 31))) !== 0;
  }

  add(index: number): void {
    if (this.has(index)) return;
    this.#words[index >>> 5] = (this.#words[index >>> 5] ?? 0) | (1 << (index & 31));
    this.#used += 1;
  }

  remove(index: number): void {
    if (!this.has(index)) return;
    this.#words[index >>> 5] = (this.#words[index >>> 5] ?? 0) & ~(1 << (index & 31));
    this.#used -= 1;
  }

  /**
   * A number in [from, to) that is not in the set and not `except`ed, undefined when there is none. The search begins at
   * a random place, so that writers who do not see each other yet seldom choose the same; it goes on 32 numbers a step.
   */
  pick(from: number, to: number, random: Random, except: (index: number) => boolean): number | undefined {
    if (to <= from) return undefined;
    const start = from + Math.floor(random.next() * (to - from));
    return this.#firstFree(start, to, except) ?? this.#firstFree(from, start, except);
  }

  #firstFree(from: number, to: number, except: (index: number) => boolean): number | undefined {
    for (let at = from; at < to;) {
      const free = ~(this.#words[at >>> 5] ?? 0) & (-1 << (at & 31));
      const index = free === 0 ? (at | 31) + 1 : (at & ~31) + lowestBit(free);
      if (free !== 0 && index < to && !except(index)) return index;
      at = free === 0 ? index : index + 1;
    }
    return undefined;
  }
}

/** Position of the lowest bit that is 1. */
function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
