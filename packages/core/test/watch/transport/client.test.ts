import { FakeClock, seededRandom } from '@outrigger/core/clock';
import { systemNet } from '@outrigger/core/net';
import { eventually, MemoryNet, testDeps } from '@outrigger/core/testing';
import type { TestDeps } from '@outrigger/core/testing';
import { createApiClient, resolveConnection } from '@outrigger/core/watch';
import type { ApiClient, ControlConfig } from '@outrigger/core/watch';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { test } from 'tap';
import type { Test } from 'tap';
import { tempDir } from '../../../../../test/harness/index.ts';
import { FakeApi } from '../fake-api.ts';

const fixture = (name: string): string => new URL(`../fixtures/${name}`, import.meta.url).pathname;
const never = new AbortController().signal;

async function clientFor(t: Test, config: ControlConfig, deps: TestDeps, limits = {}): Promise<ApiClient> {
  const client = createApiClient(
    await resolveConnection(config, deps),
    { userAgent: 'test/1', limits },
    deps,
  );
  t.teardown(() => client.close());
  return client;
}

/** What it was rejected with, whenever that is. */
function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'it went well',
    (error: unknown) => error,
  );
}

/** A server over memory whose every request is answered by `handler`. */
async function serve(t: Test, handler: http.RequestListener): Promise<{ net: MemoryNet; url: string }> {
  const net = new MemoryNet();
  const server = http.createServer(handler);
  const listener = await net.listen(server, { kind: 'tcp', host: '127.0.0.1', port: 0 });
  t.teardown(() => server.closeAllConnections());
  return { net, url: `http://${listener.name}` };
}

test('a request says who we are and what we send, and gives the JSON', async (t) => {
  const api = new FakeApi();
  const net = new MemoryNet();
  await api.listen(net);
  t.teardown(() => api.close());
  api.other = (seen, response) => {
    response.end(JSON.stringify({ got: JSON.parse(seen.body) }));
    return true;
  };
  const dir = t.testdir({ token: 'tok' });
  const config = { control: [`${api.url}/prefix`], controlTokenFile: join(dir, 'token') };
  const client = await clientFor(t, config, testDeps({ net }));
  const answer = await client.request({
    method: 'PATCH',
    path: '/x',
    query: { fieldManager: 'me' },
    body: { a: 'ü' },
    contentType: 'application/merge-patch+json',
  });
  t.same(answer, { got: { a: 'ü' } });
  const [seen] = api.requests;
  t.equal(seen?.method, 'PATCH');
  t.equal(seen?.path, '/prefix/x');
  t.equal(seen?.query.get('fieldManager'), 'me');
  t.match(seen?.headers, {
    authorization: 'Bearer tok',
    'user-agent': 'test/1',
    accept: 'application/json',
    'content-type': 'application/merge-patch+json',
  });
});

test('a refusal is an ApiError, with the Retry-After header in it', async (t) => {
  const api = new FakeApi();
  const net = new MemoryNet();
  await api.listen(net);
  t.teardown(() => api.close());
  const client = await clientFor(t, { control: [api.url] }, testDeps({ net }));
  api.failures.push(
    { status: 409 },
    { status: 429, retryAfter: 7, body: 'slow down' },
    { status: 500, body: '' },
  );
  await t.rejects(client.request({ path: '/x' }), { name: 'ApiError', httpStatus: 409 });
  await t.rejects(client.request({ path: '/x' }), {
    httpStatus: 429,
    retryAfterSeconds: 7,
    message: 'slow down',
  });
  await t.rejects(client.request({ path: '/x' }), { name: 'ApiError', httpStatus: 500 });
  api.failures.push({ status: 403 });
  await t.rejects(client.stream({ path: '/x', signal: never, onLines: () => {} }), {
    name: 'ApiError',
    httpStatus: 403,
  });
});

test('text that is not JSON is given as text', async (t) => {
  const { net, url } = await serve(t, (_request, response) => void response.end('ok'));
  const client = await clientFor(t, { control: [url] }, testDeps({ net }));
  t.equal(await client.request({ path: '/healthz' }), 'ok');
});

test('a 401 makes it look at the token file again', async (t) => {
  const dir = t.testdir({ token: 'old' });
  const file = join(dir, 'token');
  const { net, url } = await serve(t, ({ headers }, response) => {
    response.statusCode = headers.authorization === 'Bearer new' ? 200 : 401;
    response.end('{}');
  });
  const client = await clientFor(t, { control: [url], controlTokenFile: file }, testDeps({ net }));
  await t.rejects(client.request({ path: '/' }), { name: 'ApiError', httpStatus: 401 });
  await writeFile(file, 'new');
  t.same(await client.request({ path: '/' }), {});
});

test('nobody there', async (t) => {
  const client = await clientFor(t, { control: ['http://127.0.0.1:1'] }, testDeps({ net: new MemoryNet() }));
  await t.rejects(client.request({ path: '/' }), {
    code: 'CONTROL_UNREACHABLE',
    target: 'http://127.0.0.1:1',
    message: /ECONNREFUSED/,
  });
});

test('a server that never answers, and one that never ends its answer', async (t) => {
  const clock = new FakeClock();
  let half = false;
  let requests = 0;
  const { net, url } = await serve(t, (_request, response) => {
    requests += 1;
    if (half) response.write('{"a":');
  });
  const client = await clientFor(t, { control: [url] }, testDeps({ net, clock }));
  for (half of [false, true]) {
    const before = requests;
    const failure = failureOf(client.request({ path: '/' }));
    await eventually('the request', () => requests > before);
    await clock.advance(29_000);
    await clock.advance(1_000);
    t.match(await failure, { code: 'CONTROL_TIMEOUT' });
  }
});

test('a connection that never opens', async (t) => {
  const clock = new FakeClock();
  const deps = testDeps({ clock });
  let opened = 0;
  const net = {
    ...deps.net,
    connect: () => {
      opened += 1;
      return new Socket();
    },
  };
  const client = await clientFor(t, { control: ['http://10.0.0.1:1'] }, { ...deps, net });
  const failure = failureOf(client.request({ path: '/' }));
  await eventually('the dial', () => opened === 1);
  await clock.advance(5_000);
  t.match(await failure, { code: 'CONTROL_UNREACHABLE', message: /within 5000 ms/ });
});

test('answers cut at every byte are errors, never half a value', async (t) => {
  const body = JSON.stringify({ a: 'value' });
  const whole = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  let cut = 0;
  const net = new MemoryNet();
  const server = http.createServer();
  server.removeAllListeners('connection');
  server.on('connection', (socket: Duplex) => {
    socket.on('error', () => {});
    socket.once('data', () =>
      socket.write(whole.slice(0, cut), () => (cut < whole.length ? socket.destroy() : undefined)),
    );
  });
  const { name } = await net.listen(server, { kind: 'tcp', host: '127.0.0.1', port: 0 });
  const client = await clientFor(t, { control: [`http://${name}`] }, testDeps({ net }));
  const wrong: string[] = [];
  for (cut = 0; cut < whole.length; cut++) {
    const answer = await client.request({ path: '/' }).then(
      (value) => `got ${JSON.stringify(value)}`,
      (error: { code?: string }) => error.code,
    );
    if (answer !== 'CONTROL_BROKEN') wrong.push(`cut at ${cut}: ${answer}`);
  }
  t.same(wrong, []);
  t.same(await client.request({ path: '/' }), { a: 'value' });
});

test('an answer beyond the limit is given up', async (t) => {
  const { net, url } = await serve(t, (_request, response) => void response.end('x'.repeat(2_000)));
  const client = await clientFor(t, { control: [url] }, testDeps({ net }), { maxResponseBytes: 1_000 });
  await t.rejects(client.request({ path: '/' }), { code: 'CONTROL_RESPONSE_TOO_LARGE' });
});

test('a stream gives lines as they come together, and ends with the server', async (t) => {
  const { net, url } = await serve(t, (_request, response) => {
    response.write('{"a":1}\n{"a":2}\n{"a"');
    setImmediate(() => response.end(':3}\n'));
  });
  const client = await clientFor(t, { control: [url] }, testDeps({ net }));
  const batches: string[][] = [];
  let open = 0;
  await client.stream({
    path: '/',
    signal: never,
    onOpen: () => (open += 1),
    onLines: (lines) => batches.push([...lines]),
  });
  t.equal(open, 1);
  t.same(batches, [['{"a":1}', '{"a":2}'], ['{"a":3}']]);
});

test('a stream that ends inside a line is broken, and so is one that is reset', async (t) => {
  const responses: http.ServerResponse[] = [];
  const { net, url } = await serve(t, (_request, response) => {
    response.write('{"a":1}\n{"a"');
    responses.push(response);
  });
  const client = await clientFor(t, { control: [url] }, testDeps({ net }));
  for (const how of ['end', 'destroy'] as const) {
    const lines: string[] = [];
    const stream = client.stream({
      path: '/',
      signal: never,
      onLines: (some) => {
        lines.push(...some);
        responses.pop()?.[how]();
      },
    });
    await t.rejects(stream, { code: 'CONTROL_BROKEN' });
    t.same(lines, ['{"a":1}']);
  }
});

test('a stream is ended by its signal, by its receiver, and by a line too long', async (t) => {
  let closed = 0;
  const { net, url } = await serve(t, (_request, response) => {
    response.on('close', () => (closed += 1));
    response.write('{"a":1}\n');
    response.write('x'.repeat(2_000));
  });
  const client = await clientFor(t, { control: [url] }, testDeps({ net }), { maxLineBytes: 1_000 });
  await t.rejects(client.stream({ path: '/', signal: never, onLines: () => {} }), {
    code: 'WATCH_LINE_TOO_LONG',
  });
  const stop = new AbortController();
  const stopped = client.stream({
    path: '/',
    signal: stop.signal,
    onLines: () => stop.abort(new Error('enough')),
  });
  await t.rejects(stopped, { message: 'enough' });
  const thrown = client.stream({
    path: '/',
    signal: never,
    onLines: () => {
      throw new Error('not me');
    },
  });
  await t.rejects(thrown, { message: 'not me' });
  const done = new AbortController();
  done.abort(new Error('before'));
  await t.rejects(client.stream({ path: '/', signal: done.signal, onLines: () => {} }), {
    message: 'before',
  });
  await eventually('all closed at the server', () => closed === 3);
});

test('several URLs: the first is kept while it works, a dead one is left at once', async (t) => {
  const net = new MemoryNet();
  const [a, b] = [new FakeApi(), new FakeApi()];
  await a.listen(net);
  await b.listen(net);
  t.teardown(() => [a, b].forEach((api) => api.close()));
  const deps = testDeps({ net });
  const client = await clientFor(t, { control: [a.url, b.url] }, deps);
  const ask = (): Promise<unknown> => client.request({ path: '/api/v1/namespaces', at: client.url });
  await ask();
  await ask();
  t.equal(b.requests.length, 0);
  a.failures.push({ status: 503 });
  const error = await ask().catch((reason: unknown) => reason);
  t.ok(client.movedOn(error), 'worth trying again at once');
  t.equal(client.url, b.url);
  await ask();
  t.equal(b.requests.length, 1);
  await t.rejects(client.request({ path: '/', at: a.url }), { code: 'CONTROL_MOVED' });
  t.equal(deps.lines.filter((line) => line.includes('using another')).length, 1);
  net.cut(b.url.slice('http://'.length));
  b.server.closeAllConnections();
  b.close();
  a.close();
  t.ok(client.movedOn(await ask().catch((reason: unknown) => reason)));
  t.notOk(client.movedOn(await ask().catch((reason: unknown) => reason)), 'all have failed now');
});

test('refusals do not move it: another server would say the same', async (t) => {
  const net = new MemoryNet();
  const api = new FakeApi();
  await api.listen(net);
  t.teardown(() => api.close());
  const client = await clientFor(t, { control: [api.url, 'http://127.0.0.1:1'] }, testDeps({ net }));
  api.failures.push({ status: 401 }, { status: 404 }, { status: 429 });
  for (let i = 0; i < 3; i++) await t.rejects(client.request({ path: '/' }));
  t.equal(client.url, api.url);
});

test('over a unix socket', async (t) => {
  const path = join(tempDir(t), 'api.sock');
  const api = new FakeApi();
  await api.listen(systemNet(), { kind: 'unix', path });
  t.teardown(() => api.close());
  const client = await clientFor(t, { control: [`unix:${path}`] }, testDeps());
  t.match(await client.request({ path: '/api/v1/namespaces' }), {
    items: [{ metadata: { uid: 'cluster-1' } }],
  });
});

test('over TLS, in both directions of trust', async (t) => {
  const server = https.createServer(
    {
      key: readFileSync(fixture('server.key')),
      cert: readFileSync(fixture('server.pem')),
      ca: readFileSync(fixture('ca.pem')),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      response.end(JSON.stringify({ user: subject?.CN ?? 'nobody' }));
    },
  );
  const listener = await systemNet().listen(server, { kind: 'tcp', host: '127.0.0.1', port: 0 });
  t.teardown(() => {
    listener.close();
    server.closeAllConnections();
  });
  const control = [`https://${listener.name}`];
  const trusted = await clientFor(t, { control, controlCa: fixture('ca.pem') }, testDeps());
  t.same(await trusted.request({ path: '/' }), { user: 'nobody' });
  const known = await clientFor(
    t,
    {
      control,
      controlCa: fixture('ca.pem'),
      controlCert: fixture('client.pem'),
      controlKey: fixture('client.key'),
    },
    testDeps(),
  );
  t.same(await known.request({ path: '/' }), { user: 'client' });
  const distrusting = await clientFor(t, { control }, testDeps());
  await t.rejects(distrusting.request({ path: '/' }), { code: 'CONTROL_UNREACHABLE', hint: /certificate/ });
});

test('TLS over any network the client is given', async (t) => {
  const net = new MemoryNet();
  const server = https.createServer(
    { key: readFileSync(fixture('server.key')), cert: readFileSync(fixture('server.pem')) },
    (_request, response) => void response.end('{}'),
  );
  const listener = await net.listen(server, { kind: 'tcp', host: 'localhost', port: 6443 });
  t.teardown(() => server.closeAllConnections());
  const client = await clientFor(
    t,
    { control: [`https://${listener.name}`], controlCa: fixture('ca.pem') },
    testDeps({ net }),
  );
  t.same(await client.request({ path: '/' }), {});
});

test('closed, it ends what is under way and takes nothing more', async (t) => {
  const { net, url } = await serve(t, (_request, response) => void response.write('{"a":1}\n'));
  const client = await clientFor(t, { control: [url] }, testDeps({ net, random: seededRandom(2) }));
  let lines = 0;
  const failure = failureOf(client.stream({ path: '/', signal: never, onLines: () => (lines += 1) }));
  await eventually('the stream', () => lines === 1);
  await client.close();
  t.match(await failure, { code: 'CONTROL_BROKEN' });
  await t.rejects(client.request({ path: '/' }), { code: 'CONTROL_CLOSED' });
});
