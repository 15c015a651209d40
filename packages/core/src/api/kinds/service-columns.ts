/** What `kubectl get services` prints. */

import type { Column } from '../schema.ts';
import type { Service } from './service.ts';

export const clusterIPColumn: Column<Service> = {
  name: 'Cluster-IP',
  type: 'string',
  description: 'Virtual address',
  priority: 0,
  cell: (service) => service.spec.clusterIP || '<none>',
};

export const externalIPColumn: Column<Service> = {
  name: 'External-IP',
  type: 'string',
  description: 'Addresses that the outside uses',
  priority: 0,
  cell: externalAddresses,
};

export const portsColumn: Column<Service> = {
  name: 'Port(s)',
  type: 'string',
  description: 'Ports, each with its node port where it has one',
  priority: 0,
  cell: (service) => (service.spec.ports ?? []).map(portText).join(',') || '<none>',
};

export const selectorColumn: Column<Service> = {
  name: 'Selector',
  type: 'string',
  description: 'Labels of the pods behind it',
  priority: 1,
  afterAge: true,
  cell: (service) => formatLabels(service.spec.selector ?? {}) || '<none>',
};

function portText(port: { port: number; nodePort?: number; protocol: string }): string {
  const node = port.nodePort === undefined || port.nodePort === 0 ? '' : `:${port.nodePort}`;
  return `${port.port}${node}/${port.protocol}`;
}

function externalAddresses(service: Service): string {
  const { type, externalName, externalIPs } = service.spec;
  if (type === 'ExternalName') return externalName || '<none>';
  const given = externalIPs ?? [];
  if (type !== 'LoadBalancer') return given.join(',') || '<none>';
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  const assigned = ingress.map((entry) => entry.ip || entry.hostname || '').filter((text) => text !== '');
  return [...new Set([...assigned, ...given])].join(',') || '<pending>';
}

function formatLabels(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .toSorted()
    .join(',');
}
