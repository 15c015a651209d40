/** Transactions waiting for the next commit: checked on the way in, bounded in bytes. */

import { busyError, invalidTxnError } from './errors.ts';
import type { StoreLimits } from './limits.ts';
import { Queue } from './queue.ts';
import type { Compare, Key, Operation, TxnResult } from './store.ts';

export interface PendingTxn {
  readonly compare: readonly Compare[];
  readonly operations: readonly Operation[];
  readonly bytes: number;
  resolve(result: TxnResult): void;
  reject(error: Error): void;
}

/** What a transaction without any bytes counts for. */
const flatBytes = 256;

export class TxnQueue {
  readonly #limits: StoreLimits;
  readonly #queue = new Queue<PendingTxn>();
  #bytes = 0;

  constructor(limits: StoreLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#queue.size;
  }

  /** Bytes of transactions that were added and not yet settled. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves once settled. Throws STORE_INVALID_TXN and STORE_BUSY at once. */
  add(compare: readonly Compare[], operations: readonly Operation[]): Promise<TxnResult> {
    checkOperations(operations, this.#limits);
    const bytes = operations.reduce((sum, operation) => sum + bytesOf(operation), flatBytes);
    // A transaction larger than the limit still passes when it is alone, or it could never be written.
    if (this.#bytes > 0 && this.#bytes + bytes > this.#limits.pendingBytes)
      throw busyError(this.#bytes, this.#limits.pendingBytes);
    this.#bytes += bytes;
    const owned = operations.map(withOwnBytes);
    return new Promise((resolve, reject) => {
      this.#queue.push({ compare, operations: owned, bytes, resolve, reject });
    });
  }

  next(): PendingTxn | undefined {
    return this.#queue.shift();
  }

  /** The transaction no longer takes up room. */
  settled(txn: PendingTxn): void {
    this.#bytes -= txn.bytes;
  }
}

function checkOperations(operations: readonly Operation[], limits: StoreLimits): void {
  if (operations.length > limits.txnOperations)
    throw invalidTxnError(`${operations.length} operations, the limit is ${limits.txnOperations}`);
  const keys = new Set<Key>();
  for (const operation of operations) {
    const { key } = operation;
    if (key === '' || !key.isWellFormed()) throw invalidTxnError('a key is empty or not valid Unicode', key);
    if (keys.has(key)) throw invalidTxnError(`two operations on ${key}`, key);
    keys.add(key);
    const size = operation.type === 'put' ? operation.value.byteLength : 0;
    if (size > limits.valueBytes)
      throw invalidTxnError(`the value of ${key} has ${size} bytes, the limit is ${limits.valueBytes}`, key);
  }
}

/**
 * Bytes that belong to nobody else. A slice of a larger buffer (a socket's, the Buffer pool's) is copied: kept as it
 * is, it would keep all of that buffer alive for as long as the object exists.
 */
function withOwnBytes(operation: Operation): Operation {
  if (operation.type === 'delete') return operation;
  const { key, value } = operation;
  const alone = value.byteLength === value.buffer.byteLength && !Buffer.isBuffer(value);
  return alone ? operation : { type: 'put', key, value: new Uint8Array(value) };
}

function bytesOf(operation: Operation): number {
  return operation.key.length + (operation.type === 'put' ? operation.value.byteLength : 0);
}
