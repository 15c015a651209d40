/** The store joint and its two kinds; nothing outside this folder knows how they keep what they keep. */

export type {
  Compare,
  Key,
  Operation,
  RangeOptions,
  RangeResult,
  Store,
  StoreBatch,
  StoredValue,
  StoreEvent,
  StoreStatus,
  TxnResult,
} from './store.ts';
export type { StoreLimits } from './limits.ts';
export { defaultLimits } from './limits.ts';
export type { StoreOptions } from './options.ts';
export type { StoreObserver, StoreStats } from './stats.ts';
export type { SequencedStore } from './sequenced-store.ts';
export { memoryLimits, openMemoryStore } from './memory.ts';
export { openSqliteStore } from './sqlite.ts';
export type { SqliteStoreOptions } from './sqlite.ts';
