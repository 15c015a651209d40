/** What a realm is opened with, whatever its source of servers. */

import type { Clock, Random } from '@outrigger/core/clock';
import type { Logger } from '@outrigger/core/log';
import type { Net } from '@outrigger/core/net';
import type { AmbassadorLimits } from '../daemon/limits.ts';
import type { Credentials } from '../upstream/credentials.ts';
import type { DialTls } from '../upstream/server-tls.ts';
import type { ServerSpec } from '../upstream/server.ts';
import type { TopologyMetrics } from './metrics.ts';
import type { WatchService } from './source.ts';

/** Where the servers are to be found. */
export type RealmSource = StaticSource | ServiceSource | SentinelSource | ClusterSource;

/** Servers written down, or Services of which the primary's must have one endpoint. */
export interface StaticSource {
  readonly kind: 'static';
  readonly primary: ServerSpec | undefined;
  readonly replicas: readonly ServerSpec[];
}

/** Equals, usually the endpoints of one Service, who are asked for their roles. */
export interface ServiceSource {
  readonly kind: 'service';
  readonly servers: readonly ServerSpec[];
}

export interface SentinelSource {
  readonly kind: 'sentinel';
  readonly sentinels: readonly ServerSpec[];
  /** What the sentinels call the primary. */
  readonly master: string;
  readonly sentinelCredentials?: (() => Credentials | undefined) | undefined;
  /** Whether the servers that Sentinel names speak TLS. Default: as the first sentinel. */
  readonly tls?: boolean | undefined;
}

export interface ClusterSource {
  readonly kind: 'cluster';
  readonly seeds: readonly ServerSpec[];
}

export type RealmConfig = RealmSource & {
  readonly name: string;
  readonly maxLagMs: () => number;
};

export interface RealmDeps {
  readonly clock: Clock;
  readonly net: Net;
  readonly log: Logger;
  readonly random: Random;
  readonly limits: AmbassadorLimits;
  readonly credentials: () => Credentials | undefined;
  /** What connections to servers with TLS use; undefined is Node's defaults. */
  readonly tls?: (() => DialTls | undefined) | undefined;
  /** For servers written as `svc:NAMESPACE/NAME`. */
  readonly watchService?: WatchService | undefined;
  /** Our own availability zone, for `nearest`; undefined when it is not known. */
  readonly zone?: (() => string | undefined) | undefined;
  readonly metrics?: TopologyMetrics | undefined;
}
