/** Every kind Outrigger serves, in the order that lists show them. */

import type { Kind } from '../schema.ts';
import { configMapKind } from './configmap.ts';
import { endpointsKind } from './endpoints.ts';
import { endpointSliceKind } from './endpointslice.ts';
import { eventKind } from './event.ts';
import { leaseKind } from './lease.ts';
import { metricsAdapterKind } from './metricsadapter.ts';
import { namespaceKind } from './namespace.ts';
import { nodeKind } from './node.ts';
import { podKind } from './pod.ts';
import { redisAmbassadorKind } from './redisambassador.ts';
import { serviceKind } from './service.ts';
import { trafficPolicyKind } from './trafficpolicy.ts';

export const kinds: readonly Kind[] = Object.freeze([
  configMapKind,
  endpointsKind,
  eventKind,
  namespaceKind,
  nodeKind,
  podKind,
  serviceKind,
  leaseKind,
  endpointSliceKind,
  metricsAdapterKind,
  redisAmbassadorKind,
  trafficPolicyKind,
]);

/** The group of Outrigger's own kinds, which real clusters get as CRDs. */
export const ownGroup = 'outrigger.dev';

/** By plural resource name, as in a URL: `kindFor('discovery.k8s.io', 'v1', 'endpointslices')`. */
export function kindFor(group: string, version: string, resource: string): Kind | undefined {
  return kinds.find((kind) => kind.resource === resource && kind.group === group && kind.version === version);
}

/** By what an object says of itself: `kindOf('v1', 'Service')`. */
export function kindOf(apiVersion: string, kind: string): Kind | undefined {
  return kinds.find((candidate) => candidate.kind === kind && apiVersionOf(candidate) === apiVersion);
}

/** `v1`, `discovery.k8s.io/v1`. */
export function apiVersionOf(kind: Pick<Kind, 'group' | 'version'>): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

/** `services`, `endpointslices.discovery.k8s.io`: how error texts name a resource. */
export function qualifiedResource(kind: Pick<Kind, 'group' | 'resource'>): string {
  return kind.group === '' ? kind.resource : `${kind.resource}.${kind.group}`;
}
