/** Service object → record. */

import type { ServiceFields } from './objects.ts';
import { canonicalCidr, canonicalIp, familyOf } from './ip.ts';
import type { Family, Protocol, ServicePortRecord, ServiceRecord } from './records.ts';

/** Services with this label belong to another proxy. */
const PROXY_NAME_LABEL = 'service.kubernetes.io/service-proxy-name';
/** Services with this label are to be treated as headless whatever their clusterIP. */
const HEADLESS_LABEL = 'service.kubernetes.io/headless';
const DEFAULT_AFFINITY_SECONDS = 10_800;
/** Matches no client. */
const NOBODY: readonly string[] = ['0.0.0.0/32', '::/128'];

/** Undefined for a Service that is another proxy's business (`service-proxy-name`) or has no name. */
export function projectService(object: ServiceFields): ServiceRecord | undefined {
  const { name, namespace, labels } = object.metadata ?? {};
  if (!name || !namespace || labels?.[PROXY_NAME_LABEL] !== undefined) return undefined;
  const spec = object.spec ?? {};
  const problems: string[] = [];
  const type = serviceType(spec.type);
  const listed = (spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP]).filter(
    (ip) => !!ip,
  ) as string[];
  const headless = labels?.[HEADLESS_LABEL] !== undefined || listed.includes('None');
  const clusterIPs = headless || type === 'ExternalName' ? [] : addresses(listed, 'clusterIP', problems);
  const ingress = (object.status?.loadBalancer?.ingress ?? []).filter((entry) => entry.ipMode !== 'Proxy');
  const external = spec.externalTrafficPolicy === 'Local' ? 'Local' : 'Cluster';
  return {
    namespace,
    name,
    type,
    headless,
    clusterIPs,
    families: serviceFamilies(spec.ipFamilies, clusterIPs),
    ports: type === 'ExternalName' ? [] : servicePorts(spec, problems),
    externalIPs: addresses(spec.externalIPs ?? [], 'externalIP', problems),
    // A host name without an IP is the load balancer's own: nothing here could match it.
    loadBalancerIPs: addresses(
      ingress.flatMap((entry) => (entry.ip ? [entry.ip] : [])),
      'load-balancer IP',
      problems,
    ),
    sourceRanges: sourceRanges(spec.loadBalancerSourceRanges ?? [], problems),
    internalTrafficPolicy: spec.internalTrafficPolicy === 'Local' ? 'Local' : 'Cluster',
    externalTrafficPolicy: external,
    affinitySeconds:
      spec.sessionAffinity === 'ClientIP'
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS)
        : 0,
    healthCheckNodePort:
      type === 'LoadBalancer' && external === 'Local' ? (spec.healthCheckNodePort ?? 0) : 0,
    ...(problems.length > 0 ? { problems } : {}),
  };
}

/** TCP, UDP or SCTP; TCP when absent; undefined for anything else. */
export function protocolOf(text: string | null | undefined): Protocol | undefined {
  if (text === undefined || text === null || text === '') return 'TCP';
  return text === 'TCP' || text === 'UDP' || text === 'SCTP' ? text : undefined;
}

function serviceType(text: string | null | undefined): ServiceRecord['type'] {
  return text === 'NodePort' || text === 'LoadBalancer' || text === 'ExternalName' ? text : 'ClusterIP';
}

function serviceFamilies(
  listed: readonly string[] | null | undefined,
  clusterIPs: readonly string[],
): readonly Family[] {
  if (clusterIPs.length > 0) return [...new Set(clusterIPs.map(familyOf))];
  const known = (listed ?? []).filter((family): family is Family => family === 'IPv4' || family === 'IPv6');
  return [...new Set(known)];
}

function servicePorts(spec: NonNullable<ServiceFields['spec']>, problems: string[]): ServicePortRecord[] {
  const ports: ServicePortRecord[] = [];
  for (const { name, protocol: text, port, nodePort, appProtocol } of spec.ports ?? []) {
    const protocol = protocolOf(text);
    if (!port || protocol === undefined) {
      problems.push(`port ${name ? name : String(port)} ignored: ${port ? `protocol ${text}` : 'no number'}`);
      continue;
    }
    ports.push({ name: name ?? '', protocol, port, nodePort: nodePort ?? 0, appProtocol: appProtocol ?? '' });
  }
  return ports;
}

function addresses(texts: readonly string[], what: string, problems: string[]): string[] {
  const found = new Set<string>();
  for (const text of texts) {
    const ip = canonicalIp(text);
    if (ip === undefined) problems.push(`${what} ${JSON.stringify(text)} ignored: not an IP address`);
    else found.add(ip.address);
  }
  return [...found];
}

/** Ranges that were given but are all unreadable close the door: an empty list would open it to everyone. */
function sourceRanges(texts: readonly string[], problems: string[]): readonly string[] {
  const ranges = new Set<string>();
  for (const text of texts) {
    const cidr = canonicalCidr(text);
    if (cidr === undefined) problems.push(`source range ${JSON.stringify(text)} ignored: not a CIDR`);
    else ranges.add(cidr.address);
  }
  return texts.length > 0 && ranges.size === 0 ? NOBODY : [...ranges];
}
