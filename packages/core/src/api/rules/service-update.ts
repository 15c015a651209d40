/**
 * How a Service may change, and what an update that leaves allocated values out keeps of the old state. Clients such as
 * `kubectl replace` send specs without clusterIP and nodePorts and mean "the same as before".
 */

import { equalJson } from '../equal.ts';
import { invalid, item } from '../problems.ts';
import type { FieldError } from '../schema.ts';
import type { Service, ServicePort, ServiceSpec } from '../kinds/service.ts';
import {
  isHeadless,
  needsClusterIP,
  needsExternalPolicy,
  needsHealthCheck,
  needsNodePort,
} from './service-shape.ts';

const unchangeable = 'may not change once set';

export function validateServiceUpdate(service: Service, old: Service): FieldError[] {
  const now = service.spec;
  const before = old.spec;
  if (now.type === 'ExternalName' || before.type === 'ExternalName') return [];
  return [
    ...(isHeadless(now) && isHeadless(before) ? [] : clusterIPChanges(now, before)),
    ...familyChanges(now, before),
    ...(now.type === 'LoadBalancer' &&
    before.type === 'LoadBalancer' &&
    now.loadBalancerClass !== before.loadBalancerClass
      ? [invalid('spec.loadBalancerClass', now.loadBalancerClass ?? '', unchangeable)]
      : []),
  ];
}

/** Everything that makes an update mean what its sender meant, before allocation. Changes `service`. */
export function prepareServiceUpdate(service: Service, old: Service): void {
  keepAllocations(service.spec, old.spec);
  dropOldType(service.spec, old.spec);
  pairClusterIPs(service, old);
  releaseSecondFamily(service.spec, old.spec);
}

/** `clusterIP` and `clusterIPs[0]` are one thing: whichever the client changed counts. Changes `service`. */
export function pairClusterIPs(service: Service, old?: Service): void {
  const now = service.spec;
  const before = old?.spec;
  if (now.clusterIP === undefined) {
    if (before?.clusterIP !== undefined && equalJson(now.clusterIPs, before.clusterIPs))
      delete now.clusterIPs;
  } else if (now.clusterIP !== before?.clusterIP && equalJson(now.clusterIPs, before?.clusterIPs)) {
    now.clusterIPs = [now.clusterIP];
  }
}

/** Takes over what was allocated before, where the update does not mention it. */
function keepAllocations(now: ServiceSpec, before: ServiceSpec): void {
  if (needsClusterIP(now) && needsClusterIP(before)) {
    if (before.clusterIP !== undefined) now.clusterIP ??= before.clusterIP;
    if (now.clusterIP === before.clusterIP && before.clusterIPs !== undefined)
      now.clusterIPs ??= [...before.clusterIPs];
  }
  if (needsNodePort(now) && needsNodePort(before)) keepNodePorts(now.ports ?? [], before.ports ?? []);
  if (needsHealthCheck(now) && needsHealthCheck(before) && before.healthCheckNodePort !== undefined) {
    now.healthCheckNodePort ??= before.healthCheckNodePort;
  }
}

/** Drops what belonged to the old type and was left as it was: a change of `type` alone is then a valid update. */
function dropOldType(now: ServiceSpec, before: ServiceSpec): void {
  const left: (keyof ServiceSpec)[] = [];
  if (needsClusterIP(before) && !needsClusterIP(now)) {
    left.push('clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy');
  }
  if (needsNodePort(before) && !needsNodePort(now)) dropNodePorts(now.ports ?? [], before.ports ?? []);
  if (needsHealthCheck(before) && !needsHealthCheck(now)) left.push('healthCheckNodePort');
  if (needsExternalPolicy(before) && !needsExternalPolicy(now)) left.push('externalTrafficPolicy');
  if (before.type === 'LoadBalancer' && now.type !== 'LoadBalancer') {
    left.push('allocateLoadBalancerNodePorts', 'loadBalancerClass');
  }
  for (const field of left) if (equalJson(now[field], before[field])) delete now[field];
}

/** `ipFamilyPolicy: SingleStack` alone gives the second address and family back. */
function releaseSecondFamily(now: ServiceSpec, before: ServiceSpec): void {
  if (now.ipFamilyPolicy !== 'SingleStack' || before.ipFamilyPolicy === 'SingleStack') return;
  if (before.ipFamilyPolicy === undefined || !needsClusterIP(now) || !needsClusterIP(before)) return;
  if (equalJson(now.clusterIPs, before.clusterIPs)) now.clusterIPs?.splice(1);
  if (equalJson(now.ipFamilies, before.ipFamilies)) now.ipFamilies?.splice(1);
}

function clusterIPChanges(now: ServiceSpec, before: ServiceSpec): FieldError[] {
  const ips = now.clusterIPs ?? [];
  const old = before.clusterIPs ?? [];
  if (ips.length === old.length) {
    const changed = old.flatMap((ip, index) => (ip === ips[index] ? [] : [index]));
    return changed.map((index) => invalid(item('spec.clusterIPs', index), ips, unchangeable));
  }
  if (old.length === 0) return [];
  if (ips.length === 0) return [invalid('spec.clusterIPs[0]', ips, 'primary clusterIP can not be unset')];
  const errors = ips[0] === old[0] ? [] : [invalid('spec.clusterIPs[0]', ips, unchangeable)];
  if (ips.length < old.length && now.ipFamilyPolicy !== 'SingleStack') {
    errors.push(mustBeSingle(now, 'clusterIP'));
  }
  return errors;
}

function familyChanges(now: ServiceSpec, before: ServiceSpec): FieldError[] {
  const families = now.ipFamilies ?? [];
  const old = before.ipFamilies ?? [];
  // Without a virtual address nothing is bound to a family.
  if (old.length === 0 || isHeadless(now) || isHeadless(before)) return [];
  if (families.length === 0)
    return [invalid('spec.ipFamilies[0]', families, 'primary ipFamily can not be unset')];
  if (families.length === old.length) {
    const changed = old.flatMap((family, index) => (family === families[index] ? [] : [index]));
    return changed.map((index) => invalid(item('spec.ipFamilies', index), families, unchangeable));
  }
  const errors = families[0] === old[0] ? [] : [invalid('spec.ipFamilies[0]', families, unchangeable)];
  if (families.length < old.length && now.ipFamilyPolicy !== 'SingleStack')
    errors.push(mustBeSingle(now, 'ipFamily'));
  return errors;
}

function mustBeSingle(spec: ServiceSpec, released: string): FieldError {
  const detail = `must be set to 'SingleStack' when releasing the secondary ${released}`;
  return invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy ?? '', detail);
}

/** By name, as everything else of a port may have changed. */
function keepNodePorts(ports: ServicePort[], before: readonly ServicePort[]): void {
  const taken = new Set(ports.map(nodePortKey));
  for (const port of ports) {
    const nodePort = before.find((old) => (old.name ?? '') === (port.name ?? ''))?.nodePort;
    if (port.nodePort !== undefined || nodePort === undefined) continue;
    const key = nodePortKey({ ...port, nodePort });
    if (!taken.has(key)) port.nodePort = nodePort;
    taken.add(key);
  }
}

/** Unless one is new: that was asked for on purpose, and validation says why it cannot be. */
function dropNodePorts(ports: ServicePort[], before: readonly ServicePort[]): void {
  const old = new Set(before.map(nodePortKey));
  if (ports.some((port) => port.nodePort !== undefined && !old.has(nodePortKey(port)))) return;
  for (const port of ports) delete port.nodePort;
}

function nodePortKey({ protocol, nodePort }: ServicePort): string {
  return `${protocol}/${nodePort ?? 0}`;
}
