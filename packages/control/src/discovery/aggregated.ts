/** Aggregated discovery (apidiscovery.k8s.io/v2): every group, version and resource in one answer. Pure. */

import type { Resource } from '../registry/resource.ts';
import type { GroupVersion } from './catalog.ts';
import { subresourcesOf, subresourceVerbs, verbsOf } from './catalog.ts';

/** The core group has `/api` to itself; all others are at `/apis`. */
export function aggregatedDiscovery(versions: readonly GroupVersion[], core: boolean): object {
  const groups = [...new Set(versions.map(({ group }) => group))].filter((group) => (group === '') === core);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map((group) => ({
      metadata: { ...(group === '' ? {} : { name: group }), creationTimestamp: null },
      versions: versions.filter((version) => version.group === group).map(discoveredVersion),
    })),
  };
}

function discoveredVersion({ version, resources }: GroupVersion): object {
  return { version, resources: resources.map(discoveredResource), freshness: 'Current' };
}

function discoveredResource(resource: Resource): object {
  const { kind } = resource;
  const responseKind = { group: kind.group, version: kind.version, kind: kind.kind };
  const subresources = subresourcesOf(resource).map((subresource) => ({
    subresource,
    responseKind,
    verbs: subresourceVerbs,
  }));
  return {
    resource: kind.resource,
    responseKind,
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: verbsOf(resource),
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}
