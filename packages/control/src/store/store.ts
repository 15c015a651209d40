/**
 * The store joint: one sequenced revision log over opaque values.
 *
 * Everything kept in memory elsewhere (watch cache, allocators, controllers) is fed by `watch` alone, never by the
 * writer, so that what was acknowledged, what is served and what is replayed after a restart are the same sequence.
 */

/** Storage key in the shape `/registry/RESOURCE[/NAMESPACE]/NAME`; ordered bytewise. */
export type Key = string;

export interface StoredValue {
  readonly key: Key;
  readonly value: Uint8Array;
  readonly createRevision: number;
  /** Revision of the last write to this key. */
  readonly modRevision: number;
}

export type Operation =
  | { readonly type: 'put'; readonly key: Key; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: Key };

/** Holds when the key's current modRevision equals the given one; 0 means the key must not exist. */
export interface Compare {
  readonly key: Key;
  readonly modRevision: number;
}

export type TxnResult =
  | { readonly ok: true; readonly revision: number }
  /** Nothing was written; `failed` is the first comparison that did not hold, with the value found (if any). */
  | { readonly ok: false; readonly failed: Compare; readonly found: StoredValue | undefined };

export interface RangeOptions {
  /** The first key to give (inclusive); keys before it are left out. Default: the first of the prefix. */
  readonly from?: Key;
  /** How many items at most. Default: all. */
  readonly limit?: number;
  /** Reads the state as it was at this revision. Default: the newest. */
  readonly at?: number;
}

export interface RangeResult {
  readonly items: readonly StoredValue[];
  /** The revision the answer is true for. */
  readonly revision: number;
  readonly more: boolean;
  /** Keys left after the last item; only counted when `more`. */
  readonly remaining: number;
}

export interface StoreEvent {
  readonly type: 'put' | 'delete';
  readonly key: Key;
  /** The new value; for a delete, the last value. */
  readonly value: Uint8Array;
  readonly previous: Uint8Array | undefined;
  readonly createRevision: number;
  /** The revision of this change. Events of one txn share it. */
  readonly revision: number;
}

/** All events of one revision, in the order of its operations. */
export interface StoreBatch {
  readonly revision: number;
  readonly events: readonly StoreEvent[];
}

export interface StoreStatus {
  readonly revision: number;
  readonly compactedRevision: number;
  readonly sizeBytes: number;
  readonly keys: number;
  /** Undefined while writes are accepted; otherwise why they are refused (disk full, closed). */
  readonly readOnlyReason: string | undefined;
}

export interface Store {
  /** Identity of this history; a restore or reset changes it. */
  readonly epoch: string;
  /**
   * Keys starting with `prefix`, in order, from `from` (inclusive) on; all of one revision. Every acknowledged write is
   * in it. Throws STORE_COMPACTED and STORE_FUTURE_REVISION for an `at` that is not kept any more or not there yet.
   */
  range(prefix: Key, options?: RangeOptions): Promise<RangeResult>;
  /**
   * All operations under one new revision, or none. Resolves only after the change is durable. An empty store is at
   * revision 1; a transaction that changes nothing (no operations, or deletions of missing keys) consumes no revision
   * and gives the present one. Each key may occur once. Values belong to the store: they are not to be changed later.
   * Throws STORE_READ_ONLY, STORE_BUSY, STORE_INVALID_TXN, STORE_CLOSED; then nothing was written.
   */
  txn(compare: readonly Compare[], operations: readonly Operation[]): Promise<TxnResult>;
  /**
   * Every batch with revision > `after`, in order, without gaps, forever until `signal` aborts (then it returns). An
   * `after` that is still to come is waited for. Yields arrays: all batches at hand, so that a consumer pays per
   * wake-up and not per event; one that is slow is not waited for, and reads on from history.
   * Throws STORE_COMPACTED when `after` is older than the history kept, STORE_CLOSED when the store closes.
   */
  watch(after: number, signal: AbortSignal): AsyncIterable<readonly StoreBatch[]>;
  /**
   * Forgets superseded values and deletions at or below `before` (at most the present revision); current values stay,
   * and `before` itself stays readable. Resolves when that is on the disk. Throws STORE_READ_ONLY, STORE_CLOSED.
   */
  compact(before: number): Promise<void>;
  status(): StoreStatus;
  close(): Promise<void>;
}
