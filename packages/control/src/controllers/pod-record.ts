/** The part of a Pod that decides its endpoints: a fraction of the whole, because every pod is kept. */

import type { Container, IPFamily, Pod, Protocol, ServicePort } from '@outrigger/core/api';
import { equalJson, ipFamily, specialIPProblems } from '@outrigger/core/api';
import type { ObjectKey } from './keys.ts';
import { keyOf } from './keys.ts';

export interface NamedPort {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
}

export interface PodRecord {
  readonly key: ObjectKey;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ips: { readonly [F in IPFamily]?: string };
  readonly nodeName: string | undefined;
  readonly hostname: string | undefined;
  readonly subdomain: string | undefined;
  /** The Ready condition, whatever else is going on. */
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Ended for good: Succeeded or Failed. */
  readonly terminal: boolean;
  /** When the Ready condition last changed, as written. */
  readonly readyChanged: string | undefined;
  /** Container ports that have a name, which a Service may refer to. */
  readonly namedPorts: readonly NamedPort[];
}

export function podRecord(pod: Pod, allowLoopback = false): PodRecord {
  const { metadata, spec, status } = pod;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return {
    key: keyOf(pod),
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    labels: metadata.labels ?? {},
    ips: addresses(pod, allowLoopback),
    nodeName: spec.nodeName,
    hostname: spec.hostname,
    subdomain: spec.subdomain,
    serving: ready?.status === 'True',
    terminating: metadata.deletionTimestamp !== undefined,
    terminal: status?.phase === 'Succeeded' || status?.phase === 'Failed',
    readyChanged: ready?.lastTransitionTime,
    namedPorts: [...(spec.initContainers ?? []).filter(isSidecar), ...spec.containers].flatMap(namedPorts),
  };
}

export function samePod(a: PodRecord, b: PodRecord): boolean {
  return equalJson(a, b);
}

/** The number that a Service port means on a pod; undefined where the pod has no port of that name. */
export function targetPort(
  { port, protocol, targetPort: target }: ServicePort,
  pod: PodRecord,
): number | undefined {
  if (target === undefined || target === 0 || target === '') return port;
  if (typeof target === 'number') return target;
  return pod.namedPorts.find((named) => named.name === target && named.protocol === protocol)?.port;
}

/**
 * The first address of each family. One that no slice may hold is no address: with it in, the whole slice would be
 * refused, and one pod would keep all others of its Service from changing.
 */
function addresses({ status }: Pod, allowLoopback: boolean): { [F in IPFamily]?: string } {
  const ips: { [F in IPFamily]?: string } = {};
  for (const ip of [...(status?.podIPs ?? []).map((entry) => entry.ip), status?.podIP ?? '']) {
    const family = ipFamily(ip);
    if (family === undefined || specialIPProblems(ip, allowLoopback).length > 0) continue;
    ips[family] ??= ip;
  }
  return ips;
}

/** An init container that keeps running beside the others. */
function isSidecar({ restartPolicy }: Container): boolean {
  return restartPolicy === 'Always';
}

function namedPorts({ ports }: Container): NamedPort[] {
  return (ports ?? []).flatMap(({ name, protocol, containerPort }) =>
    name === undefined ? [] : [{ name, protocol, port: containerPort }],
  );
}
