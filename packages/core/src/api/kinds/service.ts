/** core/v1 Service: a stable name and address for a set of endpoints. */

import type { Infer } from '../build.ts';
import { boolean, describe, integer, intOrString, keyedList, list, map, object, string } from '../build.ts';
import { dns1035Label } from '../names.ts';
import { defaultService } from '../rules/service-defaults.ts';
import { validateService } from '../rules/service.ts';
import type { ObjectWith } from './define.ts';
import { defineKind } from './define.ts';
import { clusterIPColumn, externalIPColumn, portsColumn, selectorColumn } from './service-columns.ts';
import { conditions } from './meta.ts';

export const protocols = ['TCP', 'UDP', 'SCTP'] as const;
export type Protocol = (typeof protocols)[number];

export const servicePort = object(
  {
    name: string('Name of the port; needed when there is more than one'),
    protocol: string('Transport protocol', { enum: protocols, default: 'TCP' }),
    appProtocol: string('Application protocol, such as kubernetes.io/h2c'),
    port: integer('Port the Service answers on', { format: 'int32' }),
    targetPort: intOrString(
      'Port of the endpoints: a number or the name of a container port; the same port if absent',
    ),
    nodePort: integer('Port on every node, for types NodePort and LoadBalancer', {
      omitZero: true,
      format: 'int32',
    }),
  },
  { required: ['port', 'protocol'], description: 'One port of a Service' },
);
export type ServicePort = Infer<typeof servicePort>;

const sessionAffinityConfig = object(
  {
    clientIP: object(
      {
        timeoutSeconds: integer('Seconds a client stays with its endpoint after its last connection', {
          format: 'int32',
        }),
      },
      { description: 'Settings of ClientIP affinity' },
    ),
  },
  { description: 'Settings of session affinity' },
);

export const serviceSpec = object(
  {
    ports: keyedList(servicePort, ['port', 'protocol'], 'Ports the Service answers on', {
      patchMergeKey: 'port',
    }),
    selector: map(
      string(),
      'Labels of the pods behind this Service; without one, endpoints are written by hand',
    ),
    clusterIP: string('Virtual address; None for a headless Service; allocated when absent'),
    clusterIPs: list(string(), 'Virtual addresses, one per IP family, the first the same as clusterIP'),
    type: string('How the Service is reached', {
      enum: ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'],
      default: 'ClusterIP',
    }),
    externalIPs: list(string(), 'Further addresses whose traffic nodes accept for this Service'),
    sessionAffinity: string('Whether connections of one client go to one endpoint', {
      enum: ['None', 'ClientIP'],
      default: 'None',
    }),
    loadBalancerIP: string('Address asked of the load balancer (deprecated)'),
    loadBalancerSourceRanges: list(string(), 'CIDRs that may use the load balancer address'),
    externalName: string('DNS name that a Service of type ExternalName stands for'),
    externalTrafficPolicy: string('Which endpoints traffic from outside may reach', {
      enum: ['Cluster', 'Local'],
    }),
    healthCheckNodePort: integer('Node port of the load balancer health check', {
      omitZero: true,
      format: 'int32',
    }),
    publishNotReadyAddresses: boolean('Treat endpoints as ready whatever their readiness'),
    sessionAffinityConfig,
    ipFamilies: list(string('', { enum: ['IPv4', 'IPv6'] }), 'IP families of the addresses'),
    ipFamilyPolicy: string('How many IP families are asked for', {
      enum: ['SingleStack', 'PreferDualStack', 'RequireDualStack'],
    }),
    allocateLoadBalancerNodePorts: boolean('Whether a LoadBalancer Service gets node ports'),
    loadBalancerClass: string('Which load balancer implementation is meant'),
    internalTrafficPolicy: string('Which endpoints traffic from inside may reach', {
      enum: ['Cluster', 'Local'],
    }),
    trafficDistribution: string('Preference among endpoints: PreferSameZone (PreferClose) or PreferSameNode'),
  },
  { required: ['type', 'sessionAffinity'], description: 'What the Service should be', default: {} },
);
export type ServiceSpec = Infer<typeof serviceSpec>;

const loadBalancerIngress = object(
  {
    ip: string('Address of the load balancer'),
    hostname: string('Name of the load balancer'),
    ipMode: string('VIP: packets keep the address as destination; Proxy: they do not', {
      enum: ['VIP', 'Proxy'],
    }),
    ports: list(
      object(
        {
          port: integer('Port', { format: 'int32' }),
          protocol: string('Protocol', { enum: protocols }),
          error: string('Why the port is not served'),
        },
        { required: ['port', 'protocol'] },
      ),
      'State of each port',
    ),
  },
  { description: 'Where the load balancer takes traffic' },
);

export const serviceStatus = object(
  {
    loadBalancer: object(
      { ingress: list(loadBalancerIngress, 'Addresses of the load balancer') },
      { description: 'State of the load balancer' },
    ),
    conditions,
  },
  { description: 'What was observed' },
);
export type ServiceStatus = Infer<typeof serviceStatus>;

const fields = {
  spec: serviceSpec,
  status: describe(serviceStatus, 'What was observed', { default: { loadBalancer: {} } }),
};
export type Service = ObjectWith<typeof fields, 'spec'>;

export const serviceKind = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  resource: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  description: 'A stable name and virtual address for a set of endpoints.',
  fields,
  required: ['spec'],
  allowCreateOnUpdate: true,
  validateName: dns1035Label,
  selectableFields: {
    'spec.clusterIP': (service) => service.spec.clusterIP ?? '',
    'spec.type': (service) => service.spec.type,
  },
  applyDefaults: defaultService,
  validate: validateService,
  columns: [
    {
      name: 'Type',
      type: 'string',
      description: 'How it is reached',
      priority: 0,
      cell: (service) => service.spec.type,
    },
    clusterIPColumn,
    externalIPColumn,
    portsColumn,
    selectorColumn,
  ],
});
