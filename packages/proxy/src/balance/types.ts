/**
 * The vocabulary of balancing one Service port: who may be picked, and why not.
 *
 * A data path calls, for each connection: `pick` (which reserves), then exactly one of `dialFailed` (and `pick` again with
 * the endpoint in `tried`) or `dialSucceeded`, and `release` exactly once for every endpoint it was given.
 */

import type { Endpoint } from '../catalog/endpoint.ts';

/** The life of one endpoint inside a Balancer; survives plan updates as long as its key stays or it has connections. */
export interface EndpointState {
  /** `address:port`. */
  readonly key: string;
  /** The newest known facts of it; replaced on update. */
  readonly endpoint: Endpoint;
  /** Connections picked and not yet released: open ones and dials in flight. */
  readonly active: number;
  /** Connections picked since the endpoint appeared. */
  readonly picked: number;
  /** Failed dials in a row. */
  readonly failures: number;
  /** Clock time; in the past or 0 when not ejected. */
  readonly ejectedUntilMs: number;
  /** Ejections in a row, which double the next one; 0 after it has stayed in as long as it was last out. */
  readonly ejections: number;
  /** No longer part of the plan: never picked, kept until its connections have ended. */
  readonly removed: boolean;
}

/** Why there is nobody to connect to. All but `total-limit` and `endpoint-limit` mean a reset without waiting. */
export type Refusal =
  /** The plan has no endpoint for this traffic. */
  | 'no-endpoints'
  /** Every endpoint has been tried for this connection. */
  | 'all-tried'
  /** `maxConnections` of the port is reached. */
  | 'total-limit'
  /** Every endpoint left is at `maxConnectionsPerEndpoint`. */
  | 'endpoint-limit';

/** A string is a refusal: `typeof result === 'string'`. */
export type PickResult = EndpointState | Refusal;

/** Monotonic counts, read at scrape time. */
export interface BalanceCounters {
  readonly active: number;
  readonly ejections: number;
  /** Ejections not carried out because too many were out already. */
  readonly ejectionsWithheld: number;
  readonly affinityEntries: number;
  /** Clients forgotten because the table was full (`maxAffinityClients`). */
  readonly affinityEvictions: number;
}
