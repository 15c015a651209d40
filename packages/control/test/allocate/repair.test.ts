/** The check at start: what a database edited or restored by hand can have got wrong, and that it mends itself. */

import { silentLogger } from '@outrigger/core/log';
import { test } from 'tap';
import { allocationKey, checkAllocations, repairAllocations } from '../../src/allocate/index.ts';
import { encodeOwner } from '../../src/allocate/keys.ts';
import { Cluster, serviceObject } from './harness.ts';

test('nothing to do where everything matches', async (t) => {
  const cluster = new Cluster();
  await cluster.create('web', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' });
  await cluster.create('peers', { clusterIP: 'None' });
  t.strictSame(checkAllocations(cluster.services.values(), cluster.allocator.state), []);
});

test('a leaked value is freed', async (t) => {
  const cluster = new Cluster();
  const { spec } = await cluster.create('web');
  await put(cluster, allocationKey('nodeports/TCP', '30500'), 'default/gone');
  await put(cluster, allocationKey('clusterips', '10.96.0.99'), undefined);
  const findings = await repair(cluster);
  t.match(findings, [
    { type: 'leaked', key: /nodeports\/TCP\/30500/, owner: 'default/gone' },
    { type: 'leaked', key: /10\.96\.0\.99/ },
  ]);
  t.strictSame(await cluster.allocations(), { [`clusterips/${spec.clusterIP}`]: 'default/web' });
  t.strictSame(await repair(cluster), [], 'once');
});

test('a value in use without an allocation is claimed', async (t) => {
  const cluster = new Cluster();
  cluster.services.set(
    'web',
    serviceObject('web', { type: 'ClusterIP', clusterIP: '10.96.0.5', clusterIPs: ['10.96.0.5'] }, 'u'),
  );
  t.match(await repair(cluster), [{ type: 'unclaimed', owner: 'default/web' }]);
  t.strictSame(await cluster.allocations(), { 'clusterips/10.96.0.5': 'default/web' });
  await t.rejects(cluster.create('other', { clusterIP: '10.96.0.5' }), /already allocated/);
});

test('an update claims what its Service has without holding it', async (t) => {
  const cluster = new Cluster();
  cluster.services.set(
    'web',
    serviceObject(
      'web',
      {
        type: 'ClusterIP',
        clusterIP: '10.96.0.5',
        clusterIPs: ['10.96.0.5'],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        sessionAffinity: 'None',
      },
      'u',
    ),
  );
  await cluster.update('web', { selector: { app: 'web' } });
  t.strictSame(await cluster.allocations(), { 'clusterips/10.96.0.5': 'default/web' });
});

test('a value held in the wrong name changes hands', async (t) => {
  const cluster = new Cluster();
  const { spec } = await cluster.create('web');
  const key = `clusterips/${spec.clusterIP}`;
  const renamed = { ...cluster.get('web'), metadata: { name: 'renamed', namespace: 'default', uid: 'r' } };
  cluster.services.delete('web');
  cluster.services.set('renamed', renamed);
  t.match(await repair(cluster), [{ type: 'unclaimed', owner: 'default/renamed' }]);
  t.strictSame(await cluster.allocations(), { [key]: 'default/renamed' });
});

test('two Services with one value are reported, and deleting the wrong one frees nothing', async (t) => {
  const cluster = new Cluster();
  const { spec } = await cluster.create('web', { clusterIP: '10.96.0.5' });
  cluster.services.set('copy', serviceObject('copy', spec, 'c'));
  t.match(await repair(cluster), [{ type: 'contested', owner: 'default/copy', other: 'default/web' }]);
  await cluster.delete('copy');
  t.strictSame(await cluster.allocations(), { 'clusterips/10.96.0.5': 'default/web' });
});

async function put(cluster: Cluster, key: string, service: string | undefined): Promise<void> {
  const value = service === undefined ? Buffer.from('not json') : encodeOwner({ service, uid: '' });
  await cluster.store.txn([], [{ type: 'put', key, value }]);
  await cluster.feed();
}

async function repair(cluster: Cluster): Promise<readonly unknown[]> {
  const findings = await repairAllocations(
    cluster.store,
    cluster.services.values(),
    cluster.allocator.state,
    silentLogger(),
  );
  await cluster.feed();
  return findings.toSorted((a, b) => (a.key < b.key ? 1 : -1));
}
