/** Discovery as clients without the aggregated form ask for it: groups, then the resources of each version. Pure. */

import { createHash } from 'node:crypto';
import type { Resource } from '../registry/resource.ts';
import type { GroupVersion } from './catalog.ts';
import { subresourcesOf, subresourceVerbs, verbsOf } from './catalog.ts';

export function apiVersions(versions: readonly GroupVersion[]): object {
  return {
    kind: 'APIVersions',
    versions: versions.filter(({ group }) => group === '').map(({ version }) => version),
    serverAddressByClientCIDRs: [],
  };
}

export function apiGroupList(versions: readonly GroupVersion[]): object {
  const names = [...new Set(versions.map(({ group }) => group))].filter((group) => group !== '');
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: names.map((name) => groupOf(versions, name)) };
}

export function apiGroup(versions: readonly GroupVersion[], name: string): object {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(versions, name) };
}

export function apiResourceList({ apiVersion, resources }: GroupVersion): object {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersion,
    resources: resources.flatMap((resource) => [resourceEntry(resource), ...subresourceEntries(resource)]),
  };
}

function groupOf(versions: readonly GroupVersion[], name: string): object {
  const own = versions
    .filter(({ group }) => group === name)
    .map(({ apiVersion, version }) => ({ groupVersion: apiVersion, version }));
  return { name, versions: own, preferredVersion: own[0] };
}

function resourceEntry(resource: Resource): object {
  const { kind, name } = resource;
  return {
    name: kind.resource,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: verbsOf(resource),
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    // Tells clients when the stored form changes, which it does with the version alone.
    storageVersionHash:
      createHash('sha256').update(`${name}/${kind.version}`).digest('base64').slice(0, 11) + '=',
  };
}

function subresourceEntries(resource: Resource): object[] {
  const { resource: plural, namespaced, kind } = resource.kind;
  return subresourcesOf(resource).map((subresource) => ({
    name: `${plural}/${subresource}`,
    singularName: '',
    namespaced,
    kind,
    verbs: subresourceVerbs,
  }));
}
