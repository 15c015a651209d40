/** The Redis ambassador: reads to replicas, writes to the primary, on one connection that keeps its order. */

import type { DaemonDefinition } from '@outrigger/core/lifecycle';
import { ambassadorChecks, ambassadorSchema, parseConfig } from './config.ts';
import type { AmbassadorConfig } from './config.ts';
import { start } from './daemon.ts';

export type { AmbassadorConfig, Consistency, ReadPolicy, SecretFrom } from './config.ts';
export type { AmbassadorDeps } from './daemon.ts';
export type { AmbassadorLimits } from './limits.ts';
export { defaultLimits } from './limits.ts';
export type { Explanation, ExplainState } from './explain.ts';
export { explainCommand } from './explain.ts';
export type { Server, ServerSpec } from './server.ts';
export { parseServer } from './server.ts';
export type { EndpointWatch, WatchService } from './source.ts';
export { parseConfig, start };

export const ambassadorDaemon: DaemonDefinition<AmbassadorConfig> = {
  role: 'ambassador',
  summary: 'Takes Redis clients and splits their reads from their writes.',
  schema: ambassadorSchema,
  checks: ambassadorChecks,
  parse: parseConfig,
  start,
};
