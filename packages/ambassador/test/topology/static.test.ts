import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import type { Redis, Teardown } from '../../../../test/harness/index.ts';
import { defaultLimits } from '../../src/daemon/limits.ts';
import { synced } from './replication.ts';
import { open, server, servers } from './realm.ts';

const redis = needs('redis-server', 'redis-cli');

async function pair(t: Teardown): Promise<{ a: Redis; b: Redis }> {
  const a = await startRedis(t);
  const b = await startRedis(t, { replicaOf: a });
  await synced(b);
  return { a, b };
}

test('a static primary is offered once it says it is one, and its replica reads', redis, async (t) => {
  const { a, b } = await pair(t);
  const { realm, shard, told } = await open(t, {
    kind: 'static',
    primary: server(a.address),
    replicas: servers(b.address),
  });
  t.equal(shard.primary?.name, a.address);
  t.equal(shard.why, '');
  t.equal(shard.topology.primary.runId?.length, 40);
  t.match([...shard.topology.replicas], [{ name: b.address, eligible: true, runId: /^\w{40}$/ }]);
  t.equal(shard.server(b.address)?.name, b.address);
  t.equal(realm.shardOf(5), shard);
  t.strictSame(told, [`primary ${a.address}`]);
});

test(
  'after a failover by hand the new primary is followed, and its old one when it comes back',
  redis,
  async (t) => {
    const { a, b } = await pair(t);
    const opened = await open(t, {
      kind: 'static',
      primary: server(a.address),
      replicas: servers(b.address),
    });
    await b.cli('REPLICAOF', 'NO', 'ONE');
    await a.cli('REPLICAOF', '127.0.0.1', String(b.port));
    await opened.primary(b.address);
    await opened.takesReads(a.address);
    t.strictSame(opened.told, [`primary ${a.address}`, `deposed ${a.address}`, `primary ${b.address}`]);
    t.match(opened.lines.join(''), /not the configured server/);
    await a.cli('REPLICAOF', 'NO', 'ONE');
    await opened.primary(a.address);
    t.ok(opened.told.lastIndexOf(`deposed ${b.address}`) < opened.told.lastIndexOf(`primary ${a.address}`));
  },
);

test('who was promoted stays when the dead primary comes back with its old data', redis, async (t) => {
  const { a, b } = await pair(t);
  const opened = await open(t, { kind: 'static', primary: server(a.address), replicas: servers(b.address) });
  a.process.signal('SIGKILL');
  await a.process.exited;
  await b.cli('REPLICAOF', 'NO', 'ONE');
  await opened.primary(b.address);
  const back = await startRedis(t, { port: a.port });
  await eventually('it says so', () => {
    const replica = [...opened.shard.topology.replicas].find(({ name }) => name === back.address);
    return replica?.why === 'it says it is a primary, not a replica';
  });
  t.equal(opened.shard.primary?.name, b.address);
  await back.cli('REPLICAOF', '127.0.0.1', String(b.port));
  await opened.takesReads(back.address);
  t.equal(opened.shard.primary?.name, b.address);
});

test(
  'a primary that is killed is deposed at once, and a replica promoted in its place is found',
  redis,
  async (t) => {
    const { a, b } = await pair(t);
    const opened = await open(t, {
      kind: 'static',
      primary: server(a.address),
      replicas: servers(b.address),
    });
    a.process.signal('SIGKILL');
    await eventually('deposed', () => opened.told.includes(`deposed ${a.address}`));
    t.equal(opened.shard.primary, undefined);
    t.match(opened.shard.why, /ECONNREFUSED|closed its connection/);
    await b.cli('REPLICAOF', 'NO', 'ONE');
    await opened.primary(b.address);
    t.ok((await opened.metric('role_changes_total', '{change="deposed"}')) >= 1);
    t.ok((await opened.metric('rounds_total')) >= 1);
  },
);

test('a configured primary that is a replica is not offered, and it says of whom', redis, async (t) => {
  const { a, b } = await pair(t);
  const { shard } = await open(t, { kind: 'static', primary: server(b.address), replicas: [] });
  t.equal(shard.primary, undefined);
  t.equal(shard.why, `${b.address} says it is a replica of ${a.address}`);
  const { shard: none } = await open(t, { kind: 'static', primary: undefined, replicas: servers(b.address) });
  t.equal(none.why, 'no primary is configured');
});

test('a doubt is settled by asking, and servers are found by their address', redis, async (t) => {
  const { a, b } = await pair(t);
  const opened = await open(t, { kind: 'static', primary: server(a.address), replicas: servers(b.address) });
  const { realm, shard } = opened;
  realm.doubt({ kind: 'readonly', server: a.address });
  t.equal(shard.primary, undefined);
  t.match(realm.problem, /has contradicted its role/);
  await opened.primary(a.address);
  t.strictSame(opened.told, [`primary ${a.address}`], 'and nobody was deposed');
  await a.cli('REPLICAOF', '127.0.0.1', String(b.port));
  realm.doubt({ kind: 'lost', server: a.address });
  await eventually('deposed', () => opened.told.includes(`deposed ${a.address}`));
  t.equal(realm.serverAt(b.address), shard.server(b.address));
  t.match(realm.serverAt('10.0.0.1:7'), { name: '10.0.0.1:7', tls: false });
});

test('a primary that closes our connection and lives is not deposed', redis, async (t) => {
  const { a, b } = await pair(t);
  const opened = await open(t, { kind: 'static', primary: server(a.address), replicas: servers(b.address) });
  const connection = async (): Promise<string | undefined> =>
    /id=(\d+) .*name=outrigger-ambassador/.exec(await a.cli('CLIENT', 'LIST'))?.[1];
  for (let i = 0; i < 5; i++) {
    const before = await connection();
    await a.cli('CLIENT', 'KILL', 'TYPE', 'normal');
    await eventually('it is asked anew', async () => {
      const now = await connection();
      return now !== undefined && now !== before && opened.shard.primary !== undefined;
    });
  }
  t.notOk(opened.told.some((what) => what.startsWith('deposed')));
  t.equal(opened.shard.primary?.name, a.address);
});

test('a primary that is paused is told as silent, and given up when that lasts', redis, async (t) => {
  const { a, b } = await pair(t);
  const limits = { ...defaultLimits, pollIntervalMs: 50, pollTimeoutMs: 50, primarySilenceMs: 500 };
  const opened = await open(
    t,
    { kind: 'static', primary: server(a.address), replicas: servers(b.address) },
    { limits },
  );
  a.process.signal('SIGSTOP');
  await eventually('silent', () => opened.told.includes(`silent ${a.address}`));
  t.equal(opened.shard.primary?.name, a.address);
  await eventually('given up', () => opened.told.includes(`deposed ${a.address}`));
  t.match([...opened.shard.topology.replicas], [{ eligible: true }], 'reads go on');
  a.process.signal('SIGCONT');
  await opened.primary(a.address);
});

test(
  'a server of Valkey says its zone, and who is near is read first',
  needs('valkey-9', 'redis-cli'),
  async (t) => {
    const valkey = { program: 'valkey-9' } as const;
    const a = await startRedis(t, valkey);
    const zoned = (zone: string): Promise<Redis> =>
      startRedis(t, { ...valkey, replicaOf: a, config: { 'availability-zone': zone } });
    const [near, far] = [await zoned('z1'), await zoned('z2')];
    for (const replica of [near, far]) await synced(replica);
    const { shard } = await open(
      t,
      { kind: 'static', primary: server(a.address), replicas: servers(near.address, far.address) },
      { zone: () => 'z1' },
    );
    const { topology } = shard;
    for (let i = 0; i < 20; i++) {
      const chosen = topology.choose(() => true, true);
      t.equal(chosen?.name, near.address);
      if (chosen !== undefined) chosen.sessions++;
    }
    t.equal(topology.choose(() => true)?.name, far.address, 'else who has less to do');
    t.equal(topology.choose(({ name }) => name !== near.address, true)?.name, far.address);
  },
);

test('servers that want a password', redis, async (t) => {
  const a = await startRedis(t, { config: { requirepass: 'secret' } });
  const source = { kind: 'static', primary: server(a.address), replicas: [] } as const;
  const credentials = (password: string) => () => ({ username: undefined, password });
  const { shard } = await open(t, source, { credentials: credentials('secret') });
  t.equal(shard.primary?.name, a.address);
  const { shard: refused } = await open(t, source, { credentials: credentials('wrong') });
  t.match(refused.why, /WRONGPASS/);
  const { shard: none } = await open(t, source);
  t.equal(none.primary?.name, a.address, 'believed on the word of the configuration: its clients log in');
  const user = { username: 'default', password: 'secret' };
  t.equal((await open(t, source, { credentials: () => user })).shard.primary?.name, a.address);
});
