/** What controllers know of Services and what belongs to them: the informers' objects, indexed for the questions asked. */

import type { Endpoints, EndpointSlice, Node, Pod, Service } from '@outrigger/core/api';
import { endpointsKind, endpointSliceKind, nodeKind, podKind, serviceKind } from '@outrigger/core/api';
import type { Informers } from './informers.ts';
import type { ObjectKey } from './keys.ts';
import { keyOf, objectKey } from './keys.ts';
import { LabelIndex, SelectorIndex } from './label-index.ts';
import { managedByLabel, mirrorManager, serviceNameLabel, sliceManager, zoneLabel } from './names.ts';
import type { ControllerOptions } from './options.ts';
import type { PodRecord } from './pod-record.ts';
import { podRecord, samePod } from './pod-record.ts';

/** Told after the indexes have changed. Each controller takes the calls it can use. */
export interface WorldListener {
  serviceChanged?(service: ObjectKey): void;
  serviceDeleted?(service: ObjectKey): void;
  /** A pod that the Service selects, or selected, is different now. */
  podsChanged?(service: ObjectKey): void;
  /** A slice that one of our controllers manages. */
  sliceChanged?(service: ObjectKey, slice: EndpointSlice, gone: boolean): void;
  endpointsChanged?(endpoints: ObjectKey, now: Endpoints | undefined): void;
}

export class World {
  readonly #services = new Map<ObjectKey, Service>();
  readonly #selectors = new SelectorIndex();
  readonly #pods = new Map<ObjectKey, PodRecord>();
  readonly #podLabels = new LabelIndex();
  readonly #endpoints = new Map<ObjectKey, Endpoints>();
  readonly #slices = new Map<ObjectKey, EndpointSlice>();
  /** Service → names of its slices. */
  readonly #slicesOf = new Map<ObjectKey, Set<ObjectKey>>();
  readonly #zones = new Map<string, string>();
  readonly #listeners: WorldListener[] = [];
  readonly #allowLoopback: boolean;

  constructor(informers: Informers, options: Pick<ControllerOptions, 'allowLoopbackEndpoints'>) {
    this.#allowLoopback = options.allowLoopbackEndpoints;
    informers.watch(nodeKind, {
      put: (node) => this.#putNode(node),
      deleted: (node) => this.#setZone(node, undefined),
    });
    informers.watch(serviceKind, {
      put: (service, old) => this.#putService(service, old),
      deleted: (service) => this.#deleteService(service),
    });
    informers.watch(podKind, { put: (pod) => this.#putPod(pod), deleted: (pod) => this.#deletePod(pod) });
    informers.watch(endpointSliceKind, {
      put: (slice) => this.#putSlice(slice),
      deleted: (slice) => this.#deleteSlice(slice),
    });
    informers.watch(endpointsKind, {
      put: (endpoints) => this.#setEndpoints(endpoints, endpoints),
      deleted: (endpoints) => this.#setEndpoints(endpoints, undefined),
    });
  }

  listen(listener: WorldListener): void {
    this.#listeners.push(listener);
  }

  service(key: ObjectKey): Service | undefined {
    return this.#services.get(key);
  }

  /** In the order of their names, so that equal worlds give equal results. */
  podsOf(service: Service): PodRecord[] {
    const { namespace = '' } = service.metadata;
    const keys = this.#podLabels.matching(namespace, service.spec.selector ?? {}).sort();
    return keys.flatMap((key) => this.#pods.get(key) ?? []);
  }

  servicesOf(pod: ObjectKey): ObjectKey[] {
    const record = this.#pods.get(pod);
    return record === undefined ? [] : this.#selectors.selecting(record.namespace, record.labels);
  }

  endpoints(key: ObjectKey): Endpoints | undefined {
    return this.#endpoints.get(key);
  }

  allEndpoints(): Iterable<Endpoints> {
    return this.#endpoints.values();
  }

  /** The slices of a Service that one of our controllers manages. */
  slicesOf(service: ObjectKey, manager: typeof sliceManager | typeof mirrorManager): EndpointSlice[] {
    const keys = [...(this.#slicesOf.get(service) ?? [])].sort();
    const slices = keys.flatMap((key) => this.#slices.get(key) ?? []);
    return slices.filter(({ metadata }) => metadata.labels?.[managedByLabel] === manager);
  }

  slice(key: ObjectKey): EndpointSlice | undefined {
    return this.#slices.get(key);
  }

  zoneOf(nodeName: string): string | undefined {
    return this.#zones.get(nodeName);
  }

  #putService(service: Service, old: Service | undefined): void {
    const key = keyOf(service);
    const before = this.#services.get(key) ?? old;
    const { namespace = '' } = service.metadata;
    if (before !== undefined) this.#selectors.remove(namespace, before.spec.selector ?? {}, key);
    this.#selectors.add(namespace, service.spec.selector ?? {}, key);
    this.#services.set(key, service);
    for (const listener of this.#listeners) listener.serviceChanged?.(key);
  }

  #deleteService(service: Service): void {
    const key = keyOf(service);
    const before = this.#services.get(key) ?? service;
    this.#selectors.remove(before.metadata.namespace ?? '', before.spec.selector ?? {}, key);
    this.#services.delete(key);
    for (const listener of this.#listeners) listener.serviceDeleted?.(key);
  }

  #putPod(pod: Pod): void {
    const record = podRecord(pod, this.#allowLoopback);
    const before = this.#pods.get(record.key);
    if (before !== undefined && samePod(before, record)) return;
    if (before !== undefined) this.#podLabels.remove(before.namespace, before.labels, before.key);
    this.#podLabels.add(record.namespace, record.labels, record.key);
    this.#pods.set(record.key, record);
    this.#tellPods(record, before);
  }

  #deletePod(pod: Pod): void {
    const before = this.#pods.get(keyOf(pod));
    if (before === undefined) return;
    this.#podLabels.remove(before.namespace, before.labels, before.key);
    this.#pods.delete(before.key);
    this.#tellPods(before, undefined);
  }

  #tellPods(now: PodRecord, before: PodRecord | undefined): void {
    const services = new Set(this.#selectors.selecting(now.namespace, now.labels));
    if (before !== undefined) {
      for (const key of this.#selectors.selecting(before.namespace, before.labels)) services.add(key);
    }
    for (const service of services) for (const listener of this.#listeners) listener.podsChanged?.(service);
  }

  #putSlice(slice: EndpointSlice): void {
    const key = keyOf(slice);
    const before = this.#slices.get(key);
    const service = serviceOf(slice);
    // Someone may have taken a slice over, or given it to another Service: that is a loss for the one it had.
    if (before !== undefined && serviceOf(before) !== service) this.#forgetSlice(before);
    if (service === undefined) return;
    this.#slices.set(key, slice);
    const keys = this.#slicesOf.get(service) ?? new Set();
    this.#slicesOf.set(service, keys.add(key));
    for (const listener of this.#listeners) listener.sliceChanged?.(service, slice, false);
  }

  #deleteSlice(slice: EndpointSlice): void {
    const before = this.#slices.get(keyOf(slice));
    if (before !== undefined) this.#forgetSlice(before);
  }

  #forgetSlice(slice: EndpointSlice): void {
    const key = keyOf(slice);
    const service = serviceOf(slice);
    this.#slices.delete(key);
    if (service === undefined) return;
    const keys = this.#slicesOf.get(service);
    keys?.delete(key);
    if (keys?.size === 0) this.#slicesOf.delete(service);
    for (const listener of this.#listeners) listener.sliceChanged?.(service, slice, true);
  }

  #setEndpoints(endpoints: Endpoints, now: Endpoints | undefined): void {
    const key = keyOf(endpoints);
    if (now === undefined) this.#endpoints.delete(key);
    else this.#endpoints.set(key, now);
    for (const listener of this.#listeners) listener.endpointsChanged?.(key, now);
  }

  #putNode(node: Node): void {
    this.#setZone(node, node.metadata.labels?.[zoneLabel]);
  }

  /** Nodes change often, their zones almost never: only then is every pod of the node looked for. */
  #setZone({ metadata: { name = '' } }: Node, zone: string | undefined): void {
    if (this.#zones.get(name) === zone) return;
    if (zone === undefined) this.#zones.delete(name);
    else this.#zones.set(name, zone);
    for (const pod of this.#pods.values()) if (pod.nodeName === name) this.#tellPods(pod, undefined);
  }
}

/** The Service of a slice that one of our controllers manages; slices of others are none of our business. */
function serviceOf({ metadata }: EndpointSlice): ObjectKey | undefined {
  const { [serviceNameLabel]: name, [managedByLabel]: manager } = metadata.labels ?? {};
  if (name === undefined || (manager !== sliceManager && manager !== mirrorManager)) return undefined;
  return objectKey(metadata.namespace ?? '', name);
}
