/**
 * What the proxy remembers of each object it watches: nothing else is kept, and nothing here is secret.
 *
 * Records are plain JSON: they go into the snapshot on disk and come back from it before the first list. Addresses in a
 * record are canonical (RFC 5952, no leading zeros), so equal addresses are equal strings.
 */

export type Family = 'IPv4' | 'IPv6';
export type Protocol = 'TCP' | 'UDP' | 'SCTP';
export type TrafficScope = 'Cluster' | 'Local';

/** `namespace/name`. */
export type ObjectKey = string;

export interface ServicePortRecord {
  /** `''` for the only port of a Service that does not name it. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
  /** 0: none allocated. */
  readonly nodePort: number;
  /** `''`: not given. */
  readonly appProtocol: string;
}

export interface ServiceRecord {
  readonly namespace: string;
  readonly name: string;
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
  /** clusterIP `None`: clients resolve endpoints themselves; only `--publish` can balance it. */
  readonly headless: boolean;
  /** Empty when headless, ExternalName or not yet allocated. */
  readonly clusterIPs: readonly string[];
  /** The Service's preference order; the family of the first clusterIP where nothing else says so. */
  readonly families: readonly Family[];
  readonly ports: readonly ServicePortRecord[];
  readonly externalIPs: readonly string[];
  /** Ingress addresses the node itself answers for (`ipMode` VIP, the default). */
  readonly loadBalancerIPs: readonly string[];
  /** CIDRs allowed to reach `loadBalancerIPs`; empty: everyone. */
  readonly sourceRanges: readonly string[];
  readonly internalTrafficPolicy: TrafficScope;
  readonly externalTrafficPolicy: TrafficScope;
  /** 0: no session affinity. */
  readonly affinitySeconds: number;
  /** 0: none. */
  readonly healthCheckNodePort: number;
  /** What was left out and why, for `why`; absent when nothing was. */
  readonly problems?: readonly string[];
}

export interface SlicePortRecord {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
}

export interface SliceEndpointRecord {
  readonly address: string;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** `''` where the slice does not say. */
  readonly node: string;
  readonly zone: string;
  readonly nodeHints: readonly string[];
  readonly zoneHints: readonly string[];
  /** `Pod/web-1` of the targetRef, `''` without one: for people. */
  readonly target: string;
}

export interface SliceRecord {
  readonly namespace: string;
  readonly name: string;
  /** Key of the Service its label names. */
  readonly service: ObjectKey;
  readonly family: Family;
  readonly ports: readonly SlicePortRecord[];
  readonly endpoints: readonly SliceEndpointRecord[];
  /** The change that caused this slice, epoch milliseconds, 0 unknown: starts the network-programming latency. */
  readonly changedAtMs: number;
  readonly problems?: readonly string[];
}

export interface NodeRecord {
  readonly name: string;
  /** `topology.kubernetes.io/zone`, `''` without one. */
  readonly zone: string;
  readonly podCIDRs: readonly string[];
  /** InternalIPs first, then ExternalIPs. */
  readonly addresses: readonly string[];
  /** Deleted or tainted for removal: `/healthz` fails so that load balancers look elsewhere. */
  readonly leaving: boolean;
}

export interface PolicyTarget {
  /** Key of the Service it is for. */
  readonly service: ObjectKey;
  /** Port name; `''`: every port of the Service. */
  readonly port: string;
}

export interface PolicyRecord {
  readonly namespace: string;
  readonly name: string;
  readonly targets: readonly PolicyTarget[];
  /** Epoch milliseconds, 0 unknown: the older of two equally specific policies wins. */
  readonly createdAtMs: number;
  readonly settings: PolicySettings;
  readonly problems?: readonly string[];
}

/** What a TrafficPolicy says; what it leaves out is the proxy's default. */
export interface PolicySettings {
  readonly balancing?: Balancing;
  readonly connectTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly maxConnections?: number;
  readonly maxConnectionsPerEndpoint?: number;
  readonly consecutiveFailures?: number;
  readonly baseEjectionMs?: number;
  readonly maxEjectionMs?: number;
  readonly maxEjectionPercent?: number;
}

export type Balancing = 'roundRobin' | 'leastConnections';
