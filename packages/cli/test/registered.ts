/** A workload that `register` runs, and what the control service says of it. */

import { eventually } from '@outrigger/core/testing';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../test/harness/index.ts';
import type { Teardown } from '../../../test/harness/index.ts';
import { api, started } from './outrigger.ts';
import type { ApiObject, Ready } from './outrigger.ts';

const workload = fileURLToPath(new URL('workload.mjs', import.meta.url));
export const pods = '/api/v1/namespaces/default/pods';
export const services = '/api/v1/namespaces/default/services';
export const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
export const events = '/api/v1/namespaces/default/events';

interface Registered extends Ready {
  readonly port: number;
}

export async function register(t: Teardown, url: string, flags: readonly string[] = []): Promise<Registered> {
  const port = await freePort();
  const own = [
    '--control',
    url,
    '--service',
    'default/web',
    '--ports',
    `${port}:http`,
    '--address',
    '127.0.0.1',
  ];
  const fast = [
    '--name',
    'web-0',
    '--lease-duration',
    '3s',
    '--drain-delay',
    '500ms',
    '--probe-period',
    '1s',
  ];
  const command = ['--', process.execPath, workload, String(port)];
  return { ...(await started(t, ['register', ...own, ...fast, ...flags, ...command])), port };
}

export function condition(pod: ApiObject, type: string): { status?: string; message?: string } {
  const conditions = (pod.status?.['conditions'] ?? []) as { type: string; status: string }[];
  return conditions.find((one) => one.type === type) ?? {};
}

export async function ready(url: string, status: 'True' | 'False'): Promise<ApiObject> {
  return eventually(`the Pod is ready: ${status}`, async () => {
    const { body } = await api(url, 'GET', `${pods}/web-0`);
    return condition(body, 'Ready').status === status ? body : undefined;
  });
}

export const gone = (url: string, path: string): Promise<unknown> =>
  eventually(`${path} is gone`, async () => (await api(url, 'GET', path)).status === 404);
