/** Probes as Kubernetes describes them, with its defaults, for the two ways that need no container: httpGet and tcpSocket. */

import type { Probe } from '../api/index.ts';
import { OutriggerError } from '../errors/index.ts';

export type { Probe } from '../api/index.ts';

/** What a probe is for decides how it begins: nobody is ready before the first success, or dead before failures. */
export type ProbePurpose = 'readiness' | 'liveness' | 'startup';

export interface HttpCheck {
  readonly kind: 'http';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly tls: boolean;
  /** In order; a name may come more than once. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface TcpCheck {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}

export interface ProbeSettings {
  readonly check: HttpCheck | TcpCheck;
  readonly initialDelayMs: number;
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

/** Where the workload is, for what the probe leaves open. */
export interface ProbeTarget {
  readonly host: string;
  /** Container ports by name. */
  readonly ports?: Readonly<Record<string, number>>;
}

/** Fills in the defaults. Throws PROBE_UNSUPPORTED and PROBE_INVALID. */
export function probeSettings(probe: Probe, target: ProbeTarget): ProbeSettings {
  return {
    check: checkOf(probe, target),
    initialDelayMs: (probe.initialDelaySeconds || 0) * 1_000,
    periodMs: (probe.periodSeconds || 10) * 1_000,
    timeoutMs: (probe.timeoutSeconds || 1) * 1_000,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
  };
}

function checkOf(probe: Probe, target: ProbeTarget): HttpCheck | TcpCheck {
  const { httpGet, tcpSocket } = probe;
  if (httpGet !== undefined) {
    const { path, host, scheme, httpHeaders = [] } = httpGet;
    return {
      kind: 'http',
      host: host || target.host,
      port: portOf(httpGet.port, target),
      path: path ? (path.startsWith('/') ? path : `/${path}`) : '/',
      tls: scheme === 'HTTPS',
      headers: httpHeaders.map(({ name, value }) => [name, value] as const),
    };
  }
  if (tcpSocket !== undefined) {
    return { kind: 'tcp', host: tcpSocket.host || target.host, port: portOf(tcpSocket.port, target) };
  }
  const asked = probe.exec !== undefined ? 'exec' : probe.grpc !== undefined ? 'grpc' : 'an empty probe';
  throw new OutriggerError(`${asked} is not a probe that can be done here`, {
    code: 'PROBE_UNSUPPORTED',
    hint: 'use httpGet or tcpSocket',
  });
}

function portOf(port: number | string, target: ProbeTarget): number {
  const text = String(port);
  const number = target.ports?.[text] ?? (/^\d+$/.test(text) ? Number(text) : undefined);
  if (number !== undefined && number >= 1 && number <= 65_535) return number;
  throw new OutriggerError(`the probe's port ${JSON.stringify(port)} is not known`, {
    code: 'PROBE_INVALID',
    target: text,
    hint: `give a number from 1 to 65535 or one of: ${Object.keys(target.ports ?? {}).join(', ') || '(no named ports)'}`,
  });
}
