import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import type { Redis } from '../../../../test/harness/index.ts';
import type { EndpointWatch, WatchService } from '../../src/topology/source.ts';
import { parseServer } from '../../src/upstream/server.ts';
import type { Server } from '../../src/upstream/server.ts';
import { synced } from './replication.ts';
import { open, server, servers } from './realm.ts';

const redis = needs('redis-server', 'redis-cli');

/** Services whose endpoints a test sets. */
class Services {
  readonly #endpoints = new Map<string, Server[]>();
  readonly #changed = new Set<() => void>();
  closed = 0;

  set(service: string, members: readonly Redis[]): void {
    const found = members.map(({ address }) => parseServer(address));
    this.#endpoints.set(
      service,
      found.flatMap((spec) => (spec.kind === 'server' ? [spec.server] : [])),
    );
    for (const changed of this.#changed) changed();
  }

  readonly watch: WatchService = async ({ name }, onChange): Promise<EndpointWatch> => {
    this.#changed.add(onChange);
    const now = (): Server[] => this.#endpoints.get(name) ?? [];
    return {
      get servers() {
        return now();
      },
      get problem() {
        return now().length === 0 ? `Service default/${name} has no ready endpoint` : '';
      },
      close: () => void this.closed++,
    };
  };
}

test('one Service: its members are asked who is the primary, and asked again', redis, async (t) => {
  const a = await startRedis(t);
  const b = await startRedis(t, { replicaOf: a });
  await synced(b);
  const services = new Services();
  services.set('redis', [b, a]);
  const opened = await open(
    t,
    { kind: 'service', servers: servers('svc:default/redis') },
    { watchService: services.watch },
  );
  t.equal(opened.shard.primary?.name, a.address);
  await opened.takesReads(b.address);
  await b.cli('REPLICAOF', 'NO', 'ONE');
  await opened.primary(b.address);
  t.ok(
    opened.told.indexOf(`deposed ${a.address}`) < opened.told.indexOf(`primary ${b.address}`),
    'promoted out of it',
  );
  await a.cli('REPLICAOF', '127.0.0.1', String(b.port));
  await opened.takesReads(a.address);
  services.set('redis', [b]);
  await eventually('a has left', () => opened.shard.server(a.address) === undefined);
  t.equal(opened.shard.primary?.name, b.address);
  services.set('redis', []);
  t.equal(opened.shard.primary, undefined);
  t.equal(opened.shard.why, 'Service default/redis has no ready endpoint');
});

test('two members that claim the role without a common past: no writes', redis, async (t) => {
  const [a, b] = [await startRedis(t), await startRedis(t)];
  const opened = await open(t, { kind: 'service', servers: servers(a.address, b.address) });
  t.equal(opened.shard.primary, undefined);
  t.match(opened.shard.why, /say they are primaries, and nothing tells which/);
  await b.cli('REPLICAOF', '127.0.0.1', String(a.port));
  await opened.primary(a.address);
});

test('a primary Service and a replica Service: the primary is whom the Service selects', redis, async (t) => {
  const a = await startRedis(t);
  const b = await startRedis(t, { replicaOf: a });
  await synced(b);
  const services = new Services();
  services.set('primary', [a]);
  services.set('replicas', [a, b]);
  const opened = await open(
    t,
    { kind: 'static', primary: server('svc:default/primary'), replicas: servers('svc:default/replicas') },
    { watchService: services.watch },
  );
  t.equal(opened.shard.primary?.name, a.address);
  await opened.takesReads(b.address);
  services.set('primary', [a, b]);
  t.equal(opened.shard.primary, undefined);
  t.match(opened.shard.why, /2 ready endpoints: it must select the primary alone/);
  await b.cli('REPLICAOF', 'NO', 'ONE');
  services.set('primary', [b]);
  await opened.primary(b.address);
  opened.realm.close();
  t.equal(services.closed, 2);
});

test('a Service that nobody watches', redis, async (t) => {
  await t.rejects(open(t, { kind: 'service', servers: servers('svc:default/redis') }), {
    code: 'AMBASSADOR_NO_CONTROL',
  });
});
