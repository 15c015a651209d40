/** From a pod to its endpoint. Pure. */

import type { Endpoint, EndpointPort, IPFamily, Service } from '@outrigger/core/api';
import type { PodRecord } from '../pod-record.ts';
import { targetPort } from '../pod-record.ts';

/** Ended pods and pods without an address are no endpoints; terminating ones still are, until they are gone. */
export function isEndpoint(pod: PodRecord, family: IPFamily): boolean {
  return !pod.terminal && pod.ips[family] !== undefined;
}

/** `zone` is that of the pod's node, where it is known. */
export function endpointOf(
  service: Service,
  pod: PodRecord,
  family: IPFamily,
  zone: string | undefined,
): Endpoint {
  const { serving, terminating, nodeName } = pod;
  // Never ready while terminating, for readers that know no other condition; unless the Service wants them all.
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const hostname = hostnameOf(service, pod);
  const hints = hintsOf(service, zone, nodeName);
  return {
    addresses: [pod.ips[family] ?? ''],
    conditions: { ready, serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    targetRef: { kind: 'Pod', namespace: pod.namespace, name: pod.name, uid: pod.uid },
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
    ...(hints === undefined ? {} : { hints }),
  };
}

/** The number of each Service port on a pod, undefined for a named port that the pod does not have. */
export function portNumbers(service: Service, pod: PodRecord): (number | undefined)[] {
  return (service.spec.ports ?? []).map((port) => targetPort(port, pod));
}

/** The ports that have a number. */
export function endpointPorts(service: Service, numbers: readonly (number | undefined)[]): EndpointPort[] {
  return (service.spec.ports ?? []).flatMap(({ name = '', protocol, appProtocol }, index) => {
    const port = numbers[index];
    if (port === undefined) return [];
    return [{ name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

/** A pod has a name of its own in DNS when its subdomain is the Service. */
export function hostnameOf(
  { metadata }: Service,
  { hostname, subdomain, namespace }: PodRecord,
): string | undefined {
  if (hostname === undefined || hostname === '') return undefined;
  return subdomain === metadata.name && namespace === metadata.namespace ? hostname : undefined;
}

/** What `trafficDistribution` asks for: each endpoint is for its own zone, or its own node first. */
function hintsOf(
  { spec }: Service,
  zone: string | undefined,
  nodeName: string | undefined,
): Endpoint['hints'] | undefined {
  const forZones = zone === undefined ? {} : { forZones: [{ name: zone }] };
  switch (spec.trafficDistribution) {
    case 'PreferClose':
    case 'PreferSameZone':
      return zone === undefined ? undefined : forZones;
    case 'PreferSameNode':
      return nodeName === undefined ? undefined : { ...forZones, forNodes: [{ name: nodeName }] };
    default:
      return undefined;
  }
}
