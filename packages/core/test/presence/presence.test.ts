import { FakeClock } from '@outrigger/core/clock';
import { leaseName, startPresence } from '@outrigger/core/presence';
import type { Presence, PresenceFacts, PresenceOptions } from '@outrigger/core/presence';
import { eventually, MemoryNet, testDeps } from '@outrigger/core/testing';
import { createApiClient, resolveConnection } from '@outrigger/core/watch';
import http from 'node:http';
import { test } from 'tap';
import type { Test } from 'tap';

interface Lease {
  metadata: { name: string; namespace: string; labels: object; annotations: Record<string, string> };
  spec: { renewTime: string; acquireTime: string; holderIdentity: string; leaseDurationSeconds: number };
}

/** An API server that knows /version and Leases. */
class LeaseServer {
  gitVersion = 'v1.36.0+outrigger.0.1.0';
  failWith: number | undefined;
  hang = false;
  readonly leases = new Map<string, Lease>();
  readonly requests: string[] = [];
  readonly server = http.createServer((request, response) => void this.#serve(request, response));

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const body = (await request.toArray()).join('');
    const { method, url = '' } = request;
    this.requests.push(`${method} ${url}`);
    if (this.hang) return;
    const [status, answer] =
      this.failWith === undefined ? this.#answer(method ?? '', url, body) : [this.failWith, {}];
    response.writeHead(status).end(JSON.stringify(answer));
  }

  #answer(method: string, url: string, body: string): [number, unknown] {
    if (url === '/version') return [200, { gitVersion: this.gitVersion }];
    const path = '/apis/coordination.k8s.io/v1/namespaces/';
    if (!url.startsWith(path)) return [404, {}];
    if (method === 'POST') {
      const lease = JSON.parse(body) as Lease;
      this.leases.set(`${url}/${lease.metadata.name}`, lease);
      return [201, lease];
    }
    const lease = this.leases.get(url);
    if (lease === undefined) return [404, {}];
    if (method === 'DELETE') this.leases.delete(url);
    if (method === 'PATCH') merge(lease, JSON.parse(body));
    return [200, lease];
  }
}

function merge(target: Record<string, unknown> | object, patch: Record<string, unknown>): void {
  const into = target as Record<string, unknown>;
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete into[name];
    else if (typeof value === 'object') merge((into[name] ??= {}), value as Record<string, unknown>);
    else into[name] = value;
  }
}

async function setUp(t: Test, options: Partial<PresenceOptions> = {}) {
  const net = new MemoryNet();
  const clock = new FakeClock();
  const server = new LeaseServer();
  const listener = await net.listen(server.server, { kind: 'tcp', host: '127.0.0.1', port: 0 });
  const deps = testDeps({ net, clock });
  const connection = await resolveConnection({ control: [`http://${listener.name}`] }, deps);
  const client = createApiClient(connection, { userAgent: 'test' }, deps);
  t.teardown(async () => {
    await client.close();
    server.server.closeAllConnections();
  });
  const facts: { now: PresenceFacts } = { now: { version: '1.0' } };
  const start = (): Presence =>
    startPresence({ client, role: 'proxy', instance: 'Host_1', facts: () => facts.now, ...options }, deps);
  const path = '/apis/coordination.k8s.io/v1/namespaces/default/leases/outrigger-proxy-host-1';
  const seconds = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await clock.advance(1_000);
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { server, clock, deps, facts, start, path, seconds };
}

test('names fit the syntax', (t) => {
  t.equal(leaseName('proxy', 'web-1'), 'outrigger-proxy-web-1');
  t.equal(leaseName('proxy', 'Web_1.Example.'), 'outrigger-proxy-web-1.example.'.slice(0, -1));
  t.equal(leaseName('proxy', 'a/-'), 'outrigger-proxy-a');
  t.ok(leaseName('proxy', 'x'.repeat(400)).length <= 253);
  for (const name of ['ä', '..', 'a..b', '-.-']) {
    t.match(
      leaseName('proxy', name),
      /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
      name,
    );
  }
  t.end();
});

test('there while it lives, renewed every ten seconds, gone when it stops', async (t) => {
  const { server, clock, facts, start, path, seconds } = await setUp(t);
  facts.now = {
    version: '1.0',
    admin: '127.0.0.1:10256',
    scrape: 'http://127.0.0.1:10256/metrics',
    revision: '7',
  };
  const presence = start();
  await eventually('the Lease', () => presence.state === 'present');
  const lease = server.leases.get(path)!;
  t.match(lease.metadata, {
    name: 'outrigger-proxy-host-1',
    namespace: 'default',
    labels: { 'outrigger.dev/role': 'proxy' },
    annotations: {
      'outrigger.dev/admin': '127.0.0.1:10256',
      'outrigger.dev/scrape': 'http://127.0.0.1:10256/metrics',
      'outrigger.dev/version': '1.0',
      'outrigger.dev/revision': '7',
    },
  });
  t.notOk('outrigger.dev/last-error' in lease.metadata.annotations);
  t.match(lease.spec, {
    holderIdentity: 'Host_1',
    acquireTime: '2026-01-01T00:00:00.000000Z',
    leaseDurationSeconds: 40,
  });
  const created = server.requests.length;
  await seconds(100);
  const renewals = server.requests.length - created;
  t.ok(renewals >= 9 && renewals <= 11, `${renewals} renewals in 100 s`);
  t.ok(Date.parse(lease.spec.renewTime) > clock.wall() - 11_000);
  facts.now = { version: '1.0', lastError: 'nft failed' };
  await seconds(11);
  t.equal(lease.metadata.annotations['outrigger.dev/last-error'], 'nft failed');
  t.notOk('outrigger.dev/revision' in lease.metadata.annotations, 'what is not so any more goes');
  await presence.stop();
  t.equal(server.leases.size, 0);
  const after = server.requests.length;
  await seconds(30);
  t.equal(server.requests.length, after);
});

test('a Lease that someone took away is made again', async (t) => {
  const { server, start, seconds } = await setUp(t);
  const presence = start();
  await eventually('the Lease', () => presence.state === 'present');
  server.leases.clear();
  await seconds(11);
  t.equal(server.leases.size, 1);
  await presence.stop();
});

test('off on API servers that are not ours, unless asked for', async (t) => {
  const foreign = await setUp(t);
  foreign.server.gitVersion = 'v1.36.0';
  const presence = foreign.start();
  await eventually('off', () => presence.state === 'off');
  await foreign.seconds(60);
  t.same(foreign.server.requests, ['GET /version']);
  await presence.stop();
  const asked = await setUp(t, { always: true, namespace: 'default' });
  asked.server.gitVersion = 'v1.36.0';
  const other = asked.start();
  await eventually('present', () => other.state === 'present');
  await other.stop();
});

test('failures are said once per change, counted, and got over', async (t) => {
  const { server, deps, start, seconds } = await setUp(t);
  server.failWith = 503;
  const presence = start();
  await eventually('failing', () => presence.state === 'failing');
  await seconds(60);
  const warnings = (): number => deps.lines.filter((line) => line.includes('not renewed')).length;
  t.equal(warnings(), 1);
  server.failWith = 403;
  await seconds(11);
  t.equal(warnings(), 2);
  server.failWith = undefined;
  await seconds(11);
  t.equal(presence.state, 'present');
  t.match(
    await deps.metrics.page(),
    /outrigger_presence_errors_total\{code="API_SERVICE_UNAVAILABLE"\} [5-9]/,
  );
  await presence.stop();
});

test('stopping waits a second at most, whatever the server does', async (t) => {
  const { server, start, seconds } = await setUp(t);
  const presence = start();
  await eventually('the Lease', () => presence.state === 'present');
  server.hang = true;
  let stopped = false;
  void presence.stop().then(() => (stopped = true));
  await seconds(1);
  t.ok(stopped);
});

test('stopped in the middle of the first write, it takes away what may have been written', async (t) => {
  const { server, start } = await setUp(t);
  const presence = start();
  await eventually('the first write', () => server.requests.length >= 2);
  await presence.stop();
  t.match(server.requests.at(-1), /^DELETE/);
});
