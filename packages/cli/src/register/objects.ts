/** The objects `register` writes, as pure functions of its configuration and what the command is like just now. */

import { formatMicroTime, formatTime } from '@outrigger/core/api';
import type { EndpointSlice, Event, Lease, OwnerReference, Pod, Service } from '@outrigger/core/api';
import { familyOf } from './family.ts';
import type { RegisterConfig } from './config.ts';

/** What the command is like. */
export interface Condition {
  readonly running: boolean;
  readonly ready: boolean;
  /** Why it is not ready; a word and a sentence. */
  readonly reason: string;
  readonly message: string;
  readonly restarts: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly changedAt: number;
}

/** Pods with this label live as long as their Lease is renewed. */
export const registeredLabel = 'outrigger.dev/registered';
const appLabel = 'app.kubernetes.io/name';
const wellKnownPorts: Readonly<Record<string, number>> = {
  http: 80,
  https: 443,
  redis: 6379,
  postgres: 5432,
};

export function newService(config: RegisterConfig): Service {
  const { namespace, service, ports } = config;
  const servicePorts = ports.map(({ name, number }) => ({
    ...(name === undefined ? {} : { name }),
    port: wellKnownPorts[name ?? ''] ?? number,
    targetPort: name ?? number,
    protocol: 'TCP' as const,
  }));
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: service, namespace },
    spec: { selector: { [appLabel]: service }, ports: servicePorts },
  } as unknown as Service;
}

export function newPod(
  config: RegisterConfig,
  selector: Readonly<Record<string, string>>,
  command: readonly string[],
): Pod {
  const { namespace, name, nodeName, ports, readiness, liveness } = config;
  const containerPorts = ports.map((port) => ({
    containerPort: port.number,
    protocol: 'TCP' as const,
    ...(port.name === undefined ? {} : { name: port.name }),
  }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { ...selector, [registeredLabel]: 'true' } },
    spec: {
      nodeName,
      hostNetwork: true,
      restartPolicy: 'Always',
      containers: [
        {
          name: 'command',
          // There is no image: the command runs on the machine itself. The field is required.
          image: 'outrigger.dev/registered-command',
          command: [...command],
          ports: containerPorts,
          ...(readiness === undefined ? {} : { readinessProbe: readiness }),
          ...(liveness === undefined ? {} : { livenessProbe: liveness }),
        },
      ],
    },
  } as unknown as Pod;
}

export function podStatus(config: RegisterConfig, condition: Condition): Pod['status'] {
  const { address } = config;
  const since = formatTime(condition.changedAt);
  const ready = condition.ready ? 'True' : 'False';
  const why = condition.ready ? {} : { reason: condition.reason, message: condition.message };
  return {
    phase: 'Running',
    podIP: address,
    podIPs: [{ ip: address }],
    hostIP: address,
    startTime: formatTime(condition.startedAt),
    conditions: [
      { type: 'Initialized', status: 'True', lastTransitionTime: formatTime(condition.startedAt) },
      { type: 'Ready', status: ready, lastTransitionTime: since, ...why },
      { type: 'ContainersReady', status: ready, lastTransitionTime: since, ...why },
      { type: 'PodScheduled', status: 'True', lastTransitionTime: formatTime(condition.startedAt) },
    ],
    containerStatuses: [
      {
        name: 'command',
        image: 'outrigger.dev/registered-command',
        imageID: '',
        ready: condition.ready,
        started: condition.running,
        restartCount: condition.restarts,
        state: condition.running
          ? { running: { startedAt: formatTime(condition.startedAt) } }
          : { waiting: { reason: condition.reason, message: condition.message } },
      },
    ],
  };
}

/** Against foreign API servers: an EndpointSlice of our own, since their Pods are the kubelet's. */
export function newSlice(
  config: RegisterConfig,
  service: Service,
  condition: Condition,
  terminating: boolean,
): EndpointSlice {
  const { namespace, name, address, nodeName } = config;
  const { uid = '' } = service.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${config.service}-${name}`,
      namespace,
      labels: {
        'kubernetes.io/service-name': config.service,
        'endpointslice.kubernetes.io/managed-by': 'register.outrigger.dev',
      },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: config.service, uid }],
    },
    addressType: familyOf(address),
    ports: slicePorts(config, service),
    endpoints: [
      {
        addresses: [address],
        conditions: { ready: condition.ready && !terminating, serving: condition.ready, terminating },
        nodeName,
      },
    ],
  } as unknown as EndpointSlice;
}

/** The Service's port names with our numbers: that is what proxies join on. */
function slicePorts(
  config: RegisterConfig,
  service: Service,
): { name: string; port: number; protocol: string }[] {
  return config.ports.flatMap((port) => {
    const match = (service.spec.ports ?? []).find((one) =>
      port.name === undefined
        ? (one.targetPort ?? one.port) === port.number || config.ports.length === 1
        : one.name === port.name || one.targetPort === port.name,
    );
    return match === undefined ? [] : [{ name: match.name ?? '', port: port.number, protocol: 'TCP' }];
  });
}

export function newLease(config: RegisterConfig, owner: OwnerReference, wallMs: number): Lease {
  const { namespace, name } = config;
  const now = formatMicroTime(wallMs);
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace, ownerReferences: [owner] },
    spec: {
      holderIdentity: name,
      leaseDurationSeconds: config.leaseSeconds,
      acquireTime: now,
      renewTime: now,
    },
  };
}

export function newEvent(
  config: RegisterConfig,
  pod: { readonly uid: string },
  what: { type: 'Normal' | 'Warning'; reason: string; message: string },
  wallMs: number,
): Event {
  const { namespace, name } = config;
  const time = formatTime(wallMs);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${Math.round(wallMs * 1000).toString(16)}`, namespace },
    involvedObject: {
      apiVersion: 'v1',
      kind: 'Pod',
      namespace,
      name,
      uid: pod.uid,
      fieldPath: 'spec.containers{command}',
    },
    ...what,
    source: { component: 'outrigger-register', host: config.nodeName },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}

/** What the Service will make of the ports, where it is not what was meant. */
export function portProblems(config: RegisterConfig, service: Service): string[] {
  const ports = service.spec.ports ?? [];
  return ports.flatMap((port) => {
    const target = port.targetPort ?? port.port;
    const known = config.ports.some(({ name, number }) => target === number || target === name);
    if (known) return [];
    const named = config.ports.find(({ name }) => name !== undefined)?.name ?? 'http';
    return [
      `Service ${config.namespace}/${config.service} sends port ${port.name ?? port.port} to ${target}, which this command does not ` +
        `listen on: give that port targetPort: ${named}, or register with --ports ${typeof target === 'number' ? target : `N:${target}`}`,
    ];
  });
}
