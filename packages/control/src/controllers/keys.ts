/** `namespace/name`: how controllers name the objects they work on. */

import type { KubernetesObject } from '@outrigger/core/api';

export type ObjectKey = string;

export function keyOf({ metadata }: KubernetesObject): ObjectKey {
  return objectKey(metadata.namespace ?? '', metadata.name ?? '');
}

export function objectKey(namespace: string, name: string): ObjectKey {
  return `${namespace}/${name}`;
}

/** Revisions of this service are numbers that only grow, so that older and newer can be told. */
export function revisionOf({ metadata }: KubernetesObject): number {
  return Number(metadata.resourceVersion ?? 0);
}
