/** From the control service into the catalog: what is watched, how narrowly, and which removals may wait. */

import { endpointSliceKind, nodeKind, serviceKind, trafficPolicyKind } from '@outrigger/core/api';
import { scopesOfObjects, scopesOfSlices, wholeRecords } from '@outrigger/core/watch';
import type { Changes, HoldRule, Scope, Source, Watch } from '@outrigger/core/watch';
import { projectNode, projectPolicy, projectService, projectSlice } from '../catalog/index.ts';
import type { Catalog, CatalogChange, ServiceRecord, SliceRecord } from '../catalog/index.ts';
import type { ProxyConfig, Publish } from './config.ts';

export interface FeedEvents {
  /** The catalog may have changed. */
  readonly onChange: () => void;
  /** Slices that a watch has just reported, with the time of the change behind them. */
  readonly onProgrammed: (changedAtMs: number) => void;
}

export class Feed {
  readonly #services: Watch;
  readonly #slices: Watch;
  readonly #policies: Watch;

  constructor(source: Source, catalog: Catalog, config: ProxyConfig, events: FeedEvents) {
    const scopes = scopesOf(config.publish);
    const into =
      <R>(kind: CatalogChange['kind']) =>
      (changes: Changes<R>): void => {
        catalog.apply(catalogChanges(kind, changes));
        if (kind === 'EndpointSlice' && changes.cause === 'watch') reportTimes(changes, events);
        events.onChange();
      };
    this.#services = source.watch<ServiceRecord>({
      resource: serviceKind,
      scopes: scopes.services,
      project: (object) => projectService(object),
      onChanges: into('Service'),
      hold: wholeRecords((service) => `${service.namespace}/${service.name}`),
    });
    this.#slices = source.watch<SliceRecord>({
      resource: endpointSliceKind,
      scopes: scopes.slices,
      project: (object) => projectSlice(object),
      onChanges: into('EndpointSlice'),
      hold: endpointHold,
    });
    this.#policies = source.watch({
      resource: trafficPolicyKind,
      scopes: scopes.policies,
      // A Kubernetes cluster without our CustomResourceDefinitions simply has no policies.
      optional: true,
      project: (object) => projectPolicy(object),
      onChanges: into('TrafficPolicy'),
    });
    source.watch({
      resource: nodeKind,
      scopes: [{ fieldSelector: `metadata.name=${config.nodeName}` }],
      optional: true,
      project: (object) => projectNode(object),
      onChanges: into('Node'),
    });
  }

  /** Everything that is watched now has been listed, or restored from the snapshot. */
  get synced(): Promise<unknown> {
    return Promise.all([this.#services.synced, this.#slices.synced, this.#policies.synced]);
  }

  /** Other Services after a reload; those that stay keep their streams. */
  watchFor(publish: readonly Publish[]): void {
    const scopes = scopesOf(publish);
    this.#services.setScopes(scopes.services);
    this.#slices.setScopes(scopes.slices);
    this.#policies.setScopes(scopes.policies);
  }
}

/** Endpoints count, not slices: the same endpoint may move from one slice to another. */
export const endpointHold: HoldRule<SliceRecord> = {
  groupOf: (slice) => slice.service,
  readyIn: (slice) => slice.endpoints.filter(({ ready }) => ready).map(({ address }) => address),
  knownIn: (slice) => slice.endpoints.map(({ address }) => address),
  retain: (before, after, keep) => {
    const kept = before.endpoints.filter(({ address }) => keep.has(address));
    // The distrusted list may have them too, as not ready.
    const others = after?.endpoints.filter(({ address }) => !keep.has(address)) ?? [];
    return { ...(after ?? before), endpoints: [...others, ...kept] };
  },
};

function catalogChanges<R>(kind: CatalogChange['kind'], changes: Changes<R>): CatalogChange[] {
  const put = changes.put.map(({ key, record }) => ({ kind, key, record }));
  const gone = changes.delete.map(({ key }) => ({ kind, key, record: undefined }));
  return [...gone, ...put] as CatalogChange[];
}

function reportTimes<R>(changes: Changes<R>, events: FeedEvents): void {
  for (const { record } of changes.put) {
    const { changedAtMs } = record as SliceRecord;
    if (changedAtMs > 0) events.onProgrammed(changedAtMs);
  }
}

function scopesOf(publish: readonly Publish[]): { services: Scope[]; slices: Scope[]; policies: Scope[] } {
  const services = publish.map(({ namespace, service }) => ({ namespace, name: service }));
  const namespaces = [...new Set(publish.map(({ namespace }) => namespace))].sort();
  return {
    services: scopesOfObjects(services),
    slices: scopesOfSlices(services),
    policies: namespaces.map((namespace) => ({ namespace })),
  };
}
