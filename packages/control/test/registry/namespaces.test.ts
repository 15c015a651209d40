import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { mergePatch, service, startControl } from '../harness.ts';

const namespaces = '/api/v1/namespaces';

test('four namespaces exist from the start, one with the identity of the store', async (t) => {
  const control = await startControl(t);
  const { items } = (await control.get(namespaces)).body as {
    items: { metadata: { name: string; uid: string } }[];
  };
  t.same(
    items.map(({ metadata }) => metadata.name),
    ['default', 'kube-node-lease', 'kube-public', 'kube-system'],
  );
  t.equal(new Set(items.map(({ metadata }) => metadata.uid)).size, 4);
});

test('a namespace takes its contents along, then goes', async (t) => {
  const control = await startControl(t);
  const { body } = await control.post(namespaces, { metadata: { name: 'team' } });
  t.match(body, {
    metadata: { labels: { 'kubernetes.io/metadata.name': 'team' } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  });
  for (let i = 0; i < 40; i++) await control.post(`${namespaces}/team/services`, service(`s${i}`));
  await control.post(`${namespaces}/team/configmaps`, { metadata: { name: 'c' } });
  const watch = await control.watch(`${namespaces}?watch=1&fieldSelector=metadata.name%3Dteam`);
  t.equal((await watch.next()).type, 'ADDED');
  const deleted = await control.request('DELETE', `${namespaces}/team`);
  t.match(deleted, { status: 200, body: { kind: 'Namespace', status: { phase: 'Terminating' } } });
  t.match(await watch.next(), { type: 'MODIFIED', object: { status: { phase: 'Terminating' } } });
  t.equal((await watch.next()).type, 'DELETED');
  t.equal((await control.get('/api/v1/services')).body.items.length, 0);
  t.equal((await control.get(`${namespaces}/team`)).status, 404);
});

test('what a finalizer holds keeps the namespace, and nothing new gets in', async (t) => {
  const control = await startControl(t);
  await control.post(namespaces, { metadata: { name: 'team' } });
  const held = service('held', { metadata: { name: 'held', finalizers: ['example.com/wait'] } });
  await control.post(`${namespaces}/team/services`, held);
  await control.post(`${namespaces}/team/services`, service('free'));
  await control.request('DELETE', `${namespaces}/team`);
  const late = await control.post(`${namespaces}/team/services`, service('late'));
  t.match(late, {
    status: 403,
    body: { reason: 'Forbidden', details: { causes: [{ reason: 'NamespaceTerminating' }] } },
  });
  await eventually('only the held one is left', async () => {
    const { items } = (await control.get(`${namespaces}/team/services`)).body as { items: object[] };
    return items.length === 1;
  });
  t.equal((await control.get(`${namespaces}/team`)).body.status.phase, 'Terminating');
  await control.request(
    'PATCH',
    `${namespaces}/team/services/held`,
    { metadata: { finalizers: null } },
    mergePatch,
  );
  await eventually(
    'the namespace is gone',
    async () => (await control.get(`${namespaces}/team`)).status === 404,
  );
});

test('creating in a namespace races with its deletion: what was created is deleted too', async (t) => {
  const control = await startControl(t);
  await control.post(namespaces, { metadata: { name: 'team' } });
  const writes = Array.from({ length: 30 }, (_, i) =>
    control.post(`${namespaces}/team/services`, service(`s${i}`)),
  );
  const deletion = control.request('DELETE', `${namespaces}/team`);
  const statuses = (await Promise.all(writes)).map(({ status }) => status);
  await deletion;
  t.ok(statuses.every((status) => [201, 403, 404].includes(status)));
  await eventually(
    'the namespace is gone',
    async () => (await control.get(`${namespaces}/team`)).status === 404,
  );
  t.equal((await control.get('/api/v1/services')).body.items.length, 0);
});
