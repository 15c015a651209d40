/** The command as users run it: a process of its own, from the sources. */

import { fileURLToPath } from 'node:url';
import { startProcess } from '../../../test/harness/index.ts';
import type { RunningProcess, Teardown } from '../../../test/harness/index.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Started, not waited for. */
export function launch(
  t: Teardown,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<RunningProcess> {
  return startProcess(t, process.execPath, ['--conditions=@outrigger/source', main, ...args], { env });
}

/** Runs to its end. */
export async function run(t: Teardown, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const running = await launch(t, args, env);
  const { code } = await running.exited;
  return { code, stdout: running.stdout, stderr: running.stderr };
}

export interface Ready {
  readonly process: RunningProcess;
  readonly role: string;
  readonly addresses: Readonly<Record<string, string>>;
}

/** Started, and its ready line read: the first line of stdout that is one. */
export async function started(
  t: Teardown,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Ready> {
  const running = await launch(t, args, env);
  const [line] = await running.matched(/^\{"msg":"ready".*\}$/m, 20_000);
  const { role, addresses } = JSON.parse(line) as Omit<Ready, 'process'>;
  return { process: running, role, addresses };
}

/** A control service on memory, and its URL. */
export async function startControl(t: Teardown): Promise<{ url: string; process: RunningProcess }> {
  const control = await started(t, [
    'control',
    '--memory',
    '--listen',
    '127.0.0.1:0',
    '--allow-loopback-endpoints',
  ]);
  return { url: `http://${control.addresses['api']}`, process: control.process };
}

/** The fields of answers that tests look at. */
export interface ApiObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
  readonly items?: readonly ApiObject[];
}

/** One request of the API; resolves with the status and what was answered. */
export async function api(
  url: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: ApiObject }> {
  const response = await fetch(`${url}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: response.status, body: (await response.json()) as ApiObject };
}

export const service = (name = 'web', selector?: Record<string, string>): Record<string, unknown> => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { ports: [{ name: 'http', port: 80, targetPort: 'http' }], ...(selector && { selector }) },
});

export const slice = (port: number, of = 'web'): Record<string, unknown> => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: `${of}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': of } },
  addressType: 'IPv4',
  ports: [{ name: 'http', port, protocol: 'TCP' }],
  endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
});
