/** Balancing: which endpoint the next connection of a Service port goes to. */

export type { BalanceCounters, EndpointState, Pick, Refusal } from './types.ts';
