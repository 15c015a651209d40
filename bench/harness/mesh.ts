/** The compiled product as benchmarks run it: control service and proxy as processes of their own, pinned. */

import { join } from 'node:path';
import { startProcess } from '../../test/harness/index.ts';
import type { RunningProcess, Teardown } from '../../test/harness/index.ts';

/** The CPU of what is measured. */
export const subjectCpu = 0;
/** The CPU of load, backends and everything else. */
export const loadCpu = 1;

const loopDelay = join(import.meta.dirname, '../load/loop-delay.mjs');
const main = join(import.meta.dirname, '../../packages/cli/dist/main.js');

/** Starts a program on one CPU. */
export function startPinned(
  t: Teardown,
  cpu: number,
  command: string,
  args: readonly string[],
  ready?: RegExp | { port: number },
): Promise<RunningProcess> {
  const options = ready === undefined ? {} : { ready };
  return startProcess(t, 'taskset', ['-c', String(cpu), command, ...args], options);
}

export interface MeshProcess {
  readonly process: RunningProcess;
  readonly addresses: Readonly<Record<string, string>>;
  /** From spawn to the ready line. */
  readonly readyMs: number;
}

/** Starts `outrigger ROLE ARGS` compiled and waits for its ready line. */
export async function startRole(
  t: Teardown,
  cpu: number,
  role: string,
  args: readonly string[],
  nodeArgs: readonly string[] = [],
): Promise<MeshProcess> {
  const started = performance.now();
  const running = await startPinned(
    t,
    cpu,
    process.execPath,
    [...nodeArgs, main, role, ...args],
    /"msg":"ready".*\n/,
  );
  const readyMs = performance.now() - started;
  const line = /^\{.*"msg":"ready".*\}$/m.exec(running.stdout)?.[0] ?? '{}';
  return { process: running, addresses: (JSON.parse(line) as MeshProcess).addresses, readyMs };
}

export function startControl(t: Teardown, cpu: number, ...more: string[]): Promise<MeshProcess> {
  const args = ['--listen', '127.0.0.1:0', '--allow-loopback-endpoints', '--log-level', 'warn'];
  const nodeArgs = ['--import', loopDelay];
  return startRole(t, cpu, 'control', [...args, ...(more.length > 0 ? more : ['--memory'])], nodeArgs);
}

/** p99 of the event loop's delay in ms since it was last asked for, of a control service started here. */
export async function loopDelayMs({ process: running }: MeshProcess): Promise<number> {
  const before = running.stderr.length;
  running.signal('SIGUSR2');
  for (;;) {
    const found = /^LOOP ([\d.]+)$/m.exec(running.stderr.slice(before))?.[1];
    if (found !== undefined) return Number(found);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Creates an object; throws with the server's answer when it refuses. */
export async function create(api: string, path: string, object: unknown): Promise<void> {
  const response = await fetch(`http://${api}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(object),
  });
  if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}

/** Addresses of this machine's loopback that nothing else is likely to listen on. */
export const endpointAddresses = Array.from({ length: 10 }, (_, i) => `127.0.1.${i + 1}`);

export const slicesPath = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
export const servicesPath = '/api/v1/namespaces/default/services';

export function service(name: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { ports: [{ name: 'http', port: 80 }] },
  };
}

export function slice(name: string, of: string, endpoints: readonly string[], port: number): unknown {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, labels: { 'kubernetes.io/service-name': of } },
    addressType: 'IPv4',
    ports: [{ name: 'http', protocol: 'TCP', port }],
    endpoints: endpoints.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  };
}
