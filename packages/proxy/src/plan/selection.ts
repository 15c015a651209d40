/**
 * Which endpoints a Service port has on this node: a pure function of conditions, locality and hints.
 *
 * A port may need two lists at once: Cluster scope (endpoints anywhere) and Local scope (on this node). They are chosen
 * independently, so that draining the last local pod of a Local port does not touch its Cluster traffic and vice versa.
 */

import type { Endpoint } from '../catalog/endpoint.ts';
import type { TrafficScope } from '../catalog/records.ts';
import type { Selection } from './types.ts';

export interface SelectionInput {
  readonly endpoints: readonly Endpoint[];
  readonly internalTrafficPolicy: TrafficScope;
  readonly externalTrafficPolicy: TrafficScope;
  /** It has a NodePort, load-balancer or external address. */
  readonly external: boolean;
  readonly nodeName: string;
  readonly zone: string;
}

/**
 * Cluster list: ready endpoints that topology allows. *Terminating fallback*: with no ready endpoint anywhere, all that
 * still serve while terminating, wherever they are.
 *
 * Topology, from the hints of ready endpoints alone: *same node* when each has node hints and one names this node; else
 * *same zone* when each has zone hints and one names this zone; else *any*. One endpoint without a hint disables that
 * mode, because the others' hints were then made for a different set. Hints never leave the list empty.
 *
 * Local list: ready endpoints on this node. *Local terminating fallback*: with none ready here, those here that still
 * serve while terminating. Topology does not apply.
 *
 * The Cluster list is needed whatever the external policy is: pods and the node itself always reach external addresses
 * by it.
 */
export function selectEndpoints(input: SelectionInput): Selection {
  const { endpoints, nodeName, zone } = input;
  const usesCluster = input.internalTrafficPolicy === 'Cluster' || input.external;
  const usesLocal =
    input.internalTrafficPolicy === 'Local' || (input.external && input.externalTrafficPolicy === 'Local');
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  const draining = endpoints.filter(isDraining);
  const topology = usesCluster ? topologyOf(ready, nodeName, zone) : 'any';
  const allowed = ready.filter((endpoint) => allows(topology, endpoint, nodeName, zone));
  const localReady = ready.filter((endpoint) => endpoint.local);
  const cluster = allowed.length > 0 ? allowed : draining;
  const local = localReady.length > 0 ? localReady : draining.filter((endpoint) => endpoint.local);
  return {
    cluster: usesCluster ? cluster : [],
    local: usesLocal ? local : [],
    usesCluster,
    usesLocal,
    hasAny: ready.length > 0 || draining.length > 0,
    topology,
    clusterFallback: usesCluster && allowed.length === 0 && cluster.length > 0,
    localFallback: usesLocal && localReady.length === 0 && local.length > 0,
  };
}

/** Not ready any more but still answering while it shuts down. */
export function isDraining(endpoint: Endpoint): boolean {
  return !endpoint.ready && endpoint.serving && endpoint.terminating;
}

function topologyOf(ready: readonly Endpoint[], nodeName: string, zone: string): Selection['topology'] {
  if (ready.length === 0) return 'any';
  if (everyHints(ready, nodeHints) && ready.some((endpoint) => endpoint.nodeHints.includes(nodeName))) {
    return 'same-node';
  }
  if (everyHints(ready, zoneHints) && ready.some((endpoint) => endpoint.zoneHints.includes(zone))) {
    return 'same-zone';
  }
  return 'any';
}

function allows(
  topology: Selection['topology'],
  endpoint: Endpoint,
  nodeName: string,
  zone: string,
): boolean {
  switch (topology) {
    case 'any':
      return true;
    case 'same-node':
      return endpoint.nodeHints.includes(nodeName);
    case 'same-zone':
      return endpoint.zoneHints.includes(zone);
  }
}

function everyHints(ready: readonly Endpoint[], hintsOf: (endpoint: Endpoint) => readonly string[]): boolean {
  return ready.every((endpoint) => hintsOf(endpoint).length > 0);
}

function nodeHints(endpoint: Endpoint): readonly string[] {
  return endpoint.nodeHints;
}

function zoneHints(endpoint: Endpoint): readonly string[] {
  return endpoint.zoneHints;
}
