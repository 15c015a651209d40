/**
 * The current state and its recent history, in memory: what every read and every watch is answered from.
 *
 * The newest version of every key is held with its bytes, and those same bytes are handed to all readers, so that a
 * cache fed by `watch` shares them instead of holding a copy. Each version points to the one it replaced; the log of
 * revisions points to the versions each one wrote. From these two follow reads at an older revision, watching from one,
 * and what compaction may forget. Bytes of superseded values are bounded: beyond `hotBytes` they go *cold*, which
 * leaves the version and its id in place and the value to be fetched from disk by whoever still needs it.
 *
 * Everything here is immediate and free of IO: versions enter only after they are durable.
 */

import { RevisionWindow } from './revision-window.ts';
import { beforeEndOf, beforeKey, compareKeys, SortedKeys } from './sorted-keys.ts';
import type { Key, StoreBatch, StoreEvent } from './store.ts';
import { costOf, revisionOf, visibleAt } from './version.ts';
import type { Version } from './version.ts';

/** An empty store is at revision 1, so that 0 is never a true revision: on the wire it means "any". */
export const genesis = 1;

/** What one revision wrote, in the order of its operations. */
export interface Revision {
  readonly revision: number;
  readonly changes: Version[];
  /** Superseded bytes it keeps in memory, and a flat amount for the objects around them. */
  hotCost: number;
  batch: StoreBatch | undefined;
}

export interface TimelineOptions {
  /** Bytes of superseded values kept in memory. `Infinity` when there is no disk to fetch them from. */
  readonly hotBytes: number;
  /** The revision through which history was already forgotten. Default 0: nothing was. */
  readonly compacted?: number;
}

const flatCost = 256;

export class Timeline {
  readonly #hotLimit: number;
  readonly #heads = new Map<Key, Version>();
  readonly #live = new SortedKeys();
  /** Keys whose newest version is a deletion that history still holds. */
  readonly #dead = new SortedKeys();
  readonly #revisions: RevisionWindow<Revision>;
  #compacted: number;
  /** Revisions up to here have no superseded bytes in memory. */
  #chilled: number;
  #hotBytes = 0;
  #changes = 0;
  #historyBytes = 0;
  #liveBytes = 0;

  constructor(options: TimelineOptions) {
    this.#hotLimit = options.hotBytes;
    this.#compacted = options.compacted ?? 0;
    this.#chilled = Math.max(this.#compacted, genesis);
    this.#revisions = new RevisionWindow(this.#chilled + 1);
  }

  get revision(): number {
    return this.#revisions.next - 1;
  }

  get compacted(): number {
    return this.#compacted;
  }

  /** Live keys. */
  get keys(): number {
    return this.#live.size;
  }

  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** Changes that history holds. */
  get changes(): number {
    return this.#changes;
  }

  get historyBytes(): number {
    return this.#historyBytes;
  }

  get hotBytes(): number {
    return this.#hotBytes;
  }

  /** The key's newest version, unless that is a deletion. */
  head(key: Key): Version | undefined {
    const head = this.#heads.get(key);
    return head === undefined || head.deleted ? undefined : head;
  }

  /** Takes in the changes of the next revision. */
  apply(changes: Version[]): void {
    const revision = revisionOf(changes[0] as Version);
    if (revision !== this.#revisions.next)
      throw new Error(`revision ${revision} cannot follow ${this.revision}: the log has no holes`);
    this.#open(revision, changes);
    for (const change of changes) this.#record(change);
    this.#chill();
  }

  /**
   * Takes in one stored row, rows coming in order of their ids. Adds to `garbage` the ids of rows that compaction had
   * already forgotten when the process ended. Throws when a revision is missing.
   */
  restore(version: Version, garbage: number[]): void {
    const revision = revisionOf(version);
    if (revision <= this.#compacted) {
      this.#restoreBase(version, garbage);
      return;
    }
    if (revision === this.#revisions.next) {
      this.#chill();
      this.#open(revision, []);
    }
    const current = this.#revisions.get(this.revision);
    if (current?.revision !== revision) throw new Error(`revision ${revision} follows ${this.revision}`);
    current.changes.push(version);
    this.#record(version);
  }

  /**
   * Reads visible keys in order from `from` on into `into` until it holds `most`, looking at no more than `steps` keys.
   * Returns the key to go on from, or undefined at the end of the prefix.
   */
  scan(prefix: Key, from: Key, at: number, into: Version[], most: number, steps: number): Key | undefined {
    for (const key of this.#walk(compareKeys(from, prefix) < 0 ? prefix : from, at)) {
      if (!key.startsWith(prefix)) return undefined;
      if (into.length >= most || steps-- === 0) return key;
      const version = visibleAt(this.#heads.get(key), at);
      if (version !== undefined) into.push(version);
    }
    return undefined;
  }

  /** How many keys from `from` on were visible at `at`: those live now, corrected by the changes since. */
  count(prefix: Key, from: Key, at: number): number {
    const end = this.#live.rank(beforeEndOf(prefix));
    let count = Math.max(0, end - this.#live.rank(beforeKey(from)));
    const seen = new Set<Key>();
    for (let revision = Math.max(at + 1, this.#revisions.first); revision <= this.revision; revision++) {
      for (const change of (this.#revisions.get(revision) as Revision).changes) {
        const { key } = change;
        if (seen.has(key) || !key.startsWith(prefix) || compareKeys(key, from) < 0) continue;
        seen.add(key);
        count += (visibleAt(change, at) === undefined ? 0 : 1) - (this.head(key) === undefined ? 0 : 1);
      }
    }
    return count;
  }

  /** Revisions after `after`, oldest first, until `most` of them or `mostBytes` of cold values to fetch. */
  revisions(after: number, most: number, mostBytes: number): Revision[] {
    const found: Revision[] = [];
    let coldBytes = 0;
    for (let next = Math.max(after + 1, this.#revisions.first); next <= this.revision; next++) {
      const revision = this.#revisions.get(next) as Revision;
      if (next <= this.#chilled) coldBytes += sizeOf(revision);
      found.push(revision);
      if (found.length >= most || coldBytes >= mostBytes) break;
    }
    return found;
  }

  /** The events of a revision. `bytesOf` gives the bytes of a version that went cold. */
  batch(revision: Revision, bytesOf: (version: Version) => Uint8Array): StoreBatch {
    if (revision.batch !== undefined) return revision.batch;
    const events = revision.changes.map((change) => eventOf(change, bytesOf));
    const batch = { revision: revision.revision, events };
    if (revision.revision > this.#chilled) revision.batch = batch;
    return batch;
  }

  /** Forgets the oldest revision of history, adding the ids of rows nobody can reach any more to `garbage`. */
  dropOldest(garbage: number[]): void {
    const oldest = this.#revisions.shift();
    if (oldest === undefined) return;
    this.#compacted = oldest.revision;
    if (oldest.revision > this.#chilled) {
      this.#chilled = oldest.revision;
      this.#hotBytes -= oldest.hotCost;
    }
    for (const change of oldest.changes) this.#forget(change, garbage);
  }

  #open(revision: number, changes: Version[]): void {
    this.#revisions.push({ revision, changes, hotCost: flatCost, batch: undefined });
    this.#hotBytes += flatCost;
  }

  #record(change: Version): void {
    const { key } = change;
    const previous = this.#heads.get(key);
    change.previous = previous;
    this.#heads.set(key, change);
    this.#changes++;
    this.#reorder(key, previous, change);
    if (change.deleted) this.#historyBytes += costOf(change);
    else this.#liveBytes += costOf(change);
    if (previous === undefined || previous.deleted) return;
    this.#liveBytes -= costOf(previous);
    this.#historyBytes += costOf(previous);
    this.#hotBytes += previous.size;
    (this.#revisions.get(revisionOf(change)) as Revision).hotCost += previous.size;
  }

  #reorder(key: Key, previous: Version | undefined, next: Version): void {
    const wasLive = previous !== undefined && !previous.deleted;
    if (wasLive === !next.deleted) return;
    if (wasLive) this.#live.delete(key);
    else if (previous !== undefined) this.#dead.delete(key);
    (next.deleted ? this.#dead : this.#live).add(key);
  }

  /** A row older than all history: only the newest of each key counts, and deletions not at all. */
  #restoreBase(version: Version, garbage: number[]): void {
    const previous = this.#heads.get(version.key);
    if (previous !== undefined) {
      garbage.push(previous.id);
      this.#liveBytes -= costOf(previous);
    }
    if (!version.deleted) {
      this.#heads.set(version.key, version);
      this.#liveBytes += costOf(version);
      if (previous === undefined) this.#live.add(version.key);
      return;
    }
    garbage.push(version.id);
    if (previous === undefined) return;
    this.#heads.delete(version.key);
    this.#live.delete(version.key);
  }

  #forget(change: Version, garbage: number[]): void {
    this.#changes--;
    const { previous } = change;
    if (previous !== undefined) {
      change.previous = undefined;
      this.#historyBytes -= costOf(previous);
      garbage.push(previous.id);
    }
    if (!change.deleted || this.#heads.get(change.key) !== change) return;
    this.#heads.delete(change.key);
    this.#dead.delete(change.key);
    this.#historyBytes -= costOf(change);
    garbage.push(change.id);
  }

  #chill(): void {
    while (this.#hotBytes > this.#hotLimit && this.#chilled < this.revision) {
      const revision = this.#revisions.get(++this.#chilled) as Revision;
      this.#hotBytes -= revision.hotCost;
      revision.batch = undefined;
      for (const { previous } of revision.changes) if (previous !== undefined) previous.value = undefined;
    }
  }

  /** Keys in order; those deleted since `at` are among them only when something happened since. */
  #walk(from: Key, at: number): Iterable<Key> {
    const live = this.#live.from(beforeKey(from));
    return at >= this.revision ? live : merge(live, this.#dead.from(beforeKey(from)));
  }
}

function sizeOf(revision: Revision): number {
  let size = 0;
  for (const change of revision.changes) size += change.size + (change.previous?.size ?? 0);
  return size;
}

function eventOf(change: Version, bytesOf: (version: Version) => Uint8Array): StoreEvent {
  const { key, createRevision, deleted } = change;
  const replaced = change.previous === undefined || change.previous.deleted ? undefined : change.previous;
  const previous = replaced === undefined ? undefined : (replaced.value ?? bytesOf(replaced));
  const value = deleted ? previous : (change.value ?? bytesOf(change));
  if (value === undefined) throw new Error(`the deletion of ${key} deletes nothing`);
  return {
    type: deleted ? 'delete' : 'put',
    key,
    value,
    previous,
    createRevision,
    revision: revisionOf(change),
  };
}

function* merge(left: Iterator<Key>, right: Iterator<Key>): Generator<Key, undefined> {
  let a = left.next();
  let b = right.next();
  while (a.done !== true || b.done !== true) {
    if (b.done === true || (a.done !== true && compareKeys(a.value, b.value) < 0)) {
      yield a.value as Key;
      a = left.next();
    } else {
      yield b.value;
      b = right.next();
    }
  }
  return undefined;
}
