/**
 * What history may be forgotten, decided from time, count and bytes; and what of it still waits to be removed on disk.
 *
 * Forgetting (in memory) and removing (on disk) both happen in small steps driven by the writes themselves: each group
 * of writes takes along about twice what it adds, so that compaction keeps pace with any load and can neither starve
 * the writers nor be starved by them. Without writes it goes on in slices of its own.
 */

import type { Clock } from '@outrigger/core/clock';
import type { StoreLimits } from './limits.ts';
import { Queue } from './queue.ts';
import type { Timeline } from './timeline.ts';

interface Mark {
  readonly revision: number;
  readonly at: number;
}

interface Waiting {
  readonly revision: number;
  /** How many rows must have been removed; known once the revision is forgotten. */
  removed: number | undefined;
  resolve(): void;
  reject(error: Error): void;
}

/** Steps of the time bound: history is kept up to this fraction longer than asked. */
const marksPerWindow = 64;
/** Revisions forgotten along with a group of writes at least: a few microseconds. */
const leastForgotten = 64;
/** Revisions forgotten in a turn of its own: about a millisecond. */
const forgottenPerTurn = 2_048;
/** Rows removed along with a group of writes: at least and at most. */
const leastRemoved = 16;
const mostRemoved = 512;
/** Rows removed in a commit of their own; the journal stops earlier after 5 ms. */
const removedAlone = 1_024;

export class Compaction {
  readonly #timeline: Timeline;
  readonly #limits: StoreLimits;
  readonly #clock: Clock;
  readonly #marks = new Queue<Mark>();
  #lastMark: Mark | undefined;
  readonly #pins = new Map<symbol, number>();
  #requested = 0;
  readonly #garbage = new Queue<number>();
  #removed = 0;
  #behind = false;
  readonly #waiting = new Set<Waiting>();

  constructor(timeline: Timeline, limits: StoreLimits, clock: Clock, garbage: readonly number[]) {
    this.#timeline = timeline;
    this.#limits = limits;
    this.#clock = clock;
    for (const id of garbage) this.#garbage.push(id);
  }

  /** Rows on disk that nobody can reach any more. */
  get garbage(): number {
    return this.#garbage.size;
  }

  /** There is something to forget, to remove or to make durable right now. */
  get pending(): boolean {
    if (this.#behind || this.#garbage.size > 0) return true;
    return [...this.#waiting].some((waiting) => waiting.revision <= this.#timeline.compacted);
  }

  /** Forgets everything through `revision`, whatever its age; resolves when its rows are removed too. */
  request(revision: number): Promise<void> {
    this.#requested = Math.max(this.#requested, revision);
    this.#behind = true;
    return new Promise((resolve, reject) => {
      this.#waiting.add({ revision, removed: undefined, resolve, reject });
    });
  }

  /** Keeps reads at `revision` possible until the returned function is called. */
  pin(revision: number): () => void {
    const token = Symbol('pin');
    this.#pins.set(token, revision);
    return () => void this.#pins.delete(token);
  }

  /** Remembers when the present revision was reached. */
  mark(): void {
    const at = this.#clock.now();
    const { revision } = this.#timeline;
    const last = this.#lastMark;
    const soon = last !== undefined && at - last.at < this.#limits.historyMs / marksPerWindow;
    if (soon || last?.revision === revision) return;
    this.#lastMark = { revision, at };
    this.#marks.push(this.#lastMark);
  }

  /** Forgets what may be forgotten, a bounded number of revisions: in proportion to `writes`, more when there are none. */
  sweep(writes: number): void {
    this.#expire();
    let steps = writes === 0 ? forgottenPerTurn : Math.max(leastForgotten, 2 * writes);
    const ceiling = Math.min(this.#timeline.revision, ...this.#pins.values());
    const garbage: number[] = [];
    while (steps > 0 && this.#timeline.compacted < ceiling && this.#mayForget()) {
      this.#timeline.dropOldest(garbage);
      steps--;
    }
    this.#behind = steps === 0;
    for (const id of garbage) this.#garbage.push(id);
    for (const waiting of this.#waiting) {
      if (waiting.revision <= this.#timeline.compacted)
        waiting.removed ??= this.#removed + this.#garbage.size;
    }
  }

  /** The next rows to remove, in proportion to the rows written; they stay queued until `removed`. */
  nextGarbage(rowsWritten: number): readonly number[] {
    const share = Math.min(mostRemoved, Math.max(leastRemoved, 2 * rowsWritten));
    return this.#garbage.peek(rowsWritten === 0 ? removedAlone : share);
  }

  /** So many rows from the front are gone for good, and what was forgotten before that is durable. */
  removed(count: number): void {
    for (let left = count; left > 0; left--) this.#garbage.shift();
    this.#removed += count;
    for (const waiting of this.#waiting) {
      if (waiting.removed === undefined || this.#removed < waiting.removed) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }

  /** Tells those who wait for a compaction that it will not finish now; what is left is tried again later. */
  fail(error: Error): void {
    for (const waiting of this.#waiting) waiting.reject(error);
    this.#waiting.clear();
  }

  #mayForget(): boolean {
    const { changes, historyBytes, compacted } = this.#timeline;
    return (
      compacted < this.#requested ||
      changes > this.#limits.historyChanges ||
      historyBytes > this.#limits.historyBytes
    );
  }

  #expire(): void {
    const horizon = this.#clock.now() - this.#limits.historyMs;
    for (let mark = this.#marks.at(0); mark !== undefined && mark.at <= horizon; mark = this.#marks.at(0)) {
      this.#requested = Math.max(this.#requested, mark.revision);
      this.#marks.shift();
    }
  }
}
