/** `--cluster-cidr` and `--nodeport-addresses` are refused at start when they are no CIDRs, not met by traffic later. */

import { test } from 'tap';
import { loadConfig } from '@outrigger/core/config';
import { proxyChecks, proxySchema } from '../../src/daemon/config.ts';

function load(...args: string[]): ReturnType<typeof loadConfig> {
  return loadConfig({ schema: proxySchema, checks: proxyChecks, args, environment: {} });
}

test('what is no CIDR is named with its flag', (t) => {
  const args = ['--cluster-cidr', 'pods', '--nodeport-addresses', '10.0.0.0/99'];
  t.throws(() => load(...args), { code: 'CONFIG_INVALID', message: /cluster-cidr: got "?pods/ });
  t.throws(() => load(...args), { message: /nodeport-addresses: got "?10\.0\.0\.0\/99/ });
  t.end();
});

test('CIDRs of both families are taken', (t) => {
  const { values } = load('--cluster-cidr', '10.0.0.0/8', '--cluster-cidr', 'fd00::/8');
  t.same(values['clusterCidr'], ['10.0.0.0/8', 'fd00::/8']);
  t.end();
});
