/** The control service: a small API server over one sequenced store. */

export type { ControlConfig, ControlDocument, ControlLimits } from './config.ts';
export { controlChecks, controlSchema, parseControlConfig } from './config.ts';
export { start } from './start.ts';
