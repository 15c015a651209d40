/**
 * The recent changes of one resource, so that a watch can go on from an older revision without reading everything again.
 *
 * A change is kept at least `historyMs`, within the limits of count and bytes, and however old while there are no more
 * than `historyFloor`: a quiet resource stays resumable for long.
 */

import type { Entry } from './entry.ts';

export interface CacheEvent {
  readonly type: 'put' | 'delete';
  readonly revision: number;
  /** The new state; for a delete, the last one. */
  readonly entry: Entry;
  /** The state before; undefined when the object was created. */
  readonly previous: Entry | undefined;
}

export interface HistoryLimits {
  /** Changes of each resource kept at least so long, in ms. Default 75 s; raised, clients away for longer need no relist. */
  readonly historyMs: number;
  /** Changes kept whatever their age. Default 1,000 a resource. */
  readonly historyFloor: number;
  /** Changes kept at most. Default 100,000 a resource, some 100 bytes each beside their bytes. */
  readonly historyCeiling: number;
  /** Bytes of objects kept at most. Default 64 MiB a resource. */
  readonly historyBytes: number;
}

interface Kept {
  readonly event: CacheEvent;
  readonly at: number;
}

export class History {
  readonly #limits: HistoryLimits;
  #kept: (Kept | undefined)[] = [];
  #head = 0;
  #bytes = 0;
  #floor: number;

  /** `floor`: everything after this revision will be added. */
  constructor(limits: HistoryLimits, floor: number) {
    this.#limits = limits;
    this.#floor = floor;
  }

  /** Changes after this revision are all here; asking for those after an earlier one is too late. */
  get floor(): number {
    return this.#floor;
  }

  get size(): number {
    return this.#kept.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** When the oldest change came in, on the clock that `add` was given. */
  get oldestAt(): number | undefined {
    return this.#kept[this.#head]?.at;
  }

  add(event: CacheEvent, now: number): void {
    this.#kept.push({ event, at: now });
    this.#bytes += event.entry.value.length;
    while (this.#mustDrop(now)) this.#drop();
  }

  /** Up to `limit` changes after a revision and up to another, oldest first. All changes of one revision stay together. */
  between(after: number, upTo: number, limit = Number.POSITIVE_INFINITY): CacheEvent[] {
    const found: CacheEvent[] = [];
    for (let index = this.#firstAfter(after); index < this.#kept.length; index++) {
      const { event } = this.#kept[index] as Kept;
      if (event.revision > upTo) break;
      if (found.length >= limit && event.revision !== found.at(-1)?.revision) break;
      found.push(event);
    }
    return found;
  }

  #mustDrop(now: number): boolean {
    const { historyMs, historyFloor, historyCeiling, historyBytes } = this.#limits;
    if (this.size > historyCeiling || this.#bytes > historyBytes) return this.size > 1;
    return this.size > historyFloor && now - (this.oldestAt ?? now) > historyMs;
  }

  #drop(): void {
    const { event } = this.#kept[this.#head] as Kept;
    this.#kept[this.#head++] = undefined;
    this.#floor = event.revision;
    this.#bytes -= event.entry.value.length;
    // Moving the rest to the front only once half is empty keeps dropping at constant cost.
    if (this.#head > 1024 && this.#head * 2 > this.#kept.length) {
      this.#kept = this.#kept.slice(this.#head);
      this.#head = 0;
    }
  }

  #firstAfter(revision: number): number {
    let low = this.#head;
    let high = this.#kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#kept[middle] as Kept).event.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
