import { FakeClock } from '@outrigger/core/clock';
import { systemNet } from '@outrigger/core/net';
import type { Net } from '@outrigger/core/net';
import { probeSettings, runCheck, startProber, Threshold, unhealthyMessage } from '@outrigger/core/probe';
import type { Probe, ProbeResult, ProbeState } from '@outrigger/core/probe';
import { eventually, MemoryNet } from '@outrigger/core/testing';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net, { Socket } from 'node:net';
import { test } from 'tap';
import type { Test } from 'tap';

/** Connections never open. */
class StuckNet extends MemoryNet {
  override connect(): Socket {
    return Object.assign(new Socket(), { connecting: true });
  }
}

const ok: ProbeResult = { ok: true, message: 'HTTP 200' };
const bad: ProbeResult = { ok: false, message: 'HTTP probe failed with statuscode: 500' };

test('defaults are those of Kubernetes', (t) => {
  t.same(probeSettings({ httpGet: { port: 80 } }, { host: '10.0.0.1' }), {
    check: { kind: 'http', host: '10.0.0.1', port: 80, path: '/', tls: false, headers: [] },
    initialDelayMs: 0,
    periodMs: 10_000,
    timeoutMs: 1_000,
    successThreshold: 1,
    failureThreshold: 3,
  });
  t.end();
});

test('everything given', (t) => {
  const probe: Probe = {
    httpGet: {
      port: 'web',
      path: 'healthz?x=1',
      host: 'example.org',
      scheme: 'HTTPS',
      httpHeaders: [{ name: 'Host', value: 'shop' }],
    },
    initialDelaySeconds: 5,
    periodSeconds: 2,
    timeoutSeconds: 3,
    successThreshold: 4,
    failureThreshold: 6,
  };
  t.same(probeSettings(probe, { host: 'h', ports: { web: 8080 } }), {
    check: {
      kind: 'http',
      host: 'example.org',
      port: 8080,
      path: '/healthz?x=1',
      tls: true,
      headers: [['Host', 'shop']],
    },
    initialDelayMs: 5_000,
    periodMs: 2_000,
    timeoutMs: 3_000,
    successThreshold: 4,
    failureThreshold: 6,
  });
  t.match(probeSettings({ tcpSocket: { port: '5432' } }, { host: 'h' }).check, {
    kind: 'tcp',
    host: 'h',
    port: 5432,
  });
  t.end();
});

test('what cannot be probed is refused', (t) => {
  const target = { host: 'h', ports: { web: 8080 } };
  t.throws(() => probeSettings({ exec: { command: ['x'] } }, target), {
    code: 'PROBE_UNSUPPORTED',
    message: /exec/,
  });
  t.throws(() => probeSettings({ grpc: { port: 1 } }, target), {
    code: 'PROBE_UNSUPPORTED',
    message: /grpc/,
  });
  t.throws(() => probeSettings({}, target), { code: 'PROBE_UNSUPPORTED' });
  for (const port of ['http', 0, 65_536, '-1']) {
    t.throws(() => probeSettings({ tcpSocket: { port } }, target), { code: 'PROBE_INVALID', hint: /web/ });
  }
  t.end();
});

test('a state changes after so many results in a row', (t) => {
  const threshold = new Threshold('readiness', { successThreshold: 2, failureThreshold: 3 });
  t.equal(threshold.state.ok, false, 'nobody is ready before a success');
  const states = [ok, bad, ok, ok, bad, bad, ok, bad, bad, bad, bad].map(
    (result) => threshold.record(result)?.ok,
  );
  t.same(states, [
    undefined, // one success
    undefined,
    undefined,
    true, // two in a row
    undefined,
    undefined,
    undefined, // interrupted
    undefined,
    undefined,
    false, // three in a row
    undefined, // no change
  ]);
  t.equal(threshold.state.message, bad.message);
  t.end();
});

test('liveness begins alive, startup undecided', (t) => {
  const limits = { successThreshold: 1, failureThreshold: 2 };
  const liveness = new Threshold('liveness', limits);
  t.equal(liveness.state.ok, true);
  t.equal(liveness.record(ok), undefined);
  t.equal(liveness.record(bad), undefined);
  t.equal(liveness.record(bad)?.ok, false);
  const startup = new Threshold('startup', limits);
  t.equal(startup.state.ok, undefined);
  t.equal(startup.record(ok)?.ok, true);
  t.end();
});

/** A server in memory; what it is asked is kept. */
async function serve(t: Test, handler: http.RequestListener) {
  const memory = new MemoryNet();
  const seen: http.IncomingMessage[] = [];
  const server = http.createServer((request, response) => {
    seen.push(request);
    handler(request, response);
  });
  await memory.listen(server, { kind: 'tcp', host: '10.0.0.1', port: 80 });
  t.teardown(() => server.closeAllConnections());
  return { memory, seen, server };
}

function check(memory: Net, httpGet = {}, clock = new FakeClock()): Promise<ProbeResult> {
  return runCheck(probeSettings({ httpGet: { port: 80, ...httpGet } }, { host: '10.0.0.1' }), {
    net: memory,
    clock,
  });
}

test('200 to 399 is well, the rest is said as kubelet says it', async (t) => {
  let status = 0;
  const { memory } = await serve(t, (_request, response) => void response.writeHead(status).end('body'));
  for (status of [200, 204, 301, 399]) t.match(await check(memory), { ok: true }, String(status));
  for (status of [400, 404, 500, 503]) {
    t.same(await check(memory), { ok: false, message: `HTTP probe failed with statuscode: ${status}` });
  }
});

test('asks for the path with the headers given', async (t) => {
  const { memory, seen } = await serve(t, (_request, response) => void response.end());
  await check(memory, { path: '/a?b=c' });
  t.equal(seen[0]?.url, '/a?b=c');
  t.match(seen[0]?.headers, {
    host: '10.0.0.1',
    'user-agent': /outrigger-probe/,
    accept: '*/*',
    connection: 'close',
  });
  const httpHeaders = [
    { name: 'Host', value: 'shop.example' },
    { name: 'X-Two', value: '1' },
    { name: 'X-Two', value: '2' },
    { name: 'user-agent', value: 'mine' },
  ];
  await check(memory, { httpHeaders });
  t.match(seen[1]?.headers, { host: 'shop.example', 'x-two': '1, 2', 'user-agent': 'mine' });
});

test('redirects: followed on the same host, well elsewhere, not for ever', async (t) => {
  const { memory, seen } = await serve(t, ({ url }, response) => {
    const location = {
      '/here': '/there',
      '/away': 'http://elsewhere/x',
      '/loop': '/loop',
      '/odd': 'http://[',
    }[url ?? ''];
    if (url === '/there') response.writeHead(500).end();
    else response.writeHead(302, location === undefined ? {} : { location }).end();
  });
  t.same(await check(memory, { path: '/here' }), {
    ok: false,
    message: 'HTTP probe failed with statuscode: 500',
  });
  t.same(await check(memory, { path: '/away' }), { ok: true, message: 'Probe terminated redirects' });
  t.match(await check(memory, { path: '/odd' }), { ok: true });
  t.match(await check(memory, { path: '/nowhere' }), { ok: true });
  const before = seen.length;
  t.match(await check(memory, { path: '/loop' }), { ok: false, message: /stopped after 10 redirects/ });
  t.equal(seen.length - before, 11);
});

test('nobody there, an answer that is none, a connection that breaks', async (t) => {
  t.same(await check(new MemoryNet()), {
    ok: false,
    message: 'Get "http://10.0.0.1/": dial tcp 10.0.0.1:80: connect: connection refused',
  });
  const memory = new MemoryNet();
  let answer = 'SSH-2.0-OpenSSH\r\n';
  const server = net.createServer((socket) =>
    socket.on('error', () => {}).once('data', () => socket.end(answer)),
  );
  await memory.listen(server, { kind: 'tcp', host: '10.0.0.1', port: 80 });
  t.match(await check(memory), { ok: false, message: /malformed HTTP response/ });
  answer = '';
  t.match(await check(memory), { ok: false, message: /^Get "http:\/\/10.0.0.1\/": / });
  answer = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf';
  t.match(await check(memory), { ok: false });
});

test('too slow, before and after the connection', async (t) => {
  const clock = new FakeClock();
  const { memory, seen } = await serve(t, () => {});
  const slow = check(memory, {}, clock);
  await eventually('the request', () => seen.length === 1);
  await clock.advance(1_000);
  t.same(await slow, {
    ok: false,
    message:
      'Get "http://10.0.0.1/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
  });
  const stuck = new StuckNet();
  const never = check(stuck, {}, clock);
  await clock.advance(1_000);
  t.match(await never, { ok: false, message: /deadline exceeded/ });
  const dial = runCheck(probeSettings({ tcpSocket: { port: 80 } }, { host: '10.0.0.1' }), {
    net: stuck,
    clock,
  });
  await clock.advance(1_000);
  t.same(await dial, { ok: false, message: 'dial tcp 10.0.0.1:80: i/o timeout' });
  t.equal(clock.pending, 0);
});

test('an answer without end is judged by its head', async (t) => {
  const { memory } = await serve(t, (_request, response) => {
    response.writeHead(200);
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(4_096)));
    };
    response.on('drain', more);
    more();
  });
  t.match(await check(memory), { ok: true });
});

test('a TCP probe is well when the connection opens', async (t) => {
  const memory = new MemoryNet();
  const server = net.createServer((socket) => void socket.on('error', () => {}).resume());
  await memory.listen(server, { kind: 'tcp', host: '10.0.0.1', port: 80 });
  const settings = probeSettings({ tcpSocket: { port: 80 } }, { host: '10.0.0.1' });
  const clock = new FakeClock();
  t.same(await runCheck(settings, { net: memory, clock }), { ok: true, message: 'connected' });
  const other = probeSettings({ tcpSocket: { port: 81 } }, { host: '10.0.0.1' });
  t.same(await runCheck(other, { net: memory, clock }), {
    ok: false,
    message: 'dial tcp 10.0.0.1:81: connect: connection refused',
  });
});

test('HTTPS over the real network: nobody asks whose certificate it is', async (t) => {
  const fixture = (name: string): Buffer =>
    readFileSync(new URL(`../watch/fixtures/${name}`, import.meta.url));
  const server = https.createServer(
    { key: fixture('server.key'), cert: fixture('server.pem') },
    (_request, response) => {
      response.end();
    },
  );
  const system = systemNet();
  const listener = await system.listen(server, { kind: 'tcp', host: '127.0.0.1', port: 0 });
  t.teardown(() => {
    listener.close();
    server.closeAllConnections();
  });
  const port = listener.address.kind === 'tcp' ? listener.address.port : 0;
  const settings = probeSettings({ httpGet: { port, scheme: 'HTTPS' } }, { host: '127.0.0.1' });
  t.match(await runCheck(settings, { net: system, clock: new FakeClock() }), { ok: true });
});

test('over time: after its delay, once per period, changes told once', async (t) => {
  const clock = new FakeClock();
  let status = 200;
  const { memory, seen } = await serve(t, (_request, response) => void response.writeHead(status).end());
  const settings = probeSettings(
    { httpGet: { port: 80 }, initialDelaySeconds: 3, periodSeconds: 5, failureThreshold: 2 },
    { host: '10.0.0.1' },
  );
  const changes: ProbeState[] = [];
  let results = 0;
  const prober = startProber(
    {
      purpose: 'readiness',
      settings,
      onChange: (state) => changes.push(state),
      onResult: () => (results += 1),
    },
    { net: memory, clock },
  );
  const probed = async (count: number): Promise<void> =>
    void (await eventually(`${count} results`, () => results === count));
  await clock.advance(2_999);
  t.equal(seen.length, 0);
  await clock.advance(1);
  await probed(1);
  t.same(changes, [{ ok: true, message: 'HTTP 200' }]);
  await clock.advance(4_999);
  t.equal(seen.length, 1);
  await clock.advance(1);
  await probed(2);
  status = 500;
  for (let i = 3; i <= 5; i++) {
    await clock.advance(5_000);
    await probed(i);
  }
  t.equal(changes.length, 2);
  t.same(prober.state, { ok: false, message: 'HTTP probe failed with statuscode: 500' });
  t.equal(
    unhealthyMessage('readiness', bad),
    'Readiness probe failed: HTTP probe failed with statuscode: 500',
  );
  prober.stop();
  await clock.advance(60_000);
  t.equal(seen.length, 5);
  t.equal(clock.pending, 0);
});

test('stopped during a probe, it tells nothing more', async (t) => {
  const clock = new FakeClock();
  let answer: () => void = () => {};
  const { memory, seen } = await serve(t, (_request, response) => (answer = () => void response.end()));
  let told = 0;
  const settings = probeSettings({ httpGet: { port: 80 } }, { host: '10.0.0.1' });
  const options = {
    purpose: 'readiness',
    settings,
    onChange: () => (told += 1),
    onResult: () => (told += 1),
  } as const;
  const prober = startProber(options, { net: memory, clock });
  await clock.advance(0);
  await eventually('the probe', () => seen.length === 1);
  prober.stop();
  answer();
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  t.equal(told, 0);
  t.equal(clock.pending, 0);
});
