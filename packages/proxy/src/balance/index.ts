/** Balancing: which endpoint the next connection of a Service port goes to. */

export type { BalanceCounters, Balancing, EndpointState, Pick, Pool, Refusal } from './types.ts';
