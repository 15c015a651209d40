/** The connection of a pod: service account files mounted by the kubelet, the API server's address from its environment. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, OutriggerError } from '../../errors/index.ts';
import type { ControlConfig } from '../config.ts';
import type { ConnectionSpec } from './connection.ts';
import { parseControlUrl } from './url.ts';

const mountedAt = '/var/run/secrets/kubernetes.io/serviceaccount';

export async function inCluster(config: ControlConfig): Promise<ConnectionSpec> {
  const dir = config.serviceAccountDir ?? mountedAt;
  return {
    urls: [parseControlUrl(`https://${config.inClusterAddress ?? 'kubernetes.default.svc:443'}`)],
    namespace: await namespaceIn(dir),
    token: { file: join(dir, 'token') },
    ca: { file: join(dir, 'ca.crt') },
  };
}

async function namespaceIn(dir: string): Promise<string> {
  try {
    return (await readFile(join(dir, 'namespace'), 'utf8')).trim();
  } catch (error) {
    throw new OutriggerError(`no service account is mounted: ${errorCode(error)}`, {
      code: 'CONTROL_CREDENTIALS',
      target: dir,
      hint: 'run in a pod whose automountServiceAccountToken is not false, or use --control or --kubeconfig',
      cause: error,
    });
  }
}
