/** The flags of `outrigger register`. */

import { boolean, dns1123Subdomain, durationMs, list, object, string } from '@outrigger/core/api';
import type { Infer, Probe } from '@outrigger/core/api';
import { InvalidConfig } from '@outrigger/core/config';
import type { Check, Problem } from '@outrigger/core/config';
import { controlConnectionChecks, controlConnectionFields, hasControl } from '@outrigger/core/watch';
import type { ControlConfig } from '@outrigger/core/watch';
import { isIP } from 'node:net';

export const registerSchema = object({
  ...controlConnectionFields,
  service: string('NAMESPACE/NAME of the Service this workload belongs to'),
  createService: boolean('create the Service, or give it a selector, where that is missing', {
    default: false,
  }),
  ports: list(string(), 'N[:NAME] the command listens on; the name is that of the Service port’s targetPort'),
  address: string('IP at which others reach the command'),
  name: string('name of the Pod that stands for the command; made of Service, host and port if absent'),
  nodeName: string('name of the Node it runs on; the host name if absent'),
  httpProbe: string('path of an HTTP readiness probe on the first port: 200–399 is ready'),
  tcpProbe: boolean('readiness is that the first port accepts connections', { default: false }),
  livenessHttpProbe: string('path of an HTTP liveness probe: the command is restarted when it fails'),
  livenessTcpProbe: boolean('the command is restarted when the first port stops accepting connections', {
    default: false,
  }),
  probePeriod: string('time between probes', { format: 'duration', default: '10s' }),
  leaseDuration: string('how long without a sign of life until the workload counts as gone', {
    format: 'duration',
    default: '15s',
  }),
  drainDelay: string('time between saying goodbye and ending the command, for proxies to hear of it', {
    format: 'duration',
    default: '1s',
  }),
});

export interface RegisteredPort {
  readonly number: number;
  readonly name: string | undefined;
}

export interface RegisterConfig {
  readonly control: ControlConfig;
  readonly namespace: string;
  readonly service: string;
  readonly createService: boolean;
  readonly ports: readonly RegisteredPort[];
  readonly address: string;
  readonly name: string;
  readonly nodeName: string;
  readonly readiness: Probe | undefined;
  readonly liveness: Probe | undefined;
  readonly leaseSeconds: number;
  readonly drainDelayMs: number;
}

export const registerChecks: Readonly<Record<string, Check>> = {
  ...controlConnectionChecks,
  service: (value) => (/^[a-z0-9-]+\/[a-z0-9.-]+$/.test(String(value)) ? undefined : 'NAMESPACE/NAME'),
  ports: (value) => (parsePort(String(value)) === undefined ? 'N or N:NAME, N from 1 to 65535' : undefined),
  address: (value) => (isIP(String(value)) === 0 ? 'an IP address' : undefined),
  name: (value) => dns1123Subdomain(String(value))[0],
};

/** Throws InvalidConfig with everything that is missing. */
export function parseRegisterConfig(
  values: Readonly<Record<string, unknown>>,
  hostName: string,
): RegisterConfig {
  const spec = values as Infer<typeof registerSchema>;
  const problems: Problem[] = [];
  const needed = (path: string, present: boolean, want: string): void => {
    if (!present) problems.push({ path, got: 'nothing', want });
  };
  needed('--service', spec.service !== undefined, 'NAMESPACE/NAME of the Service');
  needed('--ports', (spec.ports ?? []).length > 0, 'the port the command listens on, N or N:NAME');
  needed('--address', spec.address !== undefined, 'the IP at which others reach the command');
  needed('--control', hasControl(spec), 'a control URL, --kubeconfig FILE or --in-cluster');
  if (problems.length > 0) throw new InvalidConfig(problems);
  const ports = (spec.ports ?? []).map(parsePort).filter((port) => port !== undefined);
  const [namespace = '', service = ''] = (spec.service ?? '').split('/');
  const period = Math.max(1, Math.round(durationMs(spec.probePeriod ?? '10s', 'probePeriod') / 1000));
  const first = ports[0]?.number ?? 0;
  return {
    control: spec,
    namespace,
    service,
    createService: spec.createService ?? false,
    ports,
    address: spec.address ?? '',
    name: spec.name ?? `${service}-${hostName}-${first}`.toLowerCase().replaceAll(/[^a-z0-9.-]/g, '-'),
    nodeName: spec.nodeName ?? hostName,
    readiness: probe(spec.httpProbe, spec.tcpProbe, first, period),
    liveness: probe(spec.livenessHttpProbe, spec.livenessTcpProbe, first, period),
    leaseSeconds: Math.max(3, Math.round(durationMs(spec.leaseDuration ?? '15s', 'leaseDuration') / 1000)),
    drainDelayMs: durationMs(spec.drainDelay ?? '1s', 'drainDelay'),
  };
}

function parsePort(text: string): RegisteredPort | undefined {
  const match = /^(\d{1,5})(?::([a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?))?$/.exec(text);
  const number = Number(match?.[1]);
  return match === null || number < 1 || number > 65_535 ? undefined : { number, name: match[2] };
}

function probe(
  path: string | undefined,
  tcp: boolean | undefined,
  port: number,
  periodSeconds: number,
): Probe | undefined {
  if (path !== undefined) return { httpGet: { path, port }, periodSeconds };
  return tcp === true ? { tcpSocket: { port }, periodSeconds } : undefined;
}
