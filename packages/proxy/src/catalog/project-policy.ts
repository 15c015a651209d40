/** TrafficPolicy object → record: the settings in the units of the program, each wrong one left out by name. */

import { parseDuration } from '@outrigger/core/api';
import type { PolicyFields } from './objects.ts';
import type { Balancing, PolicyRecord, PolicySettings, PolicyTarget } from './records.ts';

/** Undefined without a name. Fields that a server without our schema let through wrongly fall to the default. */
export function projectPolicy(object: PolicyFields): PolicyRecord | undefined {
  const { name, namespace, creationTimestamp } = object.metadata ?? {};
  if (!name || !namespace) return undefined;
  const problems: string[] = [];
  const created = Date.parse(creationTimestamp ?? '');
  return {
    namespace,
    name,
    targets: targets(namespace, object),
    createdAtMs: Number.isNaN(created) ? 0 : created,
    settings: policySettings(object.spec ?? {}, problems),
    ...(problems.length > 0 ? { problems } : {}),
  };
}

/** The settings of a spec; what is wrong with it is added to `problems`. */
export function policySettings(spec: NonNullable<PolicyFields['spec']>, problems: string[]): PolicySettings {
  const { connectionLimit, ejection } = spec;
  const read = <T>(path: string, value: unknown, parse: (value: unknown) => T | undefined): T | undefined => {
    if (value === undefined || value === null) return undefined;
    const parsed = parse(value);
    if (parsed === undefined) problems.push(`${path} ignored: ${JSON.stringify(value)}`);
    return parsed;
  };
  return dropAbsent({
    balancing: read('balancing', spec.balancing, balancing),
    connectTimeoutMs: read('connectTimeout', spec.connectTimeout, milliseconds),
    idleTimeoutMs: read('idleTimeout', spec.idleTimeout, milliseconds),
    maxConnections: read('connectionLimit.total', connectionLimit?.total, count),
    maxConnectionsPerEndpoint: read('connectionLimit.perEndpoint', connectionLimit?.perEndpoint, count),
    consecutiveFailures: read('ejection.consecutiveFailures', ejection?.consecutiveFailures, count),
    baseEjectionMs: read('ejection.baseEjectionTime', ejection?.baseEjectionTime, milliseconds),
    maxEjectionMs: read('ejection.maxEjectionTime', ejection?.maxEjectionTime, milliseconds),
    maxEjectionPercent: read('ejection.maxEjectionPercent', ejection?.maxEjectionPercent, count),
  });
}

function targets(namespace: string, object: PolicyFields): PolicyTarget[] {
  return (object.spec?.targetRefs ?? []).flatMap(({ group, kind, name, sectionName }) =>
    !group && (kind ?? 'Service') === 'Service' && name
      ? [{ service: `${namespace}/${name}`, port: sectionName ?? '' }]
      : [],
  );
}

function balancing(value: unknown): Balancing | undefined {
  return value === 'roundRobin' || value === 'leastConnections' ? value : undefined;
}

function milliseconds(value: unknown): number | undefined {
  return typeof value === 'string' ? parseDuration(value) : undefined;
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}

function dropAbsent(all: { [K in keyof PolicySettings]: PolicySettings[K] | undefined }): PolicySettings {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
