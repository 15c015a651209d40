/** The metrics adapter: what other programs report, on one Prometheus page. */

import type { DaemonDefinition } from '@outrigger/core/lifecycle';
import { startAdapter } from './daemon/adapter.ts';
import { adapterChecks, adapterSchema, parseAdapterConfig } from './daemon/config.ts';
import type { AdapterConfig } from './daemon/config.ts';

export type { AdapterConfig };
export { adapterProblems } from './daemon/check.ts';
export { documentProblems } from './daemon/documents.ts';
export type { LineExplanation, SampleExplanation } from './statsd/why.ts';

export const adapterDaemon: DaemonDefinition<AdapterConfig> = {
  role: 'adapter',
  summary: 'Takes StatsD and asks other sources, and serves one Prometheus page.',
  schema: adapterSchema,
  checks: adapterChecks,
  parse: parseAdapterConfig,
  start: startAdapter,
};
