import { test } from 'tap';
import { mergePatch, service, services, startControl } from '../harness.ts';
import type { Control, Reply } from '../harness.ts';

const policies = '/apis/outrigger.dev/v1alpha1/namespaces/default/trafficpolicies';

const patch = (control: Control, type: string, body: unknown, path = `${services}/web`): Promise<Reply> =>
  control.request('PATCH', path, body, { 'content-type': `application/${type}+json` });

test('merge patch: sets, removes, and keeps the rest', async (t) => {
  const control = await startControl(t);
  await control.post(services, service('web', { metadata: { name: 'web', labels: { a: '1', b: '2' } } }));
  const { status, body } = await patch(control, 'merge-patch', {
    metadata: { labels: { a: null, c: '3' } },
    spec: { sessionAffinity: 'ClientIP' },
  });
  t.equal(status, 200);
  t.same(body.metadata.labels, { b: '2', c: '3' });
  t.match(body.spec, {
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
  });
});

test('strategic merge patch: ports are merged by their number', async (t) => {
  const control = await startControl(t);
  await control.post(services, service('web'));
  const { body } = await patch(control, 'strategic-merge-patch', {
    spec: { ports: [{ port: 443, name: 'https' }] },
  });
  t.same(body.spec.ports.map(({ name }: { name: string }) => name).toSorted(), ['http', 'https']);
  const removed = await patch(control, 'strategic-merge-patch', {
    spec: { ports: [{ port: 80, $patch: 'delete' }] },
  });
  t.match(removed.body.spec.ports, [{ port: 443, protocol: 'TCP' }]);
});

test('JSON patch: applied whole or not at all', async (t) => {
  const control = await startControl(t);
  await control.post(services, service('web'));
  const good = await patch(control, 'json-patch', [
    { op: 'test', path: '/spec/type', value: 'ClusterIP' },
    { op: 'add', path: '/metadata/labels', value: { a: 'b' } },
  ]);
  t.match(good, { status: 200, body: { metadata: { labels: { a: 'b' } } } });
  const failed = await patch(control, 'json-patch', [
    { op: 'remove', path: '/metadata/labels' },
    { op: 'test', path: '/spec/type', value: 'X' },
  ]);
  t.equal(failed.status, 422);
  t.equal(failed.body.message, 'the server rejected our request due to an error in our request');
  t.equal((await patch(control, 'json-patch', { op: 'add' })).status, 400);
  t.equal((await patch(control, 'json-patch', [{ op: 'remove', path: '/nope' }])).status, 422);
  t.match((await control.get(`${services}/web`)).body.metadata.labels, { a: 'b' });
});

test('a patch with a revision is conditional, one without is not', async (t) => {
  const control = await startControl(t);
  const { body } = await control.post(services, service('web'));
  const { resourceVersion } = body.metadata;
  const label = (value: string): object => ({ metadata: { resourceVersion, labels: { value } } });
  t.equal((await patch(control, 'merge-patch', label('1'))).status, 200);
  t.equal((await patch(control, 'merge-patch', label('2'))).status, 409);
  t.equal((await patch(control, 'merge-patch', { metadata: { labels: { value: '3' } } })).status, 200);
});

test('the patched object is checked like any other', async (t) => {
  const control = await startControl(t);
  await control.post(services, service('web'));
  const strict = await control.request(
    'PATCH',
    `${services}/web?fieldValidation=Strict`,
    { bogus: 1 },
    mergePatch,
  );
  t.equal(strict.status, 400);
  t.match(strict.body.message, 'strict decoding error: unknown field "bogus"');
  const warned = await control.request('PATCH', `${services}/web`, { spec: { bogus: 1 } }, mergePatch);
  t.equal(warned.headers['warning'], '299 - "unknown field \\"spec.bogus\\""');
  t.equal((await patch(control, 'merge-patch', { spec: { type: 'Odd' } })).status, 422);
  t.equal((await patch(control, 'merge-patch', { metadata: { name: 'other' } })).status, 400);
  t.equal((await patch(control, 'merge-patch', {}, `${services}/absent`)).status, 404);
});

test('kinds of ours take no strategic patch; nobody takes an apply patch', async (t) => {
  const control = await startControl(t);
  await control.post(policies, { metadata: { name: 'p' }, spec: { targetRefs: [{ name: 'web' }] } });
  const strategic = await patch(control, 'strategic-merge-patch', {}, `${policies}/p`);
  t.equal(strategic.status, 415);
  t.equal(
    strategic.body.message,
    'the body of the request was in an unknown format - accepted media types include: ' +
      'application/json-patch+json, application/merge-patch+json',
  );
  const apply = await control.request('PATCH', `${services}/web?fieldManager=me`, '{}', {
    'content-type': 'application/apply-patch+yaml',
  });
  t.equal(apply.status, 415);
  t.match(apply.body.message, 'use client-side apply, without --server-side');
});

test('a dry run shows the outcome and keeps nothing', async (t) => {
  const control = await startControl(t);
  const { body: before } = await control.post(services, service('web'));
  const body = { metadata: { labels: { a: 'b' } } };
  const dry = await control.request('PATCH', `${services}/web?dryRun=All`, body, mergePatch);
  t.match(dry.body.metadata, { labels: { a: 'b' }, resourceVersion: before.metadata.resourceVersion });
  t.same((await control.get(`${services}/web`)).body, before);
});
