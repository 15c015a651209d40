import { test } from 'tap';
import { tempDir } from '../../../test/harness/index.ts';
import { service, services, startControl } from './harness.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';

test('everything is there after a restart: objects, revisions, identity, allocations', async (t) => {
  const data = tempDir(t);
  const first = await startControl(t, { memory: false, data });
  const { body: created } = await first.post(services, service('web'));
  const identity = (await first.get('/api/v1/namespaces/kube-system')).body.metadata.uid as string;
  await first.daemon.close();
  const second = await startControl(t, { memory: false, data });
  t.same((await second.get(`${services}/web`)).body, created);
  t.equal((await second.get('/api/v1/namespaces/kube-system')).body.metadata.uid, identity);
  const { clusterIP } = created.spec as { clusterIP: string };
  const taken = service('other', { spec: { clusterIP, ports: [{ port: 80 }] } });
  t.equal((await second.post(services, taken)).status, 422, 'the address is still taken');
  const { body: next } = await second.post(configMaps, { metadata: { name: 'next' } });
  t.ok(Number(next.metadata.resourceVersion) > Number(created.metadata.resourceVersion));
});

test('a watch goes on across a restart without a relist', async (t) => {
  const data = tempDir(t);
  const first = await startControl(t, { memory: false, data });
  await first.post(configMaps, { metadata: { name: 'before' } });
  const { resourceVersion } = (await first.get(configMaps)).body.metadata as { resourceVersion: string };
  await first.post(configMaps, { metadata: { name: 'missed' } });
  await first.request('DELETE', `${configMaps}/before`);
  await first.daemon.close();
  const second = await startControl(t, { memory: false, data });
  const watch = await second.watch(`${configMaps}?watch=1&resourceVersion=${resourceVersion}`);
  t.match(await watch.next(), { type: 'ADDED', object: { metadata: { name: 'missed' } } });
  t.match(await watch.next(), { type: 'DELETED', object: { metadata: { name: 'before' } } });
  await second.post(configMaps, { metadata: { name: 'after' } });
  t.match(await watch.next(), { type: 'ADDED', object: { metadata: { name: 'after' } } });
});

test('a second service on the same data is refused', async (t) => {
  const data = tempDir(t);
  await startControl(t, { memory: false, data });
  await t.rejects(startControl(t, { memory: false, data }), { code: 'STORE_LOCKED' });
});

test('a new history has another identity', async (t) => {
  const identities = new Set<string>();
  for (let i = 0; i < 2; i++) {
    const control = await startControl(t);
    identities.add((await control.get('/api/v1/namespaces/kube-system')).body.metadata.uid as string);
  }
  t.equal(identities.size, 2);
});
