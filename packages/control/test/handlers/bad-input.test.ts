import { connect } from 'node:net';
import { test } from 'tap';
import { mergePatch, service, services, startControl } from '../harness.ts';
import type { Control } from '../harness.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const pods = '/api/v1/namespaces/default/pods';
const MiB = 1024 * 1024;

test('bodies beyond 3 MiB are refused, whether their length was told or not', async (t) => {
  const control = await startControl(t);
  t.equal((await control.post(pods, pod('fits', 'x'.repeat(3 * MiB - 1_000)))).status, 201);
  const large = pod('large', 'x'.repeat(3 * MiB));
  const told = await control.post(pods, large);
  t.match(told, {
    status: 413,
    body: {
      reason: 'RequestEntityTooLarge',
      message: 'Request entity is too large: limit is 3145728',
      code: 413,
    },
  });
  const untold = await fetch(`${control.url}${pods}`, {
    method: 'POST',
    body: new Blob([JSON.stringify(large)]).stream(),
    headers: { 'content-type': 'application/json' },
    duplex: 'half',
  });
  t.equal(untold.status, 413);
  await untold.arrayBuffer();
  t.equal((await control.get(`${pods}/large`)).status, 404);
});

test('what is no JSON, or nested too deep, is refused with the reason', async (t) => {
  const control = await startControl(t);
  const broken = await control.post(configMaps, '{"metadata":');
  t.match(broken, { status: 400, body: { reason: 'BadRequest', message: /the body is not valid JSON/ } });
  t.equal((await control.post(configMaps, '')).status, 400);
  const deep = `{"metadata":{"name":"a"},"data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  t.match(await control.post(configMaps, deep), { status: 400, body: { message: /nested more than/ } });
  const quoted = { metadata: { name: 'a' }, data: { k: `\\"${'['.repeat(1_000)}` } };
  t.equal((await control.post(configMaps, quoted)).status, 201, 'brackets in strings are not levels');
});

test('YAML is taken, and refused when broken', async (t) => {
  const control = await startControl(t);
  const yaml = { 'content-type': 'application/yaml' };
  const text = 'metadata: {name: a}\ndata:\n  k: |\n    two\n    lines\n';
  const created = await control.post(configMaps, text, yaml);
  t.match(created, { status: 201, body: { data: { k: 'two\nlines\n' } } });
  t.match(await control.post(configMaps, 'a: [', yaml), { status: 400, body: { message: /not valid YAML/ } });
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
    .split('')
    .map((name, i) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefgh'[i]}`).join(',')}]`)
    .join('\n')}\n`;
  t.equal((await control.post(configMaps, bomb, yaml)).status, 400);
  const shown = await control.get(`${configMaps}/a`, { accept: 'application/yaml' });
  t.match(shown, { headers: { 'content-type': 'application/yaml' }, text: /\ndata:\n {2}k: \|\n {4}two/ });
});

test('media types that nobody understands are refused', async (t) => {
  const control = await startControl(t);
  const body = { metadata: { name: 'a' } };
  const wrong = await control.post(configMaps, body, {
    'content-type': 'application/vnd.kubernetes.protobuf',
  });
  t.match(wrong, {
    status: 415,
    body: {
      reason: 'UnsupportedMediaType',
      message:
        'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml',
    },
  });
  const pickyClient = await control.get(configMaps, { accept: 'application/vnd.kubernetes.protobuf' });
  t.match(pickyClient, { status: 406, body: { reason: 'NotAcceptable' } });
  const both = await control.get(configMaps, {
    accept: 'application/vnd.kubernetes.protobuf,application/json',
  });
  t.equal(both.status, 200);
});

test('paths and methods that do not exist', async (t) => {
  const control = await startControl(t);
  const unknown = await control.get('/api/v1/namespaces/default/widgets');
  t.match(unknown, {
    status: 404,
    text: '404 page not found\n',
    headers: { 'content-type': /^text\/plain/ },
  });
  for (const path of [
    '/nothing',
    '/api/v2/services',
    '/api/v1/namespaces/default/nodes',
    '/api/v1/services/a',
  ]) {
    t.equal((await control.get(path)).status, 404, path);
  }
  t.equal((await control.request('OPTIONS', services)).status, 405);
  t.equal((await control.request('PUT', services, service('a'))).status, 405);
  t.equal((await control.request('POST', `${services}/a`, service('a'))).status, 405);
  t.equal((await control.request('POST', '/healthz', {})).status, 405);
});

test('names cannot point out of their place', async (t) => {
  const control = await startControl(t);
  for (const path of [`${services}/..%2fpods%2fa`, `${services}/%2e%2e`, `${services}/%zz`]) {
    t.equal((await control.get(path)).status, 404, path);
  }
});

test('a URL beyond the limit is refused', async (t) => {
  const control = await startControl(t);
  const { status } = await control.get(`${services}?labelSelector=${'a'.repeat(20_000)}`);
  t.equal(status, 414);
});

test('more at a time than allowed is refused, and nothing is counted for ever', async (t) => {
  const control = await startControl(t, { maxWrites: 1 });
  const statuses = (
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => control.post(services, service(name))))
  ).map(({ status }) => status);
  t.ok(statuses.every((status) => status === 201 || status === 429));
  const name = 'e';
  t.equal((await control.post(services, service(name))).status, 201);
  t.match((await control.get('/metrics')).text, /outrigger_control_request_total\{verb="create"/);
});

test('more objects than allowed are refused', async (t) => {
  const control = await startControl(t, { maxObjects: 2 });
  for (const name of ['a', 'b']) t.equal((await control.post(services, service(name))).status, 201);
  const { status, body } = await control.post(services, service('c'));
  t.equal(status, 403);
  t.equal(body.message, 'services "c" is forbidden: there are 2 already, and the limit is 2');
});

test('a client that goes away in the middle of its body leaves nothing behind', async (t) => {
  const control = await startControl(t, { maxWrites: 1 });
  await abandon(
    control,
    `POST ${services} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"meta`,
  );
  for (let status = 429; status !== 201;) status = (await control.post(services, service('a'))).status;
  t.same((await control.get(services)).body.items.length, 1);
});

test('an update may not grow beyond what a body may be', async (t) => {
  const control = await startControl(t);
  await control.post('/api/v1/nodes', { metadata: { name: 'a' } });
  const half = 'x'.repeat(1.6 * MiB);
  const grow = (configSource: object) =>
    control.request('PATCH', '/api/v1/nodes/a', { spec: { configSource } }, mergePatch);
  t.equal((await grow({ first: half })).status, 200);
  t.match(await grow({ second: half }), { status: 413, body: { reason: 'RequestEntityTooLarge' } });
});

/** As large as is wanted: what is in `affinity` is kept as it is. */
function pod(name: string, filler: string): object {
  return { metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }], affinity: { filler } } };
}

/** Sends the beginning of a request and breaks the connection once the server has it. */
function abandon(control: Control, text: string): Promise<void> {
  const { port, hostname } = new URL(control.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    socket.once('error', reject);
    socket.write(text, () => {
      socket.destroy();
      resolve();
    });
  });
}
