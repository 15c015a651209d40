/** What is kept of Services and their EndpointSlices by those who only ask "where is it", and the answer. Pure. */

import type { EndpointSlice, Service } from '../../api/index.ts';
import type { ServiceTarget } from '../../net/index.ts';

export interface ServiceRecord {
  readonly ports: readonly { readonly name: string; readonly port: number }[];
}

export interface SliceRecord {
  readonly service: string;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly endpoints: readonly SliceEndpoint[];
}

export interface SliceEndpoint {
  readonly address: string;
  readonly ready: boolean;
  /** The zone whose clients are meant to use it, or else the one it is in. */
  readonly zone?: string;
  readonly node?: string;
  /** Name of the Pod behind it, in the namespace of the Service. */
  readonly pod?: string;
}

/** One place of a Service. */
export interface ServiceEndpoint extends SliceEndpoint {
  readonly namespace: string;
  readonly port: number;
}

/** Every TCP endpoint behind a Service's port, ready or not; or why there is none. */
export function endpointsOf(
  target: ServiceTarget,
  service: ServiceRecord | undefined,
  slices: Iterable<SliceRecord>,
): { endpoints: ServiceEndpoint[]; problem: string } {
  const name = `Service ${target.namespace}/${target.name}`;
  if (service === undefined) return { endpoints: [], problem: `${name} does not exist` };
  const { port: wanted } = target;
  const ports = service.ports.filter(
    (port) => wanted === undefined || port.name === wanted || String(port.port) === wanted,
  );
  const [port] = ports;
  const names = service.ports.map((one) => one.name || one.port).join(', ');
  if (port === undefined)
    return { endpoints: [], problem: `${name} has no TCP port ${wanted ?? ''} (it has: ${names})` };
  if (ports.length > 1) return { endpoints: [], problem: `${name} has several ports (${names}): name one` };
  const { namespace } = target;
  const endpoints = new Map<string, ServiceEndpoint>();
  for (const slice of slices) {
    const number = slice.ports.find((one) => one.name === port.name)?.port;
    if (number === undefined) continue;
    for (const endpoint of slice.endpoints) {
      const key = `${endpoint.address} ${number}`;
      // While an endpoint moves between slices it may be in two: the ready one is the newer.
      if (endpoints.get(key)?.ready !== true) endpoints.set(key, { ...endpoint, namespace, port: number });
    }
  }
  const ready = [...endpoints.values()].some((endpoint) => endpoint.ready);
  return { endpoints: [...endpoints.values()], problem: ready ? '' : `${name} has no ready endpoint` };
}

export function projectService(service: Service): ServiceRecord {
  const tcp = (service.spec.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP');
  return { ports: tcp.map(({ name = '', port }) => ({ name, port })) };
}

/** Undefined for slices of host names, and for what belongs to no Service. */
export function projectSlice(slice: EndpointSlice): SliceRecord | undefined {
  const service = slice.metadata.labels?.['kubernetes.io/service-name'];
  if (service === undefined || slice.addressType === 'FQDN') return undefined;
  const ports = (slice.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP');
  return {
    service: `${slice.metadata.namespace}/${service}`,
    ports: ports.flatMap(({ name = '', port }) => (port === undefined ? [] : [{ name, port }])),
    endpoints: (slice.endpoints ?? []).flatMap(projectEndpoint),
  };
}

function projectEndpoint(endpoint: NonNullable<EndpointSlice['endpoints']>[number]): SliceEndpoint[] {
  const [address] = endpoint.addresses;
  if (address === undefined) return [];
  const { conditions, hints, nodeName, targetRef } = endpoint;
  const zone = hints?.forZones?.[0]?.name ?? endpoint.zone;
  return [
    {
      address,
      ready: conditions?.ready ?? true,
      ...(zone === undefined ? {} : { zone }),
      ...(nodeName === undefined ? {} : { node: nodeName }),
      ...(targetRef?.kind === 'Pod' && targetRef.name !== undefined ? { pod: targetRef.name } : {}),
    },
  ];
}
