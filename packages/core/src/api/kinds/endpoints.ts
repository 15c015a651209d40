/** core/v1 Endpoints: the older list of a Service's addresses, kept for clients that still read it. */

import type { Infer } from '../build.ts';
import { integer, list, object, string } from '../build.ts';
import { validateEndpoints } from '../rules/endpoints.ts';
import type { ObjectWith } from './define.ts';
import { defineKind } from './define.ts';
import { firstFew } from './text.ts';
import { objectReference } from './meta.ts';
import { protocols } from './service.ts';

export const endpointAddress = object(
  {
    ip: string('Address of the endpoint'),
    hostname: string('Host name of the endpoint'),
    nodeName: string('Node the endpoint runs on'),
    targetRef: objectReference,
  },
  { required: ['ip'], description: 'One address' },
);
export type EndpointAddress = Infer<typeof endpointAddress>;

export const endpointsPort = object(
  {
    name: string('Name of the Service port; needed when there is more than one'),
    port: integer('Port number', { format: 'int32' }),
    protocol: string('Transport protocol', { enum: protocols, default: 'TCP' }),
    appProtocol: string('Application protocol'),
  },
  { required: ['port', 'protocol'], description: 'One port' },
);
export type EndpointsPort = Infer<typeof endpointsPort>;

export const endpointSubset = object(
  {
    addresses: list(endpointAddress, 'Addresses that take traffic'),
    notReadyAddresses: list(endpointAddress, 'Addresses that are not ready yet, or not any more'),
    ports: list(endpointsPort, 'Ports that every one of these addresses has'),
  },
  { description: 'Every address with every port' },
);
export type EndpointSubset = Infer<typeof endpointSubset>;

const fields = {
  subsets: list(endpointSubset, 'All endpoints: each subset is its addresses times its ports'),
};
export type Endpoints = ObjectWith<typeof fields>;

export const endpointsKind = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  resource: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  description: 'The addresses behind a Service, in the older form; EndpointSlice takes its place.',
  warning: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  fields,
  allowCreateOnUpdate: true,
  validate: validateEndpoints,
  columns: [
    {
      name: 'Endpoints',
      type: 'string',
      description: 'Addresses that take traffic',
      priority: 0,
      cell: (endpoints) => firstFew(readyAddresses(endpoints), ' + ', '<none>'),
    },
  ],
});

/** Every ready address with every port, as `IP:PORT`. */
function readyAddresses(endpoints: Endpoints): string[] {
  return (endpoints.subsets ?? []).flatMap((subset) => {
    const ips = (subset.addresses ?? []).map(({ ip }) => (ip.includes(':') ? `[${ip}]` : ip));
    const ports = subset.ports ?? [];
    return ports.length === 0 ? ips : ports.flatMap(({ port }) => ips.map((ip) => `${ip}:${port}`));
  });
}
