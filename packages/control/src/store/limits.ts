/** Every bound of the store: unit in the name, the default, and what happens when it is raised or lowered. */

import { rowsPerRevision } from './version.ts';

export interface StoreLimits {
  /**
   * How long a change stays readable by `at` and `watch(after)`. Default 5 minutes, at least 75 seconds.
   * Raised: clients away for longer resume without a relist, and the database grows with the write rate.
   */
  readonly historyMs: number;
  /**
   * How many changes of history at most, whatever their age. Default 100,000.
   * In memory each costs about 200 bytes; lowered below what clients miss while reconnecting, they relist.
   */
  readonly historyChanges: number;
  /** Bytes of superseded values kept as history, on disk or (memory store) in memory. Default 256 MiB, memory 64 MiB. */
  readonly historyBytes: number;
  /**
   * Bytes of superseded values also kept in memory. Default 8 MiB. Older ones are read back from disk when a watcher
   * or an `at` read asks for them; raised, watchers may lag further without touching the disk.
   */
  readonly hotHistoryBytes: number;
  /** Bytes of writes waiting for the disk before further ones are refused with STORE_BUSY. Default 32 MiB. */
  readonly pendingBytes: number;
  /**
   * Bytes of writes that share one commit. Default 4 MiB. Raised: fewer fsyncs under a flood of large values, and a
   * longer wait for each.
   */
  readonly groupBytes: number;
  /** Transactions that share one commit. Default 1024. */
  readonly groupTxns: number;
  /**
   * Bytes of SQLite's write-ahead log at which it is moved into the database. Default 4 MiB. Raised: fewer, longer
   * pauses between commits, a slower start after a crash. Should that keep failing, writes are refused at 16 times this.
   */
  readonly walBytes: number;
  /** Operations in one transaction. Default 512, at most 1024: a row id has no room for more. */
  readonly txnOperations: number;
  /** Bytes of one value. Default 4 MiB. */
  readonly valueBytes: number;
}

const MiB = 1024 * 1024;

export const defaultLimits: StoreLimits = {
  historyMs: 300_000,
  historyChanges: 100_000,
  historyBytes: 256 * MiB,
  hotHistoryBytes: 8 * MiB,
  pendingBytes: 32 * MiB,
  groupBytes: 4 * MiB,
  groupTxns: 1_024,
  walBytes: 4 * MiB,
  txnOperations: 512,
  valueBytes: 4 * MiB,
};

/** The given limits where there are any, else the defaults. */
export function withDefaults(defaults: StoreLimits, given: Partial<StoreLimits> = {}): StoreLimits {
  const limits = { ...defaults, ...given };
  return { ...limits, txnOperations: Math.min(limits.txnOperations, rowsPerRevision) };
}
