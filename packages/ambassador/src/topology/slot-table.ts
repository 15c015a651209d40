/** Which of a cluster's shards serves a slot: an array of small numbers, read with every command. */

import { slotCount } from './cluster-view.ts';
import type { SlotRange } from './cluster-view.ts';

const nobody = -1;

export class SlotTable<S> {
  #numbers = new Int16Array(slotCount).fill(nobody);
  #shards: (S | undefined)[] = [];
  #unserved = slotCount;

  /** Hot. */
  get(slot: number): S | undefined {
    const number = this.#numbers[slot] ?? nobody;
    return number === nobody ? undefined : this.#shards[number];
  }

  /** Slots that nobody serves. */
  get unserved(): number {
    return this.#unserved;
  }

  /** Puts the whole table in place. */
  replace(owners: Iterable<readonly [shard: S, ranges: readonly SlotRange[]]>): void {
    const numbers = new Int16Array(slotCount).fill(nobody);
    const shards: S[] = [];
    for (const [shard, ranges] of owners) {
      const number = shards.push(shard) - 1;
      for (const { first, last } of ranges) numbers.fill(number, first, last + 1);
    }
    this.#numbers = numbers;
    this.#shards = shards;
    this.#unserved = numbers.reduce((count, number) => count + Number(number === nobody), 0);
  }

  /** Gives one slot to a shard. */
  set(slot: number, shard: S): void {
    let number = this.#shards.indexOf(shard);
    if (number === -1) number = this.#shards.push(shard) - 1;
    if (this.#numbers[slot] === nobody) this.#unserved -= 1;
    this.#numbers[slot] = number;
  }

  /** The slots of a shard, as ranges in order. */
  rangesOf(shard: S): SlotRange[] {
    const number = this.#shards.indexOf(shard);
    const ranges: { first: number; last: number }[] = [];
    if (number === -1) return ranges;
    for (let slot = 0; slot < slotCount; slot++) {
      if (this.#numbers[slot] !== number) continue;
      const open = ranges.at(-1);
      if (open?.last === slot - 1) open.last = slot;
      else ranges.push({ first: slot, last: slot });
    }
    return ranges;
  }

  /** How many slots of a shard lie in the ranges. */
  overlap(shard: S, ranges: readonly SlotRange[]): number {
    const number = this.#shards.indexOf(shard);
    let count = 0;
    if (number === -1) return count;
    for (const { first, last } of ranges) {
      for (let slot = first; slot <= last; slot++) count += Number(this.#numbers[slot] === number);
    }
    return count;
  }
}
