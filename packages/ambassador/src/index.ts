/** The Redis ambassador: reads to replicas, writes to the primary, on one connection that keeps its order. */

import type { DaemonDefinition } from '@outrigger/core/lifecycle';
import { ambassadorChecks, ambassadorSchema, parseConfig } from './daemon/config.ts';
import type { AmbassadorConfig } from './daemon/config.ts';
import { start } from './daemon/daemon.ts';

export type { AmbassadorConfig, Consistency, ReadPolicy, SecretFrom } from './daemon/config.ts';
export type { AmbassadorDeps } from './daemon/daemon.ts';
export type { AmbassadorLimits } from './daemon/limits.ts';
export { defaultLimits } from './daemon/limits.ts';
export type { Destination, Explanation, KeyPlace, ReplicaReport } from './observe/why.ts';
export type { Server, ServerSpec } from './upstream/server.ts';
export { parseServer } from './upstream/server.ts';
export type { EndpointWatch, WatchService } from './topology/source.ts';
export { parseConfig, start };

export const ambassadorDaemon: DaemonDefinition<AmbassadorConfig> = {
  role: 'ambassador',
  summary: 'Takes Redis clients and splits their reads from their writes.',
  schema: ambassadorSchema,
  checks: ambassadorChecks,
  parse: parseConfig,
  start,
};
