/**
 * The watch cache: every object in memory, fed by the store's watch and by nothing else, so that what is served is
 * always a true state of the log, a little old at worst. A consistent read first waits until the cache has reached the
 * revision the store had when the read began.
 */

import type { Clock } from '@outrigger/core/clock';
import { OutriggerError } from '@outrigger/core/errors';
import type { Resource } from '../registry/resource.ts';
import { registryPrefix } from '../registry/resource.ts';
import type { Store, StoreBatch, StoredValue, StoreEvent } from '../store/store.ts';
import type { HistoryLimits } from './history.ts';
import { ResourceCache } from './resource-cache.ts';

export interface CacheOptions {
  readonly store: Store;
  readonly resources: readonly Resource[];
  readonly clock: Clock;
  readonly limits: HistoryLimits;
  /** Revisions of stored history taken in at start, so that watches survive a restart without a relist. */
  readonly replayRevisions: number;
}

/** Something fed with the keys of one segment, `/registry/SEGMENT/…`. */
export interface Consumer {
  load(item: StoredValue): void;
  apply(event: StoreEvent, now: number): void;
}

interface Waiter {
  readonly revision: number;
  readonly resolve: () => void;
}

const pageSize = 2_000;

export class Cache {
  readonly #options: CacheOptions;
  readonly #resources = new Map<string, ResourceCache>();
  readonly #consumers = new Map<string, Consumer>();
  readonly #abort = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #onFailure = new Set<(error: unknown) => void>();
  #waiters: Waiter[] = [];
  #revision = 0;
  #failure: unknown;
  #feed: Promise<void> = Promise.resolve();

  private constructor(options: CacheOptions) {
    this.#options = options;
  }

  /** Loads everything and follows the store from there on. */
  static async open(options: CacheOptions, others: Readonly<Record<string, Consumer>> = {}): Promise<Cache> {
    const cache = new Cache(options);
    for (const [segment, consumer] of Object.entries(others)) cache.#consumers.set(segment, consumer);
    await cache.#load();
    cache.#feed = cache.#follow();
    await cache.caughtUp();
    return cache;
  }

  /** Everything up to this revision has been applied. */
  get revision(): number {
    return this.#revision;
  }

  get failure(): unknown {
    return this.#failure;
  }

  of(resource: Resource): ResourceCache {
    const cache = this.#resources.get(resource.name);
    if (cache === undefined) throw new TypeError(`${resource.name} is not cached`);
    return cache;
  }

  all(): Iterable<ResourceCache> {
    return this.#resources.values();
  }

  /** Resolves once the cache shows everything the store had acknowledged when this was called. */
  caughtUp(signal?: AbortSignal): Promise<void> {
    return this.reached(this.#options.store.status().revision, signal);
  }

  /** Resolves once the cache has reached a revision. Rejects with the signal's reason, or CACHE_FAILED. */
  reached(revision: number, signal?: AbortSignal): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#brokenError());
    if (this.#revision >= revision) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter = {
        revision,
        resolve: () => (this.#failure === undefined ? settle() : fail(this.#brokenError())),
      };
      const abandon = (): void => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        reject(signal?.reason as Error);
      };
      const settle = (): void => {
        signal?.removeEventListener('abort', abandon);
        resolve();
      };
      const fail = (error: Error): void => {
        signal?.removeEventListener('abort', abandon);
        reject(error);
      };
      signal?.addEventListener('abort', abandon, { once: true });
      this.#waiters.push(waiter);
    });
  }

  /** Calls after each group of batches has been applied. */
  onAdvance(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Calls when the feed broke: nothing served from then on would be true. */
  onFailure(listener: (error: unknown) => void): void {
    this.#onFailure.add(listener);
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#feed;
  }

  async #load(): Promise<void> {
    const { store, replayRevisions } = this.#options;
    const { revision, compactedRevision } = store.status();
    const at = Math.max(compactedRevision, revision - replayRevisions, 1);
    for (const resource of this.#options.resources) {
      const cache = new ResourceCache(resource, this.#options.limits, at);
      this.#resources.set(resource.name, cache);
      this.#consumers.set(resource.name, cache);
    }
    for (let from: string | undefined = registryPrefix; from !== undefined;) {
      const page = await store.range(registryPrefix, { from, limit: pageSize, at });
      for (const item of page.items) this.#consumers.get(segmentOf(item.key))?.load(item);
      from = page.more ? `${page.items.at(-1)?.key ?? ''}\0` : undefined;
    }
    this.#revision = at;
  }

  async #follow(): Promise<void> {
    try {
      for await (const batches of this.#options.store.watch(this.#revision, this.#abort.signal)) {
        this.#apply(batches);
      }
      if (!this.#abort.signal.aborted) throw new Error('the store ended its watch');
    } catch (error) {
      this.#failure = error;
      this.#wake(Number.POSITIVE_INFINITY);
      for (const listener of this.#onFailure) listener(error);
    }
  }

  #apply(batches: readonly StoreBatch[]): void {
    const now = this.#options.clock.now();
    for (const batch of batches) {
      for (const event of batch.events) this.#consumers.get(segmentOf(event.key))?.apply(event, now);
      this.#revision = batch.revision;
    }
    this.#wake(this.#revision);
    for (const listener of this.#listeners) listener();
  }

  #wake(revision: number): void {
    if (this.#waiters.length === 0) return;
    const ready = this.#waiters.filter((waiter) => waiter.revision <= revision);
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > revision);
    for (const waiter of ready) waiter.resolve();
  }

  #brokenError(): OutriggerError {
    return new OutriggerError('the watch cache lost its feed from the store', {
      code: 'CACHE_FAILED',
      hint: 'restart the control service; the log has the cause',
      cause: this.#failure,
    });
  }
}

function segmentOf(key: string): string {
  return key.slice(registryPrefix.length, key.indexOf('/', registryPrefix.length));
}
