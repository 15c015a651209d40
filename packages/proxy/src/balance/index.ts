/** Balancing: which endpoint the next connection of a Service port goes to. */

export type { BalanceCounters, EndpointState, PickResult, Refusal } from './types.ts';
export { MAX_AFFINITY_CLIENTS } from './affinity.ts';
export type { BalancerOptions } from './balancer.ts';
export { Balancer } from './balancer.ts';
export { mayBeOut } from './ejection.ts';
export type { EndpointReport, EndpointStatus, PortReport, Question, ServiceReport } from './explain.ts';
export { explainPort, explainService } from './explain.ts';
