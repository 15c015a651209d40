/** What is served, group by group and version by version: the common source of discovery and OpenAPI. Pure. */

import { hasSubresource, hasVerb } from '../handlers/resources.ts';
import type { Verb } from '../handlers/route.ts';
import type { Resource } from '../registry/resource.ts';

export interface GroupVersion {
  readonly group: string;
  readonly version: string;
  /** `v1`, `discovery.k8s.io/v1`. */
  readonly apiVersion: string;
  /** Path below which its resources are: `/api/v1`, `/apis/discovery.k8s.io/v1`. */
  readonly path: string;
  readonly resources: readonly Resource[];
}

const objectVerbs: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];
export const subresourceVerbs: readonly string[] = ['get', 'patch', 'update'];

const subresources: readonly string[] = ['finalize', 'status'];

export function groupVersions(resources: readonly Resource[]): GroupVersion[] {
  const names = [...new Set(resources.map(({ apiVersion }) => apiVersion))];
  return names.map((apiVersion) => {
    const own = resources.filter((resource) => resource.apiVersion === apiVersion);
    const { group = '', version = '' } = own[0]?.kind ?? {};
    return {
      group,
      version,
      apiVersion,
      path: group === '' ? `/api/${version}` : `/apis/${apiVersion}`,
      resources: own.toSorted((a, b) => (a.kind.resource < b.kind.resource ? -1 : 1)),
    };
  });
}

export function verbsOf(resource: Resource): Verb[] {
  return objectVerbs.filter((verb) => hasVerb(resource, verb));
}

export function subresourcesOf(resource: Resource): string[] {
  return subresources.filter((name) => hasSubresource(resource, name));
}
