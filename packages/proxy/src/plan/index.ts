/** The plan: what becomes of traffic to every Service port on this node. */

export type {
  Choice,
  Handling,
  Mode,
  PlanContext,
  Pool,
  PortPlan,
  Selection,
  ServicePlan,
  Source,
  TrafficClass,
  TrafficSettings,
} from './types.ts';
export { handlingOf } from './handling.ts';
export { nodePortAddressesOf } from './node-ports.ts';
export type { PlanChanges, Plans } from './plan.ts';
export { planAll, Planner } from './plan.ts';
export type { Published } from './published.ts';
export { poolOf, publishedPort } from './published.ts';
export type { Flow, Model, Outcome } from './resolve.ts';
export { createModel } from './resolve.ts';
export { isDraining, selectEndpoints } from './selection.ts';
export { planService } from './service.ts';
export { DEFAULT_SETTINGS, policyFor, settingsOf } from './settings.ts';
