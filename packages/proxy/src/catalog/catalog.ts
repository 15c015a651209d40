/**
 * The proxy's memory of the cluster, indexed by Service.
 *
 * Changes come one by one, in any order and from several watches: a slice before its Service, a policy for a Service that
 * never comes, a slice that moves from one Service to another. A change does nothing but put the record in its place
 * and mark the Services it concerns dirty; what follows from it is computed by `plan`, later and for dirty Services only.
 */

import { isDeepStrictEqual } from 'node:util';
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

/** The records of one kind that belong to Services, found by their own key and by Service. */
class Owned<T extends { readonly service: ObjectKey }> {
  readonly records = new Map<ObjectKey, T>();
  readonly #byService = new Map<ObjectKey, Map<ObjectKey, T>>();

  /** The Services that the change concerns: none when nothing that matters changed. */
  set(key: ObjectKey, record: T | undefined, equal: (a: T, b: T) => boolean): readonly ObjectKey[] {
    const old = this.records.get(key);
    if (old === undefined && record === undefined) return [];
    if (old !== undefined) this.#unlink(key, old);
    if (record !== undefined) this.#link(key, record);
    if (old === undefined || record === undefined) return [(old ?? record)?.service ?? ''];
    if (old.service !== record.service) return [old.service, record.service];
    return equal(old, record) ? [] : [record.service];
  }

  of(service: ObjectKey): readonly T[] {
    const members = this.#byService.get(service);
    if (members === undefined) return [];
    if (members.size === 1) return [...members.values()];
    return [...members].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, record]) => record);
  }

  #link(key: ObjectKey, record: T): void {
    this.records.set(key, record);
    const members = this.#byService.get(record.service);
    if (members === undefined) this.#byService.set(record.service, new Map([[key, record]]));
    else members.set(key, record);
  }

  #unlink(key: ObjectKey, record: T): void {
    this.records.delete(key);
    const members = this.#byService.get(record.service);
    members?.delete(key);
    if (members?.size === 0) this.#byService.delete(record.service);
  }
}

export class Catalog {
  readonly #services = new Map<ObjectKey, ServiceRecord>();
  readonly #slices = new Owned<SliceRecord>();
  readonly #policies = new Owned<PolicyRecord>();
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
        this.#mark(this.#slices.set(change.key, change.record, sameSlice));
        return;
      case 'TrafficPolicy':
        this.#mark(this.#policies.set(change.key, change.record, isDeepStrictEqual));
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

  #mark(services: readonly ObjectKey[]): void {
    for (const service of services) this.#dirty.add(service);
  }
}

/** Only what traffic depends on: the controller rewrites the change time without changing an endpoint. */
function sameSlice(a: SliceRecord, b: SliceRecord): boolean {
  return isDeepStrictEqual({ ...a, changedAtMs: 0 }, { ...b, changedAtMs: 0 });
}
