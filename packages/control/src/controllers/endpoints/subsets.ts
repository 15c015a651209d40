/** From pods to the subsets of an Endpoints object. Pure. */

import type { EndpointAddress, EndpointsPort, EndpointSubset, Service } from '@outrigger/core/api';
import { isHeadless } from '@outrigger/core/api';
import type { PodRecord } from '../pod-record.ts';
import { hostnameOf, isEndpoint, portNumbers } from '../slices/endpoint.ts';
import { familiesOf } from '../slices/reconcile.ts';

/** Every pod once, under the ports it has; sorted, so that equal pods give equal subsets. */
export function subsetsOf(service: Service, pods: readonly PodRecord[]): EndpointSubset[] {
  const family = familiesOf(service)[0] ?? 'IPv4';
  const all = service.spec.publishNotReadyAddresses === true;
  const groups = new Map<string, Required<EndpointSubset>>();
  for (const pod of pods) {
    if (!isEndpoint(pod, family) || (pod.terminating && !all)) continue;
    const numbers = portNumbers(service, pod);
    const ports = portsOf(service, numbers);
    if (ports.length === 0 && !isPortless(service)) continue;
    const key = numbers.join();
    const group = groups.get(key) ?? { addresses: [], notReadyAddresses: [], ports };
    groups.set(key, group);
    const address = addressOf(service, pod, pod.ips[family] ?? '');
    if (pod.serving || all) group.addresses.push(address);
    else group.notReadyAddresses.push(address);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => tidied(group));
}

function addressOf(service: Service, pod: PodRecord, ip: string): EndpointAddress {
  const hostname = hostnameOf(service, pod);
  return {
    ip,
    ...(hostname === undefined ? {} : { hostname }),
    ...(pod.nodeName === undefined ? {} : { nodeName: pod.nodeName }),
    targetRef: { kind: 'Pod', namespace: pod.namespace, name: pod.name, uid: pod.uid },
  };
}

function portsOf({ spec }: Service, numbers: readonly (number | undefined)[]): EndpointsPort[] {
  return (spec.ports ?? []).flatMap(({ name = '', protocol, appProtocol }, index) => {
    const port = numbers[index];
    if (port === undefined) return [];
    return [
      {
        ...(name === '' ? {} : { name }),
        port,
        protocol,
        ...(appProtocol === undefined ? {} : { appProtocol }),
      },
    ];
  });
}

/** A headless Service may have no ports at all: it only names its pods. */
function isPortless({ spec }: Service): boolean {
  return isHeadless(spec) && (spec.ports ?? []).length === 0;
}

function tidied({ addresses, notReadyAddresses, ports }: Required<EndpointSubset>): EndpointSubset {
  return {
    ...(addresses.length === 0 ? {} : { addresses: addresses.sort(byAddress) }),
    ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses: notReadyAddresses.sort(byAddress) }),
    ...(ports.length === 0 ? {} : { ports }),
  };
}

function byAddress(a: EndpointAddress, b: EndpointAddress): number {
  const [left, right] = [a, b].map(({ ip, targetRef }) => `${ip}|${targetRef?.uid ?? ''}`);
  return (left ?? '') < (right ?? '') ? -1 : 1;
}
