/** The settings of one Service port: the proxy's defaults, then its TrafficPolicies. */

import type { PolicyRecord } from '../catalog/records.ts';
import type { TrafficSettings } from './types.ts';

/** What applies to a port without any TrafficPolicy. */
export const DEFAULT_SETTINGS: TrafficSettings = Object.freeze({
  // Tells long from short connections, at the price of two random numbers a connection.
  balancing: 'LeastConnections',
  // Long enough for one lost SYN (1 s) and a slow accept; a dead host costs this much once per try.
  connectTimeoutMs: 2_000,
  // As kube-proxy's established-connection tracking is for days, so idle connections are kept for an hour.
  idleTimeoutMs: 3_600_000,
  maxConnections: 10_000,
  maxConnectionsPerEndpoint: 0,
  consecutiveFailures: 5,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjectionPercent: 50,
});

/** `policies` in rising precedence: what a later one says replaces what an earlier one said. */
export function settingsOf(defaults: TrafficSettings, policies: readonly PolicyRecord[]): TrafficSettings {
  if (policies.length === 0) return defaults;
  return Object.assign({}, defaults, ...policies.map((policy) => policy.settings)) as TrafficSettings;
}
