import { test } from 'tap';
import { mergePatch, service, services, startControl } from '../harness.ts';

const pods = '/api/v1/namespaces/default/pods';

test('a deletion answers Success, and the object is gone', async (t) => {
  const control = await startControl(t);
  const { body } = await control.post(services, service('web'));
  const deleted = await control.request('DELETE', `${services}/web`, { propagationPolicy: 'Background' });
  t.equal(deleted.status, 200);
  t.match(deleted.body, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: 'web', kind: 'services', uid: body.metadata.uid },
  });
  t.equal((await control.get(`${services}/web`)).status, 404);
  t.equal((await control.request('DELETE', `${services}/web`)).status, 404);
});

test('preconditions must hold', async (t) => {
  const control = await startControl(t);
  const { body } = await control.post(services, service('web'));
  const remove = (preconditions: object) => control.request('DELETE', `${services}/web`, { preconditions });
  const uid = await remove({ uid: 'other' });
  t.equal(uid.status, 409);
  t.match(uid.body.message, `UID in precondition: other, UID in object meta: ${body.metadata.uid}`);
  t.equal((await remove({ resourceVersion: '1' })).status, 409);
  const { uid: right, resourceVersion } = body.metadata;
  t.equal((await remove({ uid: right, resourceVersion })).status, 200);
});

test('finalizers hold an object until the last is gone', async (t) => {
  const control = await startControl(t);
  const finalizers = ['example.com/a'];
  const { body } = await control.post(services, service('web', { metadata: { name: 'web', finalizers } }));
  const watch = await control.watch(`${services}?watch=1&resourceVersion=${body.metadata.resourceVersion}`);
  const held = await control.request('DELETE', `${services}/web`);
  t.match(held, {
    status: 200,
    body: { kind: 'Service', metadata: { deletionGracePeriodSeconds: 0, finalizers } },
  });
  t.match(held.body.metadata.deletionTimestamp, /Z$/);
  const again = await control.request('DELETE', `${services}/web`);
  t.same(again.body, held.body, 'a second deletion changes nothing');
  const more = { metadata: { finalizers: [...finalizers, 'example.com/b'] } };
  const added = await control.request('PATCH', `${services}/web`, more, mergePatch);
  t.equal(added.status, 422);
  t.match(added.body.details.causes, [{ reason: 'FieldValueForbidden', field: 'metadata.finalizers' }]);
  const freed = await control.request(
    'PATCH',
    `${services}/web`,
    { metadata: { finalizers: null } },
    mergePatch,
  );
  t.equal(freed.status, 200);
  t.equal(freed.body.metadata.resourceVersion, held.body.metadata.resourceVersion, 'the old revision');
  t.equal((await control.get(`${services}/web`)).status, 404);
  t.equal((await watch.next()).type, 'MODIFIED');
  t.equal((await watch.next()).type, 'DELETED');
});

test('a pod on a node gets its time, and a second deletion can shorten it', async (t) => {
  const control = await startControl(t);
  const spec = { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] };
  await control.post(pods, { metadata: { name: 'p' }, spec });
  const first = await control.request('DELETE', `${pods}/p`);
  t.match(first.body.metadata, { deletionGracePeriodSeconds: 30, generation: 2 });
  t.same((await control.request('DELETE', `${pods}/p`)).body, first.body);
  const shorter = await control.request('DELETE', `${pods}/p?gracePeriodSeconds=5`);
  t.equal(shorter.body.metadata.deletionGracePeriodSeconds, 5);
  t.match(await control.request('DELETE', `${pods}/p`, { gracePeriodSeconds: 0 }), {
    body: { status: 'Success' },
  });
  await control.post(pods, { metadata: { name: 'q' }, spec: { containers: [{ name: 'c', image: 'i' }] } });
  t.match(await control.request('DELETE', `${pods}/q`), { body: { status: 'Success' } }, 'runs nowhere');
});

test('deletecollection takes what its selector shows and answers with it', async (t) => {
  const control = await startControl(t);
  for (const name of ['a', 'b', 'c']) {
    const labels = { keep: String(name === 'b') };
    await control.post(services, service(name, { metadata: { name, labels } }));
  }
  const { body } = await control.request('DELETE', `${services}?labelSelector=keep%3Dfalse`);
  t.equal(body.kind, 'ServiceList');
  t.same(namesOf(body), ['a', 'c']);
  t.same(namesOf((await control.get(services)).body), ['b']);
  const limited = await control.request('DELETE', `${services}?limit=1&dryRun=All`);
  t.same(namesOf(limited.body), ['b']);
  t.same(namesOf((await control.get(services)).body), ['b']);
});

test('options that make no sense are refused', async (t) => {
  const control = await startControl(t);
  await control.post(services, service('web'));
  t.equal((await control.request('DELETE', `${services}/web`, { gracePeriodSeconds: -1 })).status, 422);
  t.equal((await control.request('DELETE', `${services}/web`, '[]')).status, 400);
  t.equal((await control.request('DELETE', `${services}/web`, { dryRun: ['Some'] })).status, 422);
  t.equal((await control.get(`${services}/web`)).status, 200);
});

function namesOf(list: { items: { metadata: { name: string } }[] }): string[] {
  return list.items.map(({ metadata }) => metadata.name);
}
