/** The control service: a small API server over one sequenced store. */

import type { DaemonDefinition } from '@outrigger/core/lifecycle';
import { controlChecks, controlSchema, parseControlConfig } from './config.ts';
import type { ControlConfig } from './config.ts';
import { start } from './start.ts';

export type { ControlConfig, ControlDocument, ControlLimits, TlsFiles } from './config.ts';
export { controlSchema, parseControlConfig, start };

export const controlDaemon: DaemonDefinition<ControlConfig> = {
  role: 'control',
  summary: 'Serves a small Kubernetes API for Services and their endpoints.',
  schema: controlSchema,
  checks: controlChecks,
  parse: parseControlConfig,
  start,
};
