import { startAdmin } from '@outrigger/core/admin';
import type { AdminOptions } from '@outrigger/core/admin';
import { OutriggerError } from '@outrigger/core/errors';
import { testDeps } from '@outrigger/core/testing';
import http from 'node:http';
import { networkInterfaces } from 'node:os';
import { test } from 'tap';

const healthy = () => ({ healthy: true, problems: {} });

async function admin(
  t: { teardown: (f: () => void) => void },
  options: Partial<AdminOptions> = {},
  host = '127.0.0.1',
) {
  const deps = testDeps();
  const address = { kind: 'tcp', host, port: 0 } as const;
  const server = await startAdmin({ address, ready: healthy, live: healthy, ...options }, deps);
  t.teardown(() => server.close());
  return { deps, base: `http://${server.name}`, server };
}

async function ask(url: string, method = 'GET') {
  const response = await fetch(url, { method });
  return { status: response.status, body: await response.text(), type: response.headers.get('content-type') };
}

test('health pages tell what is wrong', async (t) => {
  const ready = () => ({ healthy: false, problems: { watch: 'services not listed yet' } });
  const { base } = await admin(t, { ready });
  t.match(await ask(`${base}/healthz`), { status: 200, body: 'ok\n' });
  t.match(await ask(`${base}/livez`), { status: 200 });
  t.match(await ask(`${base}/readyz`), { status: 503, body: '[-]watch: services not listed yet\n' });
});

test('a peer’s health format replaces the plain one', async (t) => {
  const { base } = await admin(t, {
    healthBody: (path) => ({ status: path === 'healthz' ? 503 : 200, body: { path } }),
  });
  t.match(await ask(`${base}/healthz`), { status: 503, body: /"path": "healthz"/, type: 'application/json' });
  t.match(await ask(`${base}/livez`), { status: 200 });
});

test('metrics are served in text format 0.0.4', async (t) => {
  const { base, deps } = await admin(t);
  deps.metrics.counter({ name: 'seen_total', help: 'Seen.' }).add(4);
  t.match(await ask(`${base}/metrics`), {
    status: 200,
    body: /\nseen_total 4\n/,
    type: /text\/plain; version=0\.0\.4/,
  });
});

test('debug, drain and reload work from loopback, with their methods only', async (t) => {
  const calls: string[] = [];
  const { base } = await admin(t, {
    debug: { state: (query) => ({ q: query.get('q') }) },
    drain: () => Promise.resolve(void calls.push('drain')),
    reload: () =>
      Promise.reject(new OutriggerError('listen: bad', { code: 'CONFIG_INVALID', hint: 'fix it' })),
  });
  t.match(await ask(`${base}/debug`), { body: /\/debug\/state/ });
  t.match(await ask(`${base}/debug/state?q=7`), { status: 200, body: /"q": "7"/ });
  t.match(await ask(`${base}/drain`), { status: 405, body: 'use POST\n' });
  t.match(await ask(`${base}/drain`, 'POST'), { status: 200 });
  t.same(calls, ['drain']);
  t.match(await ask(`${base}/-/reload`, 'POST'), { status: 422, body: 'listen: bad; fix it\n' });
  t.match(await ask(`${base}/metrics`, 'POST'), { status: 405 });
  t.match(await ask(`${base}/nonsense`), { status: 404, body: /\/debug\/state/ });
});

const outside = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.internal === false && one.family === 'IPv4');
const elsewhere = outside === undefined ? { skip: 'this machine has no address besides loopback' } : {};

test('a peer that is not loopback gets probes and metrics, never debug or drain', elsewhere, async (t) => {
  const { base } = await admin(
    t,
    { debug: { state: () => 1 }, drain: () => Promise.resolve() },
    outside?.address,
  );
  t.match(await ask(`${base}/metrics`), { status: 200 });
  t.match(await ask(`${base}/debug/state`), { status: 403 });
  t.match(await ask(`${base}/drain`, 'POST'), { status: 403 });
});

test('a unix socket counts as local; a failing page is a 500 with its reason', async (t) => {
  const path = `/tmp/outrigger-admin-${process.pid}.sock`;
  const deps = testDeps();
  const fail = () => {
    throw new Error('broken page');
  };
  const server = await startAdmin(
    { address: { kind: 'unix', path }, ready: healthy, live: healthy, debug: { fail } },
    deps,
  );
  t.teardown(() => server.close());
  const response = await new Promise<http.IncomingMessage>((resolve) =>
    http.get({ socketPath: path, path: '/debug/fail' }, resolve),
  );
  const body = Buffer.concat((await response.toArray()) as Buffer[]).toString();
  t.equal(response.statusCode, 500);
  t.equal(body, 'broken page\n');
  t.ok(deps.lines.some((line) => line.includes('admin request failed')));
});
