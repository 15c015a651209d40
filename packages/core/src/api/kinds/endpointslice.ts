/** discovery.k8s.io/v1 EndpointSlice: a share of a Service's endpoints. */

import type { Infer } from '../build.ts';
import { boolean, integer, list, map, object, string } from '../build.ts';
import { validateEndpointSlice } from '../rules/endpoints.ts';
import type { ObjectWith } from './define.ts';
import { defineKind } from './define.ts';
import { firstFew } from './text.ts';
import { objectReference } from './meta.ts';
import { protocols } from './service.ts';

export const endpointConditions = object(
  {
    ready: boolean('Takes new connections; absent means true'),
    serving: boolean('Would take connections were it not terminating; absent means the same as ready'),
    terminating: boolean('Is on its way out; absent means false'),
  },
  { description: 'State of the endpoint' },
);
export type EndpointConditions = Infer<typeof endpointConditions>;

export const endpoint = object(
  {
    addresses: list(string(), 'Addresses of the endpoint; readers use the first', { listType: 'set' }),
    conditions: endpointConditions,
    hostname: string('Host name of the endpoint'),
    targetRef: objectReference,
    deprecatedTopology: map(string(), 'Topology labels of older versions'),
    nodeName: string('Node the endpoint runs on'),
    zone: string('Zone the endpoint is in'),
    hints: object(
      {
        forZones: list(
          object({ name: string('Name of the zone') }, { required: ['name'] }),
          'Zones that should use it',
        ),
        forNodes: list(
          object({ name: string('Name of the node') }, { required: ['name'] }),
          'Nodes that should use it',
        ),
      },
      { description: 'Who should use this endpoint' },
    ),
  },
  { required: ['addresses'], description: 'One backend of the Service' },
);
export type Endpoint = Infer<typeof endpoint>;

export const endpointPort = object(
  {
    name: string('Name of the Service port', { keepEmpty: true, default: '' }),
    port: integer('Port number; absent means every port', { format: 'int32' }),
    protocol: string('Transport protocol', { enum: protocols, default: 'TCP' }),
    appProtocol: string('Application protocol'),
  },
  { required: ['protocol'], description: 'One port' },
);
export type EndpointPort = Infer<typeof endpointPort>;

/** `endpoints` and `ports` may be absent or null in what a server sends: readers write `slice.endpoints ?? []`. */
const fields = {
  addressType: string('Type of every address in this slice; cannot be changed', {
    enum: ['IPv4', 'IPv6', 'FQDN'],
  }),
  endpoints: list(endpoint, 'The endpoints, at most 1000'),
  ports: list(endpointPort, 'Ports that every one of these endpoints has'),
};
export type EndpointSlice = ObjectWith<typeof fields, 'addressType'>;

export const endpointSliceKind = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  resource: 'endpointslices',
  description: "A share of a Service's endpoints; readers merge all slices of a Service.",
  fields,
  required: ['addressType'],
  allowCreateOnUpdate: true,
  validate: validateEndpointSlice,
  columns: [
    {
      name: 'AddressType',
      type: 'string',
      description: 'Type of the addresses',
      priority: 0,
      cell: (slice) => slice.addressType,
    },
    { name: 'Ports', type: 'string', description: 'Ports of every endpoint', priority: 0, cell: portNumbers },
    {
      name: 'Endpoints',
      type: 'string',
      description: 'Addresses of the endpoints',
      priority: 0,
      cell: (slice) =>
        firstFew(
          (slice.endpoints ?? []).flatMap(({ addresses }) => addresses),
          ' + ',
          '<unset>',
        ),
    },
  ],
});

function portNumbers(slice: EndpointSlice): string {
  const numbers = (slice.ports ?? []).map(({ port }) => (port === undefined ? '*' : String(port)));
  return firstFew(numbers, ' + ', '<unset>');
}
