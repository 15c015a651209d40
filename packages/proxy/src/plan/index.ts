/** The plan: what becomes of traffic to every Service port on this node. */

export type {
  Choice,
  Handling,
  Mode,
  PlanContext,
  PortPlan,
  Selection,
  ServicePlan,
  Source,
  TrafficClass,
  TrafficSettings,
} from './types.ts';
