/**
 * What becomes of a connection, by the kind of address it was made to and where it comes from: verdicts and the
 * masquerade matrix.
 *
 * | to \ from | pod | node | external |
 * |---|---|---|---|
 * | ClusterIP | internal policy's list, client kept | same list, SNAT | same list, SNAT |
 * | external address, policy Cluster | Cluster list, SNAT | Cluster list, SNAT | Cluster list, SNAT |
 * | external address, policy Local | Cluster list, client kept | Cluster list, SNAT | Local list, client kept |
 *
 * Without a detector (`podCIDRs` empty) nobody can tell who is a pod: ClusterIP traffic is then taken for pods' and keeps
 * its source, and pods get the external column elsewhere. `masqueradeAll` adds SNAT to the whole ClusterIP row and to
 * nothing else. A connection of an endpoint to itself (hairpin) is always SNATed; that depends on the endpoint chosen and is
 * therefore not in the matrix.
 *
 * An empty list means *reject* (refused at once) when nothing usable exists anywhere, and *drop* when a Local policy
 * hides endpoints that exist elsewhere: a load balancer that probes this node must time out and look at the next one.
 */

import type { Endpoint } from '../catalog/endpoint.ts';
import type { TrafficScope } from '../catalog/records.ts';
import type { Choice, Selection, TrafficClass } from './types.ts';

export interface Masquerade {
  /** Pods can be told from other sources. */
  readonly detector: boolean;
  readonly masqueradeAll: boolean;
}

const REJECT: Choice = { kind: 'reject' };
const DROP: Choice = { kind: 'drop' };

/** Traffic to the ClusterIP, and to a port published in userspace mode. The external policy never applies. */
export function internalTraffic(
  selection: Selection,
  policy: TrafficScope,
  { detector, masqueradeAll }: Masquerade,
): TrafficClass {
  const { cluster, local, hasAny } = selection;
  const list = policy === 'Local' ? local : cluster;
  const empty = policy === 'Local' && hasAny ? DROP : REJECT;
  const fromPods = choose(list, masqueradeAll, empty);
  const fromOthers = detector === masqueradeAll ? fromPods : choose(list, masqueradeAll || detector, empty);
  return { pod: fromPods, node: fromOthers, external: fromOthers };
}

/** Traffic to NodePorts, load-balancer and external addresses. The internal policy never applies. */
export function externalTraffic(
  selection: Selection,
  policy: TrafficScope,
  { detector }: Pick<Masquerade, 'detector'>,
): TrafficClass {
  const { cluster, local, hasAny } = selection;
  const masqueraded = choose(cluster, true, REJECT);
  if (policy === 'Cluster') return { pod: masqueraded, node: masqueraded, external: masqueraded };
  const external = choose(local, false, hasAny ? DROP : REJECT);
  return { pod: detector ? choose(cluster, false, REJECT) : external, node: masqueraded, external };
}

function choose(endpoints: readonly Endpoint[], snat: boolean, empty: Choice): Choice {
  return endpoints.length === 0 ? empty : { kind: 'forward', endpoints, snat };
}
