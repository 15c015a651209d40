/** Where versions become durable: behind the store, in front of a disk or of nothing. */

import type { Version } from './version.ts';

export interface JournalGroup {
  /** Rows to add, in order of their ids. */
  readonly rows: readonly Version[];
  /** Ids of rows nobody can reach any more. */
  readonly garbage: readonly number[];
  /** The revision through which history is forgotten; stored before any of the garbage is gone. */
  readonly compacted: number;
}

export interface Journal {
  /** What it is, for messages: a path, or `memory`. */
  readonly target: string;
  /** Bytes it occupies; undefined when it occupies none. */
  readonly sizeBytes: number | undefined;
  /** How much of that is a log not yet moved to its place. */
  readonly walBytes: number;
  /**
   * Resolves after the rows are durable, all of them or none; rejects when none are. Never called again before it has
   * settled. Resolves with how much of the garbage was removed, from the front; the rest is given again later.
   */
  append(group: JournalGroup): Promise<number>;
  /** Bytes of versions that went cold, in the order asked. */
  fetch(ids: readonly number[]): Promise<readonly Uint8Array[]>;
  /** A good moment for housekeeping: nothing is waiting to be written. */
  idle(): void;
  close(): Promise<void>;
}

/** Durable as long as the process: for `--memory` and tests. */
export function memoryJournal(): Journal {
  return {
    target: 'memory',
    sizeBytes: undefined,
    walBytes: 0,
    append: (group) => Promise.resolve(group.garbage.length),
    fetch: () => Promise.reject(new Error('nothing goes cold in memory')),
    idle: () => undefined,
    close: () => Promise.resolve(),
  };
}
