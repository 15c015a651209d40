/** The current objects of one resource in key order, and their recent changes. Fed by `Cache` alone. */

import type { ObjectPath, Resource } from '../registry/resource.ts';
import { pathOf } from '../registry/resource.ts';
import { beforeEndOf, beforeKey, SortedKeys } from '../store/sorted-keys.ts';
import type { StoredValue, StoreEvent } from '../store/store.ts';
import type { Entry } from './entry.ts';
import { entryOf } from './entry.ts';
import type { CacheEvent, HistoryLimits } from './history.ts';
import { History } from './history.ts';

/** Which objects of a resource are meant; `namespace` is empty for all of them. */
export interface Scope {
  readonly namespace: string;
  readonly name: string | undefined;
}

export class ResourceCache {
  readonly resource: Resource;
  readonly history: History;
  readonly #entries = new Map<ObjectPath, Entry>();
  readonly #order = new SortedKeys();
  #listeners: readonly ((event: CacheEvent) => void)[] = [];
  #lastChange: number;

  /** `floor`: the revision whose state `load` brings; changes after it come through `apply`. */
  constructor(resource: Resource, limits: HistoryLimits, floor: number) {
    this.resource = resource;
    this.history = new History(limits, floor);
    this.#lastChange = floor;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** No object of this resource changed after this revision. */
  get lastChange(): number {
    return this.#lastChange;
  }

  get(path: ObjectPath): Entry | undefined {
    return this.#entries.get(path);
  }

  /** Objects in key order, from a path on (inclusive). The cache must not change while it is walked. */
  *walk(scope: Scope, from: ObjectPath = ''): Generator<Entry> {
    if (scope.name !== undefined && (scope.namespace !== '' || !this.resource.kind.namespaced)) {
      const entry = this.#entries.get(pathOf(scope.namespace, scope.name));
      if (entry !== undefined && entry.path >= from) yield entry;
      return;
    }
    const prefix = scope.namespace === '' ? '' : `${scope.namespace}/`;
    for (const path of this.#order.from(beforeKey(from > prefix ? from : prefix))) {
      if (!path.startsWith(prefix)) return;
      yield this.#entries.get(path) as Entry;
    }
  }

  /** Objects from a path on that a walk of this scope would meet. */
  count(scope: Scope, from: ObjectPath): number {
    if (scope.name !== undefined) return [...this.walk(scope, from)].length;
    const end =
      scope.namespace === '' ? this.#order.size : this.#order.rank(beforeEndOf(`${scope.namespace}/`));
    return Math.max(0, end - this.#order.rank(beforeKey(from)));
  }

  /** Calls with every change, in order, while it is applied: listeners must be quick and must not throw. */
  listen(listener: (event: CacheEvent) => void): () => void {
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
    };
  }

  load(item: StoredValue): void {
    const path = item.key.slice(this.resource.prefix.length);
    this.#put(
      entryOf(this.resource, path, {
        value: item.value,
        revision: item.modRevision,
        createRevision: item.createRevision,
      }),
    );
  }

  apply(event: StoreEvent, now: number): void {
    const path = event.key.slice(this.resource.prefix.length);
    const previous = this.#entries.get(path);
    const change =
      event.type === 'put' ? this.#changed(path, event, previous) : this.#deleted(event, previous);
    this.#lastChange = event.revision;
    this.history.add(change, now);
    for (const listener of this.#listeners) listener(change);
  }

  #changed(path: ObjectPath, event: StoreEvent, previous: Entry | undefined): CacheEvent {
    const entry = entryOf(this.resource, path, event);
    this.#put(entry);
    return { type: 'put', revision: event.revision, entry, previous };
  }

  #deleted(event: StoreEvent, previous: Entry | undefined): CacheEvent {
    if (previous === undefined)
      throw new Error(`${event.key} is deleted at ${event.revision} but was never seen`);
    this.#entries.delete(previous.path);
    this.#order.delete(previous.path);
    return {
      type: 'delete',
      revision: event.revision,
      entry: { ...previous, revision: event.revision },
      previous,
    };
  }

  #put(entry: Entry): void {
    if (!this.#entries.has(entry.path)) this.#order.add(entry.path);
    this.#entries.set(entry.path, entry);
  }
}
