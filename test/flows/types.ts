/** What a flow file says, read and checked: the vocabulary of every executor. */

export type ExecutorMode = 'model' | 'userspace' | 'nftables' | 'iptables';
export type Protocol = 'TCP' | 'UDP' | 'SCTP';

export interface FlowNode {
  readonly name: string;
  readonly zone: string;
  readonly addresses: readonly string[];
  readonly nodePortAddresses: readonly string[];
  readonly podCIDRs: readonly string[];
  readonly serviceCIDRs: readonly string[];
  readonly masqueradeAll: boolean;
}

/** A Kubernetes object as written. */
export interface FlowObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export type Target =
  | { readonly kind: 'address'; readonly address: string; readonly port: number }
  /** A port that userspace mode publishes: `publish NS/SERVICE[:PORT]`. */
  | { readonly kind: 'publish'; readonly service: string; readonly port: string | undefined };

/** Endpoints are sorted; `snat` holds those that see the node instead of the client. */
export type Expectation =
  | { readonly kind: 'forward'; readonly endpoints: readonly string[]; readonly snat: readonly string[] }
  | { readonly kind: 'drop' | 'reject' | 'pass' };

export interface Connection {
  /** IP address of the client. */
  readonly from: string;
  readonly to: Target;
  readonly protocol: Protocol;
}

export interface FlowRow extends Connection {
  readonly name: string;
  readonly modes: readonly ExecutorMode[];
  readonly expect: Expectation;
}

/**
 * `one`: all connections of the step reach one endpoint. `same`: that, and the one the client's last step reached.
 * `other`: not the one its last step reached. `all`: every endpoint is reached by at least one.
 */
export type Reach = 'one' | 'same' | 'other' | 'all';

export type Step =
  | (Connection & { readonly kind: 'connect'; readonly times: number; readonly reaches: Reach })
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'apply'; readonly objects: readonly FlowObject[] };

export interface Sequence {
  readonly name: string;
  readonly modes: readonly ExecutorMode[];
  readonly steps: readonly Step[];
}

/** One state of a cluster with what is expected of it. */
export interface FlowCase {
  /** `clusterip`, or `clusterip: service CIDRs unknown` for a variation. */
  readonly name: string;
  readonly node: FlowNode;
  readonly objects: readonly FlowObject[];
  readonly flows: readonly FlowRow[];
  readonly sequences: readonly Sequence[];
  /** Local endpoints that healthCheckNodePort reports, by Service; undefined: nothing is said about it. */
  readonly health: ReadonlyMap<string, number> | undefined;
}
