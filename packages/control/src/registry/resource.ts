/** One served kind with everything derived from it once: storage keys, the fixed head of its stored bytes, error names. */

import type { Kind, KubernetesObject } from '@outrigger/core/api';
import { apiVersionOf, ownGroup, qualifiedResource } from '@outrigger/core/api';
import type { Key } from '../store/store.ts';

export interface Resource<T extends KubernetesObject = KubernetesObject> {
  readonly kind: Kind<T>;
  /** `v1`, `discovery.k8s.io/v1`. */
  readonly apiVersion: string;
  /** `services`, `endpointslices.discovery.k8s.io`: its name in keys, error texts and metrics. */
  readonly name: string;
  /** Storage prefix of its objects, `/` at the end. */
  readonly prefix: Key;
  /** What the stored bytes of every object start with: `{"apiVersion":…,"kind":…,"metadata":{`. */
  readonly head: Buffer;
  /** Kinds of ours behave as custom resources do: no strategic merge patch, lists whose items name their kind. */
  readonly custom: boolean;
}

/** Place of an object among those of its resource: `NAMESPACE/NAME`, or `NAME` for cluster-wide kinds. */
export type ObjectPath = string;

export const registryPrefix = '/registry/';

export function defineResource<T extends KubernetesObject>(kind: Kind<T>): Resource<T> {
  const apiVersion = apiVersionOf(kind);
  const name = qualifiedResource(kind);
  return Object.freeze({
    kind,
    apiVersion,
    name,
    prefix: `${registryPrefix}${name}/`,
    head: Buffer.from(`{"apiVersion":"${apiVersion}","kind":"${kind.kind}","metadata":{`),
    custom: kind.group === ownGroup,
  });
}

export function pathOf(namespace: string, name: string): ObjectPath {
  return namespace === '' ? name : `${namespace}/${name}`;
}

export function splitPath(path: ObjectPath): { namespace: string; name: string } {
  const slash = path.indexOf('/');
  return slash < 0
    ? { namespace: '', name: path }
    : { namespace: path.slice(0, slash), name: path.slice(slash + 1) };
}
