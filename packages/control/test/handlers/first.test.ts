import { test } from 'tap';
import { mergePatch, service, services, startControl } from '../harness.ts';

test('a Service is created, read, listed, watched and deleted', async (t) => {
  const control = await startControl(t);
  t.equal((await control.get('/healthz')).text, 'ok');
  const watch = await control.watch(`${services}?watch=true`);
  const created = await control.post(services, service('web'));
  t.equal(created.status, 201);
  t.equal(created.body.spec.type, 'ClusterIP');
  t.equal((await control.get(`${services}/web`)).text, created.text);
  const listed = await control.get(services);
  t.match(listed.body, { kind: 'ServiceList', items: [{ metadata: { name: 'web' } }] });
  const added = await watch.next();
  t.same(added, { type: 'ADDED', object: created.body });
  const patched = await control.request(
    'PATCH',
    `${services}/web`,
    { metadata: { labels: { a: 'b' } } },
    mergePatch,
  );
  t.equal(patched.status, 200);
  t.match(await watch.next(), { type: 'MODIFIED', object: { metadata: { labels: { a: 'b' } } } });
  const deleted = await control.request('DELETE', `${services}/web`);
  t.match(deleted.body, { kind: 'Status', status: 'Success', details: { name: 'web', kind: 'services' } });
  const gone = await watch.next();
  t.equal(gone.type, 'DELETED');
  t.ok(Number(gone.object.metadata.resourceVersion) > Number(patched.body.metadata.resourceVersion));
});
