/**
 * The settings of one Service port: the proxy's defaults, or those of the TrafficPolicy that wins.
 *
 * A policy is whole: two are never mixed, so that the reader of one sees what applies. The most specific wins (for the
 * port before for the Service), then the oldest, then the first by name: Gateway API's rule for policies in conflict.
 */

import { defaultsOf, trafficPolicySpec } from '@outrigger/core/api';
import { policySettings } from '../catalog/project-policy.ts';
import type { ObjectKey, PolicyRecord } from '../catalog/records.ts';
import type { TrafficSettings } from './types.ts';

/** What applies to a port without any TrafficPolicy: what an empty one says. Its schema gives a default to every field. */
export const DEFAULT_SETTINGS = Object.freeze(
  policySettings(defaultsOf(trafficPolicySpec), []) as TrafficSettings,
);

/** The one policy of `policies` that applies to a Service port; undefined when none does. */
export function policyFor(
  policies: readonly PolicyRecord[],
  service: ObjectKey,
  port: string,
): PolicyRecord | undefined {
  let best: PolicyRecord | undefined;
  for (const policy of policies) {
    if (specificity(policy, service, port) === 0) continue;
    if (best === undefined || precedes(policy, best, service, port)) best = policy;
  }
  return best;
}

export function settingsOf(defaults: TrafficSettings, policy: PolicyRecord | undefined): TrafficSettings {
  return policy === undefined ? defaults : { ...defaults, ...policy.settings };
}

function precedes(a: PolicyRecord, b: PolicyRecord, service: ObjectKey, port: string): boolean {
  const bySpecificity = specificity(a, service, port) - specificity(b, service, port);
  if (bySpecificity !== 0) return bySpecificity > 0;
  return a.createdAtMs === b.createdAtMs ? a.name < b.name : a.createdAtMs < b.createdAtMs;
}

/** 2: names the port; 1: the whole Service; 0: not for it. */
function specificity(policy: PolicyRecord, service: ObjectKey, port: string): 0 | 1 | 2 {
  const targets = policy.targets.filter((target) => target.service === service);
  if (port !== '' && targets.some((target) => target.port === port)) return 2;
  return targets.some((target) => target.port === '') ? 1 : 0;
}
