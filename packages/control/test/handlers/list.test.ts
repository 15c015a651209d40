import { test } from 'tap';
import { FakeClock } from '@outrigger/core/clock';
import { mergePatch, service, services, startControl } from '../harness.ts';
import type { Control } from '../harness.ts';

const policies = '/apis/outrigger.dev/v1alpha1/namespaces/default/trafficpolicies';

async function withServices(control: Control, ...names: string[]): Promise<void> {
  for (const name of names) await control.post(services, service(name));
}

test('a list is ordered by namespace and name, and its items name their kind only where custom kinds do', async (t) => {
  const control = await startControl(t);
  await control.post('/api/v1/namespaces', { metadata: { name: 'a-b' } });
  await control.post('/api/v1/namespaces', { metadata: { name: 'a' } });
  await control.post('/api/v1/namespaces/a/services', service('z'));
  await control.post('/api/v1/namespaces/a-b/services', service('a'));
  await withServices(control, 'b', 'a');
  const { body } = await control.get('/api/v1/services');
  t.equal(body.kind, 'ServiceList');
  t.same(
    placesOf(body),
    ['a-b/a', 'a/z', 'default/a', 'default/b'],
    'bytewise by key, as the published server',
  );
  t.notOk('kind' in body.items[0]);
  await control.post(policies, { metadata: { name: 'p' }, spec: { targetRefs: [{ name: 'web' }] } });
  t.match((await control.get(policies)).body.items, [
    { kind: 'TrafficPolicy', apiVersion: 'outrigger.dev/v1alpha1' },
  ]);
});

test('pages are of one revision, whatever happens between them', async (t) => {
  const control = await startControl(t);
  await withServices(control, 'a', 'b', 'c', 'd', 'e');
  const first = (await control.get(`${services}?limit=2`)).body;
  t.same(namesOf(first), ['a', 'b']);
  t.equal(first.metadata.remainingItemCount, 3);
  const token = JSON.parse(Buffer.from(first.metadata.continue, 'base64url').toString()) as object;
  t.match(token, { v: 'meta.k8s.io/v1', rv: Number(first.metadata.resourceVersion) });
  const unchanged = (await control.get(`${services}?limit=2&continue=${first.metadata.continue}`)).body;
  t.same(namesOf(unchanged), ['c', 'd']);
  await control.request('DELETE', `${services}/c`);
  await withServices(control, 'bb');
  const second = (await control.get(`${services}?limit=2&continue=${first.metadata.continue}`)).body;
  t.same(second, unchanged, 'the same page after the objects have changed');
  const last = (await control.get(`${services}?limit=2&continue=${second.metadata.continue}`)).body;
  t.same(namesOf(last), ['e']);
  t.notOk('continue' in last.metadata || 'remainingItemCount' in last.metadata);
});

test('a continue token whose revision was forgotten is answered with one that goes on anyway', async (t) => {
  const clock = new FakeClock();
  const control = await startControl(t, {}, { clock });
  await withServices(control, 'a', 'b', 'c');
  const first = (await control.get(`${services}?limit=1`)).body;
  await control.request('DELETE', `${services}/b`);
  await clock.advance(600_000);
  await withServices(control, 'x');
  await clock.advance(2_000);
  const gone = await control.get(`${services}?limit=1&continue=${first.metadata.continue}`);
  t.match(gone, { status: 410, body: { reason: 'Expired' } });
  const rest = await control.get(`${services}?continue=${gone.body.metadata.continue}`);
  t.same(namesOf(rest.body), ['c', 'x']);
});

test('nonsense tokens and parameters are refused', async (t) => {
  const control = await startControl(t);
  const refused = async (query: string): Promise<number> =>
    (await control.get(`${services}?${query}`)).status;
  t.equal(await refused('continue=nonsense'), 400);
  t.equal(
    await refused(`continue=${Buffer.from('{"v":"x","rv":1,"start":"a"}').toString('base64url')}`),
    400,
  );
  t.equal(await refused('limit=many'), 400);
  t.equal(await refused('limit=-1'), 422);
  t.equal(await refused('resourceVersion=abc'), 400);
  t.equal(await refused('resourceVersionMatch=Exact'), 422);
  t.equal(await refused('resourceVersion=0&resourceVersionMatch=Exact'), 422);
  t.equal(await refused('resourceVersion=1&resourceVersionMatch=Odd'), 422);
  t.equal(await refused('sendInitialEvents=true'), 422);
  t.equal(await refused('labelSelector=a%3D%3D%3Db'), 400);
  const field = await control.get(`${services}?fieldSelector=spec.bogus%3D1`);
  t.match(field, { status: 400, body: { message: 'field label not supported: spec.bogus' } });
});

test('revisions: any, at least, exactly, and one that does not come', async (t) => {
  const clock = new FakeClock();
  const control = await startControl(t, {}, { clock });
  await withServices(control, 'a', 'b');
  const { resourceVersion } = (await control.get(services)).body.metadata;
  await withServices(control, 'c');
  const exact = await control.get(
    `${services}?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`,
  );
  t.same(namesOf(exact.body), ['a', 'b']);
  t.equal(exact.body.metadata.resourceVersion, resourceVersion);
  t.same(namesOf((await control.get(`${services}?resourceVersion=${resourceVersion}`)).body), [
    'a',
    'b',
    'c',
  ]);
  t.same(namesOf((await control.get(`${services}?resourceVersion=0&limit=1`)).body), ['a', 'b', 'c']);
  const future = control.get(`${services}?resourceVersion=1000000`);
  let answered = false;
  void future.then(() => (answered = true));
  while (!answered) await clock.advance(1_000);
  t.match(await future, {
    status: 504,
    headers: { 'retry-after': '1' },
    body: {
      reason: 'Timeout',
      details: { causes: [{ reason: 'ResourceVersionTooLarge' }], retryAfterSeconds: 1 },
    },
  });
});

test('selectors choose by labels and fields', async (t) => {
  const control = await startControl(t);
  await withServices(control, 'a', 'b', 'c');
  await control.request('PATCH', `${services}/b`, { metadata: { labels: { tier: 'x' } } }, mergePatch);
  const listed = async (query: string): Promise<string[]> =>
    namesOf((await control.get(`${services}?${query}`)).body);
  t.same(await listed('labelSelector=tier'), ['b']);
  t.same(await listed('labelSelector=!tier&limit=1'), ['a']);
  t.same(await listed('fieldSelector=metadata.name%3Dc'), ['c']);
  t.same(await listed('fieldSelector=spec.type%3DClusterIP,metadata.name!%3Da'), ['b', 'c']);
  const paged = (await control.get(`${services}?labelSelector=!tier&limit=1`)).body;
  t.notOk('remainingItemCount' in paged.metadata, 'unknown with a selector');
});

test('large answers are compressed for those who ask', async (t) => {
  const control = await startControl(t);
  const data = { big: 'x'.repeat(200_000) };
  await control.post('/api/v1/namespaces/default/configmaps', { metadata: { name: 'big' }, data });
  const path = '/api/v1/namespaces/default/configmaps/big';
  t.equal((await control.get(path, { 'accept-encoding': 'gzip' })).headers['content-encoding'], 'gzip');
  t.equal((await control.get(path)).headers['content-encoding'], undefined);
  const small = await control.get('/api/v1/namespaces/default', { 'accept-encoding': 'gzip' });
  t.equal(small.headers['content-encoding'], undefined);
});

function namesOf(list: { items: { metadata: { name: string } }[] }): string[] {
  return list.items.map(({ metadata }) => metadata.name);
}

function placesOf(list: { items: { metadata: { namespace: string; name: string } }[] }): string[] {
  return list.items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
}
