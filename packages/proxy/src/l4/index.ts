/** The TCP relay: published Service ports and their connections. */

export { L4Metrics } from './metrics.ts';
export type { FailureReason } from './metrics.ts';
export { firstSyncWaitMs, maxWaiting, PublishedPort } from './port.ts';
export type { PortDeps } from './port.ts';
export { drainIdleMs, Sweeper, sweepMs } from './sweep.ts';
