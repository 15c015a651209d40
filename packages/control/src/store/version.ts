/** One write to one key: the unit that is kept in memory, stored as a row, and forgotten by compaction. */

import type { Key, StoredValue } from './store.ts';

/** Rows of one transaction share a revision; the low part of the id is their order. */
export const rowsPerRevision = 1024;

export interface Version {
  readonly key: Key;
  /** Row id: `revision * 1024 + ordinal`, so that ids sort as the changes happened. */
  readonly id: number;
  readonly createRevision: number;
  readonly deleted: boolean;
  /** Bytes of the value; 0 for a deletion. */
  readonly size: number;
  /** Undefined for a deletion, and for a superseded value whose bytes are on disk only ("cold"). */
  value: Uint8Array | undefined;
  /** The write this one replaced, while history still holds it. */
  previous: Version | undefined;
}

export function versionId(revision: number, ordinal: number): number {
  return revision * rowsPerRevision + ordinal;
}

export function revisionOf(version: Version): number {
  return Math.floor(version.id / rowsPerRevision);
}

/** Bytes a version counts for in limits and sizes. */
export function costOf(version: Version): number {
  return version.key.length + version.size;
}

/** What a reader at `at` sees of a key, given its newest version. */
export function visibleAt(head: Version | undefined, at: number): Version | undefined {
  let version = head;
  while (version !== undefined && revisionOf(version) > at) version = version.previous;
  return version === undefined || version.deleted ? undefined : version;
}

export function storedValue(version: Version, value: Uint8Array): StoredValue {
  return {
    key: version.key,
    value,
    createRevision: version.createRevision,
    modRevision: revisionOf(version),
  };
}
