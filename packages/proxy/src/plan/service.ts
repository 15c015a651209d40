/** The plan of one Service: its ports, per address family, and its health-check answer. Pure. */

import type { ServiceView } from '../catalog/catalog.ts';
import { joinEndpoints } from '../catalog/endpoints.ts';
import { familyOf } from '../catalog/ip.ts';
import type { Family, ServicePortRecord, ServiceRecord } from '../catalog/records.ts';
import { handlingOf } from './handling.ts';
import { selectEndpoints } from './selection.ts';
import { policyFor, settingsOf } from './settings.ts';
import { externalTraffic, internalTraffic } from './traffic.ts';
import type { PlanContext, PortPlan, ServicePlan } from './types.ts';

/**
 * Plans every port of a Service in each of its families.
 *
 * A headless Service, or one without a clusterIP yet, is planned too, with no address of its own: kernel modes have
 * nothing to match for it, but `--publish` can still balance its endpoints.
 */
export function planService(view: ServiceView, context: PlanContext): ServicePlan {
  const { key, service } = view;
  const ports: PortPlan[] = [];
  for (const port of service.ports) {
    for (const family of familiesOf(view)) ports.push(planPort(view, port, family, context));
  }
  return {
    key,
    ports,
    ...(service.healthCheckNodePort > 0
      ? { healthCheck: { port: service.healthCheckNodePort, localEndpoints: localReady(view, context) } }
      : {}),
    ...(ports.length === 0 ? { skipped: whySkipped(service) } : {}),
  };
}

function planPort(
  { key, service, slices, policies }: ServiceView,
  port: ServicePortRecord,
  family: Family,
  context: PlanContext,
): PortPlan {
  const ofFamily = (address: string): boolean => familyOf(address) === family;
  const externalIPs = service.externalIPs.filter(ofFamily);
  const loadBalancerIPs = service.loadBalancerIPs.filter(ofFamily);
  const { internalTrafficPolicy, externalTrafficPolicy } = service;
  const endpoints = joinEndpoints(slices, port, family, context.nodeName);
  const selection = selectEndpoints({
    endpoints,
    internalTrafficPolicy,
    externalTrafficPolicy,
    external: port.nodePort > 0 || loadBalancerIPs.length > 0 || externalIPs.length > 0,
    nodeName: context.nodeName,
    zone: context.zone,
  });
  const masquerade = { detector: context.podCIDRs.length > 0, masqueradeAll: context.masqueradeAll };
  const policy = policyFor(policies, key, port.name);
  return {
    id: `${key}:${port.name === '' ? port.port : port.name}/${port.protocol}/${family}`,
    service: key,
    name: port.name,
    protocol: port.protocol,
    port: port.port,
    family,
    handling: handlingOf(port, context.mode, policy !== undefined),
    clusterIP: service.clusterIPs.find(ofFamily) ?? '',
    externalIPs,
    loadBalancerIPs,
    sourceRanges: service.sourceRanges.filter((cidr) => familyOf(cidr) === family),
    nodePort: port.nodePort,
    internalTrafficPolicy,
    externalTrafficPolicy,
    affinitySeconds: service.affinitySeconds,
    policy: policy === undefined ? '' : `${policy.namespace}/${policy.name}`,
    settings: settingsOf(context.defaults, policy),
    endpoints,
    selection,
    internal: internalTraffic(selection, internalTrafficPolicy, masquerade),
    external: externalTraffic(selection, externalTrafficPolicy, masquerade),
  };
}

/** The families of its clusterIPs; without any, those it asks for or has endpoints in. */
function familiesOf({ service, slices }: ServiceView): readonly Family[] {
  if (service.clusterIPs.length > 0) return service.families;
  const families = new Set<Family>(service.families);
  for (const slice of slices) families.add(slice.family);
  return families.size > 0 ? [...families] : ['IPv4'];
}

/**
 * Ready endpoints on this node, each backend once: terminating ones do not count, so that load balancers move away
 * while the last of them drain. A dual-stack backend is one backend: the larger of the two families' counts.
 */
function localReady({ slices }: ServiceView, { nodeName }: PlanContext): number {
  const addresses = { IPv4: new Set<string>(), IPv6: new Set<string>() };
  for (const { family, endpoints } of slices) {
    for (const { address, node, ready } of endpoints) {
      if (ready && node !== '' && node === nodeName) addresses[family].add(address);
    }
  }
  return Math.max(addresses.IPv4.size, addresses.IPv6.size);
}

function whySkipped(service: ServiceRecord): string {
  if (service.type === 'ExternalName') return 'it is an ExternalName: DNS answers for it, nothing is proxied';
  return 'it has no ports';
}
