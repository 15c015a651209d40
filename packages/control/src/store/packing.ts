/** Rows and values side by side in a few buffers, for one message per group; see messages.ts for why. */

import type { Fetched, PackedRows } from './messages.ts';
import type { Version } from './version.ts';

export interface Row {
  readonly id: number;
  readonly key: string;
  readonly createRevision: number;
  /** Undefined for a deletion. */
  readonly value: Uint8Array | undefined;
}

export function packRows(rows: readonly Row[]): PackedRows {
  const { sizes, values } = packValues(rows.map((row) => row.value));
  return {
    ids: Float64Array.from(rows, (row) => row.id),
    keys: rows.map((row) => row.key),
    createRevisions: Float64Array.from(rows, (row) => row.createRevision),
    sizes,
    values,
  };
}

/** The rows of a message; their values are views of its buffer. */
export function* unpackRows(packed: PackedRows): Generator<Row> {
  let offset = 0;
  for (const [index, key] of packed.keys.entries()) {
    const size = packed.sizes[index] as number;
    const value = size < 0 ? undefined : new Uint8Array(packed.values, offset, size);
    offset += Math.max(0, size);
    const id = packed.ids[index] as number;
    yield { id, key, createRevision: packed.createRevisions[index] as number, value };
  }
}

/** A row as a version with bytes of its own, so that a page of rows is not kept for the sake of one of them. */
export function versionOf(row: Row): Version {
  const { id, key, createRevision } = row;
  const value = row.value?.slice();
  const deleted = value === undefined;
  return { id, key, createRevision, deleted, size: value?.byteLength ?? 0, value, previous: undefined };
}

export function packValues(all: readonly (Uint8Array | undefined)[]): Fetched {
  const sizes = Float64Array.from(all, (value) => value?.byteLength ?? -1);
  const total = sizes.reduce((sum, size) => sum + Math.max(0, size), 0);
  const packed = new Uint8Array(total);
  let offset = 0;
  for (const value of all) {
    if (value === undefined) continue;
    packed.set(value, offset);
    offset += value.byteLength;
  }
  return { sizes, values: packed.buffer };
}

export function unpackValues(packed: Fetched): Uint8Array[] {
  let offset = 0;
  return Array.from(packed.sizes, (size) => {
    const value = new Uint8Array(packed.values, offset, size);
    offset += size;
    return value;
  });
}
