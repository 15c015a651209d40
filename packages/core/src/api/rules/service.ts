/** Rules of a Service (Kubernetes' ValidateService), field by field; defaults have been applied. */

import { cidrProblems, ipProblems, specialIPProblems } from '../ip.ts';
import { validateLabels } from '../metadata.ts';
import { dns1123Subdomain, qualifiedName } from '../names.ts';
import { duplicate, forbidden, invalid, invalidBy, item, notSupported, required } from '../problems.ts';
import type { FieldError } from '../schema.ts';
import type { Service, ServicePort, ServiceSpec } from '../kinds/service.ts';
import {
  PortNames,
  repeated,
  validateAppProtocol,
  validatePortNumber,
  validatePortReference,
} from './ports.ts';
import { validateClusterIPs } from './service-addresses.ts';
import { isHeadless, needsExternalPolicy, needsHealthCheck } from './service-shape.ts';
import { validateServiceUpdate } from './service-update.ts';

/** A day: longer affinity would pin clients to endpoints for good. */
export const maxAffinitySeconds = 86_400;
/** The kubelet's own port, which no cloud may open to the world by accident. */
const kubeletPort = 10_250;
const trafficDistributions = ['PreferClose', 'PreferSameNode', 'PreferSameZone'];

export function validateService(service: Service, old: Service | undefined): FieldError[] {
  const { spec } = service;
  return [
    ...validateType(spec),
    ...validatePorts(spec),
    ...validateLabels(spec.selector ?? {}, 'spec.selector'),
    ...validateAffinity(spec),
    ...validateClusterIPs(spec),
    ...validateExternalIPs(spec),
    ...validateLoadBalancer(spec),
    ...validatePolicies(spec),
    ...(old === undefined ? [] : validateServiceUpdate(service, old)),
  ];
}

function validateType(spec: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName') return validateExternalName(spec);
  if (spec.type === 'ClusterIP' || !isHeadless(spec)) return [];
  return [invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`)];
}

function validateExternalName(spec: ServiceSpec): FieldError[] {
  const given = (['clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const).filter(
    (field) => (spec[field]?.length ?? 0) > 0,
  );
  const errors = given.map((field) => forbidden(`spec.${field}`, 'may not be set for ExternalName services'));
  // A trailing dot only says that the name is complete.
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (name === '') return [...errors, required('spec.externalName')];
  return [...errors, ...invalidBy('spec.externalName', name, dns1123Subdomain(name))];
}

function validatePorts(spec: ServiceSpec): FieldError[] {
  const ports = spec.ports ?? [];
  if (ports.length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName')
    return [required('spec.ports')];
  const names = new PortNames(ports.length > 1);
  return [
    ...ports.flatMap((port, index) => validatePort(port, names, item('spec.ports', index), spec)),
    ...repeated(ports, nodePortKey).map((index) =>
      duplicate(`${item('spec.ports', index)}.nodePort`, ports[index]?.nodePort),
    ),
    ...repeated(ports, ({ protocol, port }) => `${protocol}/${port}`).map((index) =>
      duplicate(item('spec.ports', index), { protocol: ports[index]?.protocol, port: ports[index]?.port }),
    ),
  ];
}

function validatePort(port: ServicePort, names: PortNames, path: string, spec: ServiceSpec): FieldError[] {
  const errors = [
    ...names.check(port.name, `${path}.name`),
    ...validatePortNumber(port.port, `${path}.port`),
    ...validatePortReference(port.targetPort ?? port.port, `${path}.targetPort`),
    ...validateAppProtocol(port.appProtocol, `${path}.appProtocol`),
  ];
  if (spec.type === 'LoadBalancer' && port.port === kubeletPort) {
    const detail = `may not expose port ${kubeletPort} externally since it is used by kubelet`;
    errors.push(invalid(path, port.port, detail));
  }
  if (nodePortKey(port) === undefined) return errors;
  if (spec.type === 'ClusterIP' || spec.type === 'ExternalName') {
    const detail = `may not be used when \`type\` is '${spec.type}'`;
    return [...errors, forbidden(`${path}.nodePort`, detail)];
  }
  return [...errors, ...validatePortNumber(port.nodePort ?? 0, `${path}.nodePort`)];
}

function nodePortKey({ protocol, nodePort }: ServicePort): string | undefined {
  return nodePort === undefined || nodePort === 0 ? undefined : `${protocol}/${nodePort}`;
}

function validateAffinity(spec: ServiceSpec): FieldError[] {
  const path = 'spec.sessionAffinityConfig';
  const config = spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'None') {
    return config === undefined ? [] : [forbidden(path, 'must not be set when session affinity is None')];
  }
  const why = 'when session affinity type is ClientIP';
  if (config === undefined) return [required(path, why)];
  if (config.clientIP === undefined) return [required(`${path}.clientIP`, why)];
  const seconds = config.clientIP.timeoutSeconds;
  if (seconds === undefined) return [required(`${path}.clientIP.timeoutSeconds`, why)];
  if (seconds > 0 && seconds <= maxAffinitySeconds) return [];
  const detail = `must be greater than 0 and less than ${maxAffinitySeconds}`;
  return [invalid(`${path}.clientIP.timeoutSeconds`, seconds, detail)];
}

function validateExternalIPs(spec: ServiceSpec): FieldError[] {
  return (spec.externalIPs ?? []).flatMap((ip, index) =>
    invalidBy(item('spec.externalIPs', index), ip, [...ipProblems(ip), ...specialIPProblems(ip)]),
  );
}

function validateLoadBalancer(spec: ServiceSpec): FieldError[] {
  if (spec.type !== 'LoadBalancer') {
    const given: string[] = [];
    if ((spec.loadBalancerSourceRanges?.length ?? 0) > 0) given.push('loadBalancerSourceRanges');
    if (spec.allocateLoadBalancerNodePorts !== undefined) given.push('allocateLoadBalancerNodePorts');
    if (spec.loadBalancerClass !== undefined) given.push('loadBalancerClass');
    return given.map((field) => forbidden(`spec.${field}`, "may only be used when `type` is 'LoadBalancer'"));
  }
  const loadBalancerClass = spec.loadBalancerClass;
  return [
    ...(spec.loadBalancerSourceRanges ?? []).flatMap((range, index) =>
      // Spaces around a range have always been tolerated, here and by every reader.
      invalidBy(item('spec.loadBalancerSourceRanges', index), range, cidrProblems(range.trim())),
    ),
    ...(spec.allocateLoadBalancerNodePorts === undefined
      ? [required('spec.allocateLoadBalancerNodePorts')]
      : []),
    ...(loadBalancerClass === undefined
      ? []
      : invalidBy('spec.loadBalancerClass', loadBalancerClass, qualifiedName(loadBalancerClass))),
  ];
}

function validatePolicies(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const external = spec.externalTrafficPolicy;
  if (needsExternalPolicy(spec)) {
    if (external === undefined) errors.push(required('spec.externalTrafficPolicy'));
  } else if (external !== undefined) {
    const detail = 'may only be set for externally-accessible services';
    errors.push(invalid('spec.externalTrafficPolicy', external, detail));
  }
  if (spec.internalTrafficPolicy === undefined && spec.type !== 'ExternalName') {
    errors.push(required('spec.internalTrafficPolicy'));
  }
  const distribution = spec.trafficDistribution;
  if (distribution !== undefined && !trafficDistributions.includes(distribution)) {
    errors.push(notSupported('spec.trafficDistribution', distribution, trafficDistributions));
  }
  return [...errors, ...validateHealthCheckPort(spec)];
}

function validateHealthCheckPort(spec: ServiceSpec): FieldError[] {
  const port = spec.healthCheckNodePort ?? 0;
  if (port === 0) return [];
  if (needsHealthCheck(spec)) return validatePortNumber(port, 'spec.healthCheckNodePort');
  const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
  return [invalid('spec.healthCheckNodePort', port, detail)];
}
