/** Reads and watches over the timeline: from memory in one turn where possible, fetching cold values where not. */

import { nextTurn } from '@outrigger/core/clock';
import { closedError, compactedError, futureError } from './errors.ts';
import type { Journal } from './journal.ts';
import type { Compaction } from './compaction.ts';
import type { StoreStats } from './stats.ts';
import type { Key, RangeOptions, RangeResult, StoreBatch } from './store.ts';
import { genesis } from './timeline.ts';
import type { Revision, Timeline } from './timeline.ts';
import { storedValue } from './version.ts';
import type { Version } from './version.ts';

/** Keys looked at before other work gets a turn: about half a millisecond. */
const keysPerTurn = 2_000;
/** Batches given to a watcher at once. */
const batchesPerRead = 1_024;
/** Cold bytes fetched at once. */
const fetchBytes = 1024 * 1024;

export interface ReaderOptions {
  readonly timeline: Timeline;
  readonly compaction: Compaction;
  readonly journal: Journal;
  readonly stats: StoreStats;
}

export class Reader {
  readonly #timeline: Timeline;
  readonly #compaction: Compaction;
  readonly #journal: Journal;
  readonly #stats: StoreStats;
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(options: ReaderOptions) {
    this.#timeline = options.timeline;
    this.#compaction = options.compaction;
    this.#journal = options.journal;
    this.#stats = options.stats;
  }

  /** Something was applied: watchers go and look. */
  wake(): void {
    for (const go of this.#waiting) go();
    this.#waiting.clear();
  }

  close(): void {
    this.#closed = true;
    this.wake();
  }

  async range(prefix: Key, options: RangeOptions = {}): Promise<RangeResult> {
    const { limit = Infinity, at = this.#timeline.revision } = options;
    this.#checkOpen();
    if (at > this.#timeline.revision) throw futureError(at, this.#timeline.revision);
    if (at < this.#timeline.compacted) throw compactedError(at, this.#timeline.compacted);
    const unpin = this.#compaction.pin(at);
    try {
      const found: Version[] = [];
      const next = await this.#scan(prefix, options.from ?? prefix, at, found, limit);
      const remaining = next === undefined ? 0 : this.#timeline.count(prefix, next, at);
      const items = await this.#load(found);
      return { items, revision: at, more: remaining > 0, remaining };
    } finally {
      unpin();
    }
  }

  async *watch(after: number, signal: AbortSignal): AsyncGenerator<readonly StoreBatch[], void> {
    let seen = Math.max(after, genesis);
    this.#stats.watches++;
    try {
      while (!signal.aborted) {
        this.#checkOpen();
        const batches = await this.#batches(seen);
        if (batches.length === 0) {
          await this.#change(seen, signal);
          continue;
        }
        seen = (batches.at(-1) as StoreBatch).revision;
        yield batches;
      }
    } finally {
      this.#stats.watches--;
    }
  }

  async #scan(prefix: Key, from: Key, at: number, into: Version[], limit: number): Promise<Key | undefined> {
    let next: Key | undefined = from;
    for (;;) {
      next = this.#timeline.scan(prefix, next, at, into, limit, keysPerTurn);
      if (next === undefined || into.length >= limit) return next;
      await nextTurn();
    }
  }

  async #load(found: readonly Version[]): Promise<RangeResult['items']> {
    const bytesOf = found.some(isCold) ? await this.#thaw(found) : missing;
    return found.map((version) => storedValue(version, version.value ?? bytesOf(version)));
  }

  async #batches(after: number): Promise<readonly StoreBatch[]> {
    const timeline = this.#timeline;
    if (after < timeline.compacted) throw compactedError(after, timeline.compacted);
    const revisions = timeline.revisions(after, batchesPerRead, fetchBytes);
    const versions = revisions.flatMap(versionsOf);
    if (!versions.some(isCold)) return revisions.map((revision) => timeline.batch(revision, missing));
    const unpin = this.#compaction.pin(after);
    // Like bytes, batches that are at hand now may be put away meanwhile.
    const ready = revisions.map((revision) => revision.batch);
    try {
      const bytesOf = await this.#thaw(versions);
      return revisions.map((revision, index) => ready[index] ?? timeline.batch(revision, bytesOf));
    } finally {
      unpin();
    }
  }

  /** The bytes of all these versions: what is in memory is held on to, since it may go cold while the rest is fetched. */
  async #thaw(versions: readonly Version[]): Promise<(version: Version) => Uint8Array> {
    const bytes = new Map<Version, Uint8Array>();
    for (const version of versions) if (version.value !== undefined) bytes.set(version, version.value);
    for (const slice of slices(versions.filter(isCold))) {
      this.#stats.coldFetches++;
      const values = await this.#journal.fetch(slice.map((version) => version.id));
      for (const [index, version] of slice.entries()) bytes.set(version, values[index] as Uint8Array);
    }
    return (version) => bytes.get(version) ?? missing(version);
  }

  /** Resolves when there is something after `seen`, the store closed or the signal aborted. */
  #change(seen: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        signal.removeEventListener('abort', go);
        this.#waiting.delete(go);
        resolve();
      };
      signal.addEventListener('abort', go, { once: true });
      this.#waiting.add(go);
      // It may have come while this watcher was on its way here.
      if (this.#timeline.revision > seen || this.#closed || signal.aborted) go();
    });
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError();
  }
}

/** What building the batch of a revision takes; nothing when it is built already. */
function versionsOf(revision: Revision): Version[] {
  if (revision.batch !== undefined) return [];
  return revision.changes.flatMap((change) =>
    change.previous === undefined ? [change] : [change, change.previous],
  );
}

function isCold(version: Version): boolean {
  return version.value === undefined && !version.deleted;
}

/** Parts small enough that one fetch does not hold up the writes behind it. */
function* slices(cold: readonly Version[]): Generator<Version[]> {
  let slice: Version[] = [];
  let size = 0;
  for (const version of cold) {
    slice.push(version);
    size += version.size;
    if (size < fetchBytes && slice.length < batchesPerRead) continue;
    yield slice;
    slice = [];
    size = 0;
  }
  if (slice.length > 0) yield slice;
}

function missing(version: Version): never {
  throw new Error(`the value of ${version.key} at row ${version.id} is not at hand`);
}
