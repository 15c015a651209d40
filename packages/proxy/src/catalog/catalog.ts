/**
 * The proxy's memory of the cluster, indexed by Service.
 *
 * Changes come one by one, in any order and from several watches: a slice before its Service, a policy for a Service that
 * never comes, a slice that moves from one Service to another. A change does nothing but put the record in its place
 * and mark the Services it concerns dirty; what follows from it is computed by `plan`, later and for dirty Services only.
 */

import { isDeepStrictEqual } from 'node:util';
import { Owned } from './owned.ts';
import type { NodeRecord, ObjectKey, PolicyRecord, ServiceRecord, SliceRecord } from './records.ts';

/** A record that appeared or changed, or (undefined) an object that is gone or of no interest. */
export type CatalogChange =
  | { readonly kind: 'Service'; readonly key: ObjectKey; readonly record: ServiceRecord | undefined }
  | { readonly kind: 'EndpointSlice'; readonly key: ObjectKey; readonly record: SliceRecord | undefined }
  | { readonly kind: 'TrafficPolicy'; readonly key: ObjectKey; readonly record: PolicyRecord | undefined }
  | { readonly kind: 'Node'; readonly key: ObjectKey; readonly record: NodeRecord | undefined };

/** All that the plan of one Service depends on. Slices and policies are sorted by key. */
export interface ServiceView {
  readonly key: ObjectKey;
  readonly service: ServiceRecord;
  readonly slices: readonly SliceRecord[];
  readonly policies: readonly PolicyRecord[];
}

export class Catalog {
  readonly #services = new Map<ObjectKey, ServiceRecord>();
  readonly #slices = new Owned<SliceRecord>((slice) => [slice.service], sameSlice);
  readonly #policies = new Owned<PolicyRecord>(
    (policy) => policy.targets.map((target) => target.service),
    isDeepStrictEqual,
  );
  #node: NodeRecord | undefined;
  #dirty = new Set<ObjectKey>();

  apply(changes: Iterable<CatalogChange>): void {
    for (const change of changes) this.#applyOne(change);
  }

  /** Services whose plan may differ since the last call; also those that are gone. */
  takeDirty(): ReadonlySet<ObjectKey> {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    return dirty;
  }

  get dirty(): boolean {
    return this.#dirty.size > 0;
  }

  view(key: ObjectKey): ServiceView | undefined {
    const service = this.#services.get(key);
    if (service === undefined) return undefined;
    return { key, service, slices: this.#slices.of(key), policies: this.#policies.of(key) };
  }

  /** Keys of all known Services. */
  keys(): Iterable<ObjectKey> {
    return this.#services.keys();
  }

  get size(): number {
    return this.#services.size;
  }

  /** The proxy's own Node, once seen. */
  get node(): NodeRecord | undefined {
    return this.#node;
  }

  #applyOne(change: CatalogChange): void {
    switch (change.kind) {
      case 'Service':
        this.#applyService(change.key, change.record);
        return;
      case 'EndpointSlice':
        this.#mark(this.#slices.set(change.key, change.record));
        return;
      case 'TrafficPolicy':
        this.#mark(this.#policies.set(change.key, change.record));
        return;
      case 'Node':
        this.#node = change.record;
    }
  }

  #applyService(key: ObjectKey, record: ServiceRecord | undefined): void {
    const old = this.#services.get(key);
    if (record === undefined) this.#services.delete(key);
    else this.#services.set(key, record);
    if (!isDeepStrictEqual(old, record)) this.#dirty.add(key);
  }

  #mark(services: Iterable<ObjectKey>): void {
    for (const service of services) this.#dirty.add(service);
  }
}

/** Only what traffic depends on: the controller rewrites the change time without changing an endpoint. */
function sameSlice(a: SliceRecord, b: SliceRecord): boolean {
  return isDeepStrictEqual({ ...a, changedAtMs: 0 }, { ...b, changedAtMs: 0 });
}
