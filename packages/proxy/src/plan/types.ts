/** The vocabulary of the plan: what the node is, and what becomes of traffic to each Service port. */

import type { Endpoint } from '../catalog/endpoint.ts';
import type { Balancing, Family, ObjectKey, Protocol, TrafficScope } from '../catalog/records.ts';

export type Mode = 'userspace' | 'nftables' | 'iptables';

/** Everything about this node and its configuration that traffic depends on. */
export interface PlanContext {
  readonly mode: Mode;
  readonly nodeName: string;
  /** `''`: unknown, then zone hints choose nothing. */
  readonly zone: string;
  /** `--cluster-cidr`: sources inside are pods. Empty: no detector, pods cannot be told from strangers. */
  readonly podCIDRs: readonly string[];
  /** Unallocated addresses inside are dropped rather than routed away. */
  readonly serviceCIDRs: readonly string[];
  /** Every address of this node; a connection from one of them comes from the node. */
  readonly nodeAddresses: readonly string[];
  /** Those of `nodeAddresses` on which NodePorts answer (`--nodeport-addresses`). */
  readonly nodePortAddresses: readonly string[];
  /** Rewrite the source of every ClusterIP connection. */
  readonly masqueradeAll: boolean;
  /** What ports without a TrafficPolicy use. */
  readonly defaults: TrafficSettings;
}

/** Resolved settings of one Service port: the proxy's defaults, or the TrafficPolicy's. */
export interface TrafficSettings {
  readonly balancing: Balancing;
  /** One dial; the next endpoint is tried after it. */
  readonly connectTimeoutMs: number;
  /** No byte in either direction for so long ends the connection. 0: never. */
  readonly idleTimeoutMs: number;
  /** Open connections of the whole port in this proxy. 0: no limit of its own. */
  readonly maxConnections: number;
  /** 0: no limit. */
  readonly maxConnectionsPerEndpoint: number;
  /** Failed dials in a row that eject an endpoint. 0: never eject. */
  readonly consecutiveFailures: number;
  /** First ejection; doubles with each further one up to `maxEjectionMs`. */
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  /** At most this share of the endpoints is out at once; one always stays in. */
  readonly maxEjectionPercent: number;
}

/** Who carries the port: kernel rules, the TCP relay, or the HTTP layer. */
export type Handling = 'kernel' | 'l4' | 'l7';

/** Where a connection comes from, as far as it decides anything. */
export type Source = 'pod' | 'node' | 'external';

/** What becomes of a new connection. `snat`: the endpoint sees the node's address instead of the client's. */
export type Choice =
  | { readonly kind: 'forward'; readonly endpoints: readonly Endpoint[]; readonly snat: boolean }
  | { readonly kind: 'reject' }
  | { readonly kind: 'drop' };

/** One traffic class: the choice per source. */
export type TrafficClass = { readonly [source in Source]: Choice };

/** How the lists of `Selection` came about; the reason texts of `why` are made from it. */
export interface Selection {
  /** For Cluster scope. Empty also when the port never uses Cluster scope. */
  readonly cluster: readonly Endpoint[];
  /** For Local scope. Empty also when the port never uses Local scope. */
  readonly local: readonly Endpoint[];
  readonly usesCluster: boolean;
  readonly usesLocal: boolean;
  /** Something usable exists somewhere: the difference between drop and reject. */
  readonly hasAny: boolean;
  readonly topology: 'any' | 'same-node' | 'same-zone';
  /** The list holds serving, terminating endpoints because no ready one was left. */
  readonly clusterFallback: boolean;
  readonly localFallback: boolean;
}

/** One Service port in one address family. */
export interface PortPlan {
  /** `namespace/name:port/protocol/family`, unique. */
  readonly id: string;
  readonly service: ObjectKey;
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly family: Family;
  readonly handling: Handling;
  readonly clusterIP: string;
  readonly externalIPs: readonly string[];
  readonly loadBalancerIPs: readonly string[];
  readonly sourceRanges: readonly string[];
  /** 0: none. */
  readonly nodePort: number;
  readonly internalTrafficPolicy: TrafficScope;
  readonly externalTrafficPolicy: TrafficScope;
  readonly affinitySeconds: number;
  /** Key of the TrafficPolicy the settings come from, `''` for none. */
  readonly policy: string;
  readonly settings: TrafficSettings;
  /** Every endpoint of the port, usable or not, sorted by key. */
  readonly endpoints: readonly Endpoint[];
  readonly selection: Selection;
  /** ClusterIP traffic, and ports published by the userspace mode (source `node`). */
  readonly internal: TrafficClass;
  /** NodePort, load-balancer and external addresses. */
  readonly external: TrafficClass;
}

export interface ServicePlan {
  readonly key: ObjectKey;
  readonly ports: readonly PortPlan[];
  /** What healthCheckNodePort answers; absent without one. */
  readonly healthCheck?: { readonly port: number; readonly localEndpoints: number };
  /** Why `ports` is empty, for people; absent when it is not. */
  readonly skipped?: string;
}

/** What a Balancer is given: the endpoints of one traffic class of one port. */
export interface Pool {
  readonly endpoints: readonly Endpoint[];
  /** 0: no session affinity. */
  readonly affinitySeconds: number;
  readonly settings: TrafficSettings;
}
