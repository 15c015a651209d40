import { test } from 'tap';
import { service, services, startControl } from '../harness.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('the server decides identity, time, revision and defaults', async (t) => {
  const control = await startControl(t);
  const forged = {
    name: 'web',
    uid: 'mine',
    generation: 9,
    creationTimestamp: '2001-01-01T00:00:00Z',
    deletionTimestamp: '2001-01-01T00:00:00Z',
    managedFields: [{ manager: 'me' }],
  };
  const { status, headers, body } = await control.post(services, service('web', { metadata: forged }));
  t.equal(status, 201);
  t.match(body.metadata, { name: 'web', namespace: 'default', uid: uuid });
  t.match(headers['audit-id'], uuid);
  t.equal(headers['cache-control'], 'no-cache, private');
  t.not(body.metadata.creationTimestamp, forged.creationTimestamp);
  t.match(body.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  t.notOk('deletionTimestamp' in body.metadata || 'managedFields' in body.metadata);
  t.match(body.spec, { type: 'ClusterIP', sessionAffinity: 'None', internalTrafficPolicy: 'Cluster' });
  t.match(body.spec.clusterIP, /^10\.96\./);
  t.same(body.spec.clusterIPs, [body.spec.clusterIP]);
});

test('a name that is taken, a revision in the body, and no name at all are refused', async (t) => {
  const control = await startControl(t);
  await control.post(services, service('web'));
  const again = await control.post(services, service('web'));
  t.match(again.body, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'services "web" already exists',
    reason: 'AlreadyExists',
    details: { name: 'web', kind: 'services' },
    code: 409,
  });
  const revision = await control.post(
    services,
    service('b', { metadata: { name: 'b', resourceVersion: '1' } }),
  );
  t.equal(revision.status, 400);
  t.equal(revision.body.message, 'resourceVersion should not be set on objects to be created');
  const nameless = await control.post(services, service('c', { metadata: {} }));
  t.equal(nameless.status, 422);
  t.match(nameless.body.details.causes, [{ reason: 'FieldValueRequired', field: 'metadata.name' }]);
});

test('generateName makes names that are not taken', async (t) => {
  const control = await startControl(t);
  const prefix = `${'p'.repeat(60)}-`;
  const names = new Set<string>();
  for (let i = 0; i < 5; i++) {
    const { status, body } = await control.post(configMaps, { metadata: { generateName: prefix } });
    t.equal(status, 201);
    t.match(body.metadata.name, /^p{58}[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    names.add(body.metadata.name);
  }
  t.equal(names.size, 5);
});

test('a server that makes no new names says so, and when to come back', async (t) => {
  const control = await startControl(t, {}, { random: { next: () => 0 } });
  const make = () => control.post(configMaps, { metadata: { generateName: 'same-' } });
  t.equal((await make()).status, 201);
  t.match(await make(), {
    status: 409,
    headers: { 'retry-after': '1' },
    body: {
      reason: 'AlreadyExists',
      message:
        /"same-bbbbb" already exists, the server was not able to generate a unique name for the object$/,
      details: { retryAfterSeconds: 1 },
    },
  });
});

test('the namespace must exist and be that of the URL', async (t) => {
  const control = await startControl(t);
  const nowhere = await control.post('/api/v1/namespaces/nowhere/services', service('web'));
  t.equal(nowhere.status, 404);
  t.equal(nowhere.body.message, 'namespaces "nowhere" not found');
  const elsewhere = await control.post(
    services,
    service('web', { metadata: { name: 'web', namespace: 'other' } }),
  );
  t.equal(elsewhere.status, 400);
  t.equal(
    elsewhere.body.message,
    'the namespace of the provided object does not match the namespace sent on the request',
  );
  t.equal((await control.post('/api/v1/services', service('web'))).status, 404);
});

test('a dry run does everything but keep it', async (t) => {
  const control = await startControl(t);
  const { status, body } = await control.post(`${services}?dryRun=All`, service('web'));
  t.equal(status, 201);
  t.match(body.metadata.uid, uuid);
  t.notOk('resourceVersion' in body.metadata);
  t.equal((await control.get(`${services}/web`)).status, 404);
  const wrong = await control.post(`${services}?dryRun=Some`, service('web'));
  t.match(wrong, {
    status: 422,
    body: { details: { kind: 'CreateOptions', causes: [{ field: 'dryRun' }] } },
  });
});

test('unknown and duplicate fields: Strict refuses, Warn tells, Ignore is silent', async (t) => {
  const control = await startControl(t);
  const text = '{"metadata":{"name":"a"},"data":{"k":"1","k":"2"},"bogus":1}';
  const strict = await control.post(`${configMaps}?fieldValidation=Strict`, text);
  t.equal(strict.status, 400);
  t.equal(
    strict.body.message,
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: ' +
      'duplicate field "data.k", unknown field "bogus"',
  );
  const silent = await control.post(`${configMaps}?fieldValidation=Ignore&dryRun=All`, text);
  t.match(silent, { status: 201, headers: { warning: undefined } });
  const warned = await control.post(configMaps, text);
  t.equal(
    warned.headers['warning'],
    '299 - "duplicate field \\"data.k\\"", 299 - "unknown field \\"bogus\\""',
  );
  t.notOk('bogus' in warned.body);
  t.equal((await control.post(`${configMaps}?fieldValidation=Loud`, text)).status, 422);
});

test('validation names each field, as one cause each', async (t) => {
  const control = await startControl(t);
  const bad = service('web', {
    spec: { type: 'Odd', ports: [{ port: 80 }, { port: 80 }, { name: 'X', port: 70_000 }] },
  });
  const { status, body } = await control.post(services, bad);
  t.equal(status, 422);
  t.match(body, { reason: 'Invalid', details: { name: 'web', kind: 'Service' } });
  t.ok(body.details.causes.some(({ field }: { field: string }) => field === 'spec.type'));
  const wrongType = await control.post(services, service('web', { spec: { ports: [{ port: 'eighty' }] } }));
  t.equal(wrongType.status, 400);
  t.match(wrongType.body.message, /spec\.ports\[0\]\.port/);
});

test('duplicate ports are refused', async (t) => {
  const control = await startControl(t);
  const ports = [
    { name: 'a', port: 80 },
    { name: 'b', port: 80 },
  ];
  const { status, body } = await control.post(services, service('web', { spec: { ports } }));
  t.equal(status, 422);
  t.match(body.details.causes, [{ reason: 'FieldValueDuplicate', field: 'spec.ports[1]' }]);
});

test('an object of another type is refused', async (t) => {
  const control = await startControl(t);
  const pod = await control.post(services, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } });
  t.equal(pod.status, 400);
  t.match(pod.body.message, 'the object provided is unrecognized (must be of type Service)');
  t.equal((await control.post(services, [])).status, 400);
  t.equal((await control.post(services, 'null')).status, 400);
});

test('deprecated kinds say so with every answer', async (t) => {
  const control = await startControl(t);
  const { headers } = await control.get('/api/v1/endpoints');
  t.match(headers['warning'], /^299 - "v1 Endpoints is deprecated in v1\.33\+/);
});
