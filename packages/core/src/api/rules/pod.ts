/** Rules of a Pod, as far as Outrigger gives meaning to its fields; the others are passed on unread. */

import { equalJson } from '../equal.ts';
import { ipProblems } from '../ip.ts';
import { validateLabels } from '../metadata.ts';
import { dns1123Label, dns1123Subdomain, httpPath, portName, qualifiedName } from '../names.ts';
import { duplicate, forbidden, invalid, invalidBy, item, required } from '../problems.ts';
import type { FieldError } from '../schema.ts';
import type { Container, Probe } from '../kinds/container.ts';
import type { Pod, PodSpec } from '../kinds/pod.ts';
import { PortNames, repeated, validatePortNumber, validatePortReference } from './ports.ts';

const notNegative = 'must be greater than or equal to 0';

export function validatePod(pod: Pod, old: Pod | undefined): FieldError[] {
  return [
    ...validateContainers(pod.spec),
    ...validateSpec(pod.spec),
    ...(pod.status?.podIPs ?? []).flatMap(({ ip }, index) =>
      invalidBy(`${item('status.podIPs', index)}.ip`, ip, ipProblems(ip)),
    ),
    ...(old === undefined ? [] : podChanges(pod, old)),
  ];
}

/** Ports of the host network are the node's own, whatever was written. */
export function defaultPod(pod: Pod): void {
  if (pod.spec.hostNetwork !== true) return;
  for (const container of pod.spec.containers) {
    for (const port of container.ports ?? []) port.hostPort ??= port.containerPort;
  }
}

function validateContainers(spec: PodSpec): FieldError[] {
  const groups = [
    { path: 'spec.containers', containers: spec.containers },
    { path: 'spec.initContainers', containers: spec.initContainers ?? [] },
  ];
  const placed = groups.flatMap(({ path, containers }) =>
    containers.map((container, index) => ({ container, path: item(path, index) })),
  );
  return [
    ...(spec.containers.length === 0 ? [required('spec.containers')] : []),
    ...placed.flatMap(({ container, path }) => validateContainer(container, path)),
    ...repeated(placed, ({ container }) => container.name).map((index) =>
      duplicate(`${placed[index]?.path}.name`, placed[index]?.container.name),
    ),
  ];
}

function validateContainer(container: Container, path: string): FieldError[] {
  const names = new PortNames(false, portName);
  const ports = (container.ports ?? []).flatMap((port, index) => {
    const at = item(`${path}.ports`, index);
    return [
      ...names.check(port.name, `${at}.name`),
      ...validatePortNumber(port.containerPort, `${at}.containerPort`),
      ...(port.hostPort === undefined ? [] : validatePortNumber(port.hostPort, `${at}.hostPort`)),
      ...(port.hostIP === undefined ? [] : invalidBy(`${at}.hostIP`, port.hostIP, ipProblems(port.hostIP))),
    ];
  });
  return [
    ...invalidBy(`${path}.name`, container.name, dns1123Label(container.name)),
    ...(container.image === undefined ? [required(`${path}.image`)] : []),
    ...ports,
    ...validateProbe(container.readinessProbe, `${path}.readinessProbe`, false),
    ...validateProbe(container.livenessProbe, `${path}.livenessProbe`, true),
    ...validateProbe(container.startupProbe, `${path}.startupProbe`, true),
  ];
}

/** `once`: a single success decides, as for liveness and startup. */
export function validateProbe(probe: Probe | undefined, path: string, once: boolean): FieldError[] {
  if (probe === undefined) return [];
  const handlers = (['exec', 'httpGet', 'tcpSocket', 'grpc'] as const).filter(
    (name) => probe[name] !== undefined,
  );
  const numbers = (
    [
      'initialDelaySeconds',
      'timeoutSeconds',
      'periodSeconds',
      'successThreshold',
      'failureThreshold',
    ] as const
  ).filter((name) => (probe[name] ?? 0) < 0);
  const errors = numbers.map((name) => invalid(`${path}.${name}`, probe[name], notNegative));
  if (handlers.length === 0) errors.push(required(path, 'must specify a handler type'));
  for (const extra of handlers.slice(1)) {
    errors.push(forbidden(`${path}.${extra}`, 'may not specify more than 1 handler type'));
  }
  if (once && (probe.successThreshold ?? 1) !== 1) {
    errors.push(invalid(`${path}.successThreshold`, probe.successThreshold, 'must be 1'));
  }
  return [...errors, ...validateHandlers(probe, path)];
}

function validateHandlers(probe: Probe, path: string): FieldError[] {
  const { httpGet, tcpSocket, exec, grpc } = probe;
  const errors: FieldError[] = [];
  if (httpGet !== undefined) {
    const target = httpGet.path ?? '/';
    errors.push(...invalidBy(`${path}.httpGet.path`, target, httpPath(target)));
    errors.push(...validatePortReference(httpGet.port, `${path}.httpGet.port`));
  }
  if (tcpSocket !== undefined)
    errors.push(...validatePortReference(tcpSocket.port, `${path}.tcpSocket.port`));
  if (grpc !== undefined) errors.push(...validatePortNumber(grpc.port, `${path}.grpc.port`));
  if (exec !== undefined && (exec.command ?? []).length === 0) errors.push(required(`${path}.exec.command`));
  return errors;
}

function validateSpec(spec: PodSpec): FieldError[] {
  const { nodeName, hostname, terminationGracePeriodSeconds: grace, activeDeadlineSeconds: deadline } = spec;
  const errors = [
    ...(nodeName === undefined ? [] : invalidBy('spec.nodeName', nodeName, dns1123Subdomain(nodeName))),
    ...(hostname === undefined ? [] : invalidBy('spec.hostname', hostname, dns1123Label(hostname))),
    ...validateLabels(spec.nodeSelector ?? {}, 'spec.nodeSelector'),
    ...(spec.readinessGates ?? []).flatMap(({ conditionType }, index) =>
      invalidBy(
        `${item('spec.readinessGates', index)}.conditionType`,
        conditionType,
        qualifiedName(conditionType),
      ),
    ),
  ];
  if (grace !== undefined && grace < 0)
    errors.push(invalid('spec.terminationGracePeriodSeconds', grace, notNegative));
  if (deadline !== undefined && deadline < 1) {
    errors.push(invalid('spec.activeDeadlineSeconds', deadline, 'must be greater than or equal to 1'));
  }
  return errors;
}

/** A running pod is what it is: only images, tolerations, the deadline and, once, its node may change. */
function podChanges(pod: Pod, old: Pod): FieldError[] {
  if (equalJson(unchangeable(pod.spec, old.spec), unchangeable(old.spec, old.spec))) return [];
  const detail =
    'pod updates may not change fields other than `spec.containers[*].image`, `spec.initContainers[*].image`, ' +
    '`spec.activeDeadlineSeconds`, `spec.tolerations` and an unset `spec.nodeName`';
  return [forbidden('spec', detail)];
}

function unchangeable(spec: PodSpec, old: PodSpec): unknown {
  const { tolerations: _tolerations, activeDeadlineSeconds: _deadline, nodeName, ...rest } = spec;
  const withoutImage = ({ image: _image, ...container }: Container): unknown => container;
  return {
    ...rest,
    ...(old.nodeName === undefined ? {} : { nodeName }),
    schedulingGates: undefined,
    containers: spec.containers.map(withoutImage),
    initContainers: (spec.initContainers ?? []).map(withoutImage),
  };
}
