/** Questions about a Service that rules, allocation and proxies all ask. */

import type { ServiceSpec } from '../kinds/service.ts';

export const headless = 'None';

/** Has no virtual address by choice: names resolve to the endpoints themselves. */
export function isHeadless(spec: Pick<ServiceSpec, 'clusterIP' | 'clusterIPs'>): boolean {
  return spec.clusterIP === headless || (spec.clusterIPs?.length === 1 && spec.clusterIPs[0] === headless);
}

/** Reached from outside the cluster, so that `externalTrafficPolicy` means something. */
export function needsExternalPolicy(spec: Pick<ServiceSpec, 'type' | 'externalIPs'>): boolean {
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') return true;
  return spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0;
}

/** Has a node port of its own that a load balancer asks for local endpoints. */
export function needsHealthCheck(spec: Pick<ServiceSpec, 'type' | 'externalTrafficPolicy'>): boolean {
  return spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
}

/** Takes virtual addresses from the pool. */
export function needsClusterIP(spec: Pick<ServiceSpec, 'type'>): boolean {
  return spec.type !== 'ExternalName';
}

/** Takes node ports from the pool. */
export function needsNodePort(spec: Pick<ServiceSpec, 'type' | 'allocateLoadBalancerNodePorts'>): boolean {
  return (
    spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)
  );
}
