/** Small words for tests of the store. */

import { crc32 } from 'node:zlib';
import type {
  Compare,
  Key,
  Operation,
  RangeResult,
  Store,
  StoreBatch,
  StoreEvent,
} from '../../src/store/index.ts';

export function put(key: Key, value: string): Operation {
  return { type: 'put', key, value: new TextEncoder().encode(value) };
}

export function remove(key: Key): Operation {
  return { type: 'delete', key };
}

export function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

/** Tells values apart in one short word. */
export function fingerprint(bytes: Uint8Array): string {
  return `${bytes.byteLength}-${crc32(bytes).toString(16)}`;
}

/** Writes without conditions; the revision. Throws when refused. */
export async function write(store: Store, ...operations: Operation[]): Promise<number> {
  const result = await store.txn([], operations);
  if (!result.ok) throw new Error(`refused: ${result.failed.key}`);
  return result.revision;
}

/** Writes under conditions; the revision, or undefined when one did not hold. */
export async function writeIf(
  store: Store,
  compare: readonly Compare[],
  ...operations: Operation[]
): Promise<number | undefined> {
  const result = await store.txn(compare, operations);
  return result.ok ? result.revision : undefined;
}

/** `key=value` of every item. */
export function contents(range: RangeResult): string[] {
  return range.items.map((item) => `${item.key}=${text(item.value)}`);
}

export function describe(event: StoreEvent): string {
  const sign = event.type === 'put' ? '+' : '-';
  const previous = event.previous === undefined ? '' : ` was ${text(event.previous)}`;
  return `${event.revision}${sign}${event.key}=${text(event.value)}${previous}`;
}

/** Reads batches after a revision until the one with revision `until` was seen. */
export async function follow(store: Store, after: number, until: number): Promise<StoreBatch[]> {
  const stop = new AbortController();
  const seen: StoreBatch[] = [];
  for await (const batches of store.watch(after, stop.signal)) {
    seen.push(...batches);
    if ((seen.at(-1)?.revision ?? 0) >= until) stop.abort();
  }
  return seen;
}

export function describeAll(batches: readonly StoreBatch[]): string[] {
  return batches.flatMap((batch) => batch.events.map(describe));
}

/** Why a batch list is not what a watch promises; undefined when it is. */
export function gapIn(batches: readonly StoreBatch[], after: number): string | undefined {
  let expected = after;
  for (const batch of batches) {
    expected++;
    if (batch.revision !== expected) return `revision ${batch.revision} where ${expected} was due`;
    if (batch.events.length === 0) return `revision ${batch.revision} has no events`;
    if (batch.events.some((event) => event.revision !== batch.revision))
      return `mixed revisions in ${expected}`;
  }
  return undefined;
}
