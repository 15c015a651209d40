/** Defaults of a Service that depend on its other fields, and those that depend on the cluster. */

import type { IPFamily } from '../ip.ts';
import { ipFamily } from '../ip.ts';
import { invalid, item } from '../problems.ts';
import type { FieldError } from '../schema.ts';
import type { Service, ServiceSpec } from '../kinds/service.ts';
import { headless, isHeadless, needsExternalPolicy } from './service-shape.ts';

/** Three hours: how long ClientIP affinity remembers a client. */
export const defaultAffinitySeconds = 10_800;

export function defaultService(service: Service): void {
  const { spec } = service;
  defaultAffinity(spec);
  for (const port of spec.ports ?? []) {
    if (port.targetPort === undefined || port.targetPort === '' || port.targetPort === 0)
      port.targetPort = port.port;
  }
  if (needsExternalPolicy(spec)) spec.externalTrafficPolicy ??= 'Cluster';
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true;
  for (const ingress of service.status?.loadBalancer?.ingress ?? []) {
    if (ingress.ip) ingress.ipMode ??= 'VIP';
  }
}

/**
 * Decides ipFamilyPolicy and ipFamilies for the families the cluster has, its first one first. What cannot be had is
 * answered as problems. To be called before allocation, after `pairClusterIPs`. Changes `service`.
 */
export function defaultFamilies(service: Service, cluster: readonly IPFamily[]): FieldError[] {
  const { spec } = service;
  if (spec.type === 'ExternalName') return [];
  const families = askedFamilies(spec);
  const first = families[0] ?? cluster[0] ?? 'IPv4';
  if (isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0) {
    // It only describes endpoints that others write, of whatever family, so what the cluster has does not matter.
    if (families.length < 2)
      spec.ipFamilies = spec.ipFamilyPolicy === 'SingleStack' ? [first] : bothFrom(first);
    spec.ipFamilyPolicy ??= 'RequireDualStack';
    return [];
  }
  spec.ipFamilyPolicy ??= 'SingleStack';
  const errors = familyErrors(spec, families, cluster);
  if (errors.length > 0) return errors;
  spec.ipFamilies = spec.ipFamilyPolicy === 'SingleStack' || cluster.length < 2 ? [first] : bothFrom(first);
  return [];
}

/** The families that are named, then those of given addresses beyond them. */
function askedFamilies(spec: ServiceSpec): IPFamily[] {
  const families: IPFamily[] = [...(spec.ipFamilies ?? [])];
  for (const ip of (spec.clusterIPs ?? []).slice(families.length)) {
    const family = ip === headless ? undefined : ipFamily(ip);
    if (family !== undefined && !families.includes(family)) families.push(family);
  }
  return families;
}

function familyErrors(
  spec: ServiceSpec,
  families: readonly IPFamily[],
  cluster: readonly IPFamily[],
): FieldError[] {
  const errors = families.flatMap((family, index) => {
    if (cluster.includes(family)) return [];
    if (spec.ipFamilies?.[index] === family) {
      return [invalid(item('spec.ipFamilies', index), family, 'not configured on this cluster')];
    }
    const detail = `may not use ${family} on a cluster which is not configured for it`;
    return [invalid(item('spec.clusterIPs', index), spec.clusterIPs?.[index], detail)];
  });
  const path = 'spec.ipFamilyPolicy';
  const policy = spec.ipFamilyPolicy;
  if (policy === 'RequireDualStack' && cluster.length < 2) {
    errors.push(invalid(path, policy, 'this cluster is not configured for dual-stack services'));
  }
  if (policy === 'SingleStack') {
    const two = (what: string): string =>
      `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`;
    if ((spec.clusterIPs?.length ?? 0) > 1) errors.push(invalid(path, policy, two('cluster IPs')));
    if ((spec.ipFamilies?.length ?? 0) > 1) errors.push(invalid(path, policy, two('IP families')));
  }
  return errors;
}

function bothFrom(first: IPFamily): IPFamily[] {
  return first === 'IPv4' ? ['IPv4', 'IPv6'] : ['IPv6', 'IPv4'];
}

function defaultAffinity(spec: ServiceSpec): void {
  if (spec.sessionAffinity === 'None') {
    delete spec.sessionAffinityConfig;
    return;
  }
  const timeoutSeconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds;
  spec.sessionAffinityConfig = { clientIP: { timeoutSeconds } };
}
