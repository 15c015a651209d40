import { test } from 'tap';
import { service, services, startControl } from '../harness.ts';

const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
/** No controller writes their status. */
const ambassadors = '/apis/outrigger.dev/v1alpha1/namespaces/default/redisambassadors';
const policies = '/apis/outrigger.dev/v1alpha1/namespaces/default/trafficpolicies';

test('an update with the current revision is taken, one with an older revision is not', async (t) => {
  const control = await startControl(t);
  const { body: first } = await control.post(services, service('web'));
  first.metadata.labels = { a: '1' };
  const second = await control.request('PUT', `${services}/web`, first);
  t.equal(second.status, 200);
  t.ok(Number(second.body.metadata.resourceVersion) > Number(first.metadata.resourceVersion));
  const stale = await control.request('PUT', `${services}/web`, first);
  t.match(stale, {
    status: 409,
    body: {
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on services "web": the object has been modified; please apply your changes ' +
        'to the latest version and try again',
    },
  });
  const nonsense = { ...first, metadata: { ...first.metadata, resourceVersion: 'abc' } };
  t.equal((await control.request('PUT', `${services}/web`, nonsense)).status, 409);
});

test('an update that changes nothing keeps the revision', async (t) => {
  const control = await startControl(t);
  const { body } = await control.post(services, service('web'));
  const again = await control.request('PUT', `${services}/web`, body);
  t.same(again.body, body);
});

test('kinds differ in whether an update must name a revision', async (t) => {
  const control = await startControl(t);
  await control.post(services, service('web'));
  t.equal((await control.request('PUT', `${services}/web`, service('web'))).status, 200);
  await control.post(leases, { metadata: { name: 'l' }, spec: {} });
  const refused = await control.request('PUT', `${leases}/l`, { metadata: { name: 'l' }, spec: {} });
  t.equal(refused.status, 422);
  t.match(refused.body.details.causes, [{ field: 'metadata.resourceVersion' }]);
  t.match(refused.body.message, 'must be specified for an update');
});

test('identity cannot be changed', async (t) => {
  const control = await startControl(t);
  const { body } = await control.post(services, service('web'));
  const otherUid = { ...body, metadata: { ...body.metadata, uid: 'other' } };
  const conflict = await control.request('PUT', `${services}/web`, otherUid);
  t.equal(conflict.status, 409);
  t.match(conflict.body.message, `UID in precondition: other, UID in object meta: ${body.metadata.uid}`);
  const renamed = await control.request('PUT', `${services}/web`, service('other'));
  t.equal(renamed.status, 400);
  t.equal(renamed.body.message, 'the name of the object (other) does not match the name on the URL (web)');
  const forged = { ...body, metadata: { ...body.metadata, creationTimestamp: '2001-01-01T00:00:00Z' } };
  const kept = await control.request('PUT', `${services}/web`, forged);
  t.equal(kept.body.metadata.creationTimestamp, body.metadata.creationTimestamp);
  const ip = { ...body, spec: { ...body.spec, clusterIP: '10.96.9.9', clusterIPs: ['10.96.9.9'] } };
  t.match(await control.request('PUT', `${services}/web`, ip), { status: 422 });
});

test('PUT creates where the kind allows it, and nowhere else', async (t) => {
  const control = await startControl(t);
  const created = await control.request('PUT', `${services}/fresh`, service('fresh'));
  t.equal(created.status, 201);
  const gone = service('was', { metadata: { name: 'was', resourceVersion: '3' } });
  t.equal((await control.request('PUT', `${services}/was`, gone)).status, 404);
  const policy = { metadata: { name: 'p', resourceVersion: '1' }, spec: { targetRefs: [{ name: 'web' }] } };
  t.equal((await control.request('PUT', `${policies}/p`, policy)).status, 404);
});

test('status and the rest are changed apart, and only the rest counts as a generation', async (t) => {
  const control = await startControl(t);
  const status = { conditions: [condition('Accepted')] };
  const { body: created } = await control.post(ambassadors, {
    metadata: { name: 'r' },
    spec: { primary: '127.0.0.1:6379' },
    status,
  });
  t.equal(created.metadata.generation, 1);
  t.notOk('status' in created, 'status is not taken at creation');
  const asked = { ...created, status, spec: { ...created.spec, readPolicy: 'primary' } };
  const viaStatus = await control.request('PUT', `${ambassadors}/r/status`, asked);
  t.equal(viaStatus.status, 200);
  t.match(viaStatus.body, { status, spec: { readPolicy: 'preferReplica' }, metadata: { generation: 1 } });
  const viaMain = await control.request('PUT', `${ambassadors}/r`, {
    ...asked,
    status: {},
    metadata: { ...created.metadata, resourceVersion: viaStatus.body.metadata.resourceVersion },
  });
  t.match(viaMain.body, { status, spec: { readPolicy: 'primary' }, metadata: { generation: 2 } });
  t.equal((await control.get(`${ambassadors}/r/status`)).body.metadata.name, 'r');
  t.equal((await control.request('DELETE', `${ambassadors}/r/status`)).status, 405);
  t.equal((await control.get(`${leases}/l/status`)).status, 404, 'leases have no status');
});

test('many writers of one object lose nothing', async (t) => {
  const control = await startControl(t);
  await control.post(services, service('web'));
  const types = { 'content-type': 'application/merge-patch+json' };
  // As many as are tried again at most, so that each gets through.
  const writers = Array.from({ length: 5 }, (_, i) =>
    control.request('PATCH', `${services}/web`, { metadata: { labels: { [`w${i}`]: 'x' } } }, types),
  );
  t.same(
    (await Promise.all(writers)).map(({ status }) => status),
    [200, 200, 200, 200, 200],
  );
  const { body } = await control.get(`${services}/web`);
  t.equal(Object.keys(body.metadata.labels).length, 5);
});

function condition(type: string): Record<string, string> {
  return { type, status: 'True', reason: 'Tested', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' };
}
