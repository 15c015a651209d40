import { test } from 'tap';
import { Redis as Client } from 'ioredis';
import { eventually } from '@outrigger/core/testing';
import { needs, startRedis, startSentinels } from '../../../../test/harness/index.ts';
import type { Redis, Sentinels, Teardown } from '../../../../test/harness/index.ts';
import { startFakeSentinel } from './fake-sentinel.ts';
import { synced } from './replication.ts';
import { open, servers } from './realm.ts';

const redis = needs('redis-server', 'redis-cli');

interface Watched {
  readonly primary: Redis;
  readonly replicas: readonly Redis[];
  readonly sentinels: Sentinels;
}

async function watched(t: Teardown): Promise<Watched> {
  const primary = await startRedis(t);
  const replicas = [await startRedis(t, { replicaOf: primary }), await startRedis(t, { replicaOf: primary })];
  for (const replica of replicas) await synced(replica);
  const sentinels = await startSentinels(t, { primary });
  return { primary, replicas, sentinels };
}

/** When each sentinel said that another is the primary, by this process's clock. */
async function switches(t: Teardown, sentinels: Sentinels): Promise<number[]> {
  const heard: number[] = [];
  for (const { port } of sentinels.members) {
    const client = new Client({ port, maxRetriesPerRequest: 0, retryStrategy: () => null });
    client.on('error', () => {});
    client.on('message', () => heard.push(performance.now()));
    await client.subscribe('+switch-master');
    t.teardown(() => client.disconnect());
  }
  return heard;
}

test('a primary that dies is replaced as Sentinel says, within 200 ms of its word', redis, async (t) => {
  const { primary, replicas, sentinels } = await watched(t);
  const opened = await open(t, {
    kind: 'sentinel',
    sentinels: servers(...sentinels.addresses),
    master: sentinels.name,
  });
  t.equal(opened.shard.primary?.name, primary.address);
  for (const { address } of replicas) await opened.takesReads(address);
  const said = await switches(t, sentinels);
  primary.process.signal('SIGKILL');
  await eventually('deposed', () => opened.told.includes(`deposed ${primary.address}`));
  const next = await sentinels.replaced(primary.address);
  await opened.primary(next);
  const [first = 0] = said;
  const offeredMs = opened.toldAtMs.get(`primary ${next}`) ?? Infinity;
  t.comment(`offered ${(offeredMs - first).toFixed(1)} ms after the first +switch-master`);
  t.ok(offeredMs - first <= 200);
  t.strictSame(
    opened.told.filter((what) => !what.startsWith('silent')),
    [`primary ${primary.address}`, `deposed ${primary.address}`, `primary ${next}`],
  );
  const other = replicas.find(({ address }) => address !== next) as Redis;
  await opened.takesReads(other.address);
  t.ok((await opened.metric('sentinel_events_total', '{event="switch-master"}')) >= 1);
  await startRedis(t, { port: primary.port });
  await opened.takesReads(primary.address);
});

test('a planned failover deposes the old primary before the new one is offered', redis, async (t) => {
  const { primary, sentinels } = await watched(t);
  const opened = await open(t, {
    kind: 'sentinel',
    sentinels: servers(...sentinels.addresses),
    master: sentinels.name,
  });
  const said = await switches(t, sentinels);
  const next = await sentinels.failover();
  await opened.primary(next);
  t.comment(
    `primary set ${((opened.toldAtMs.get(`primary ${next}`) ?? 0) - (said[0] ?? 0)).toFixed(1)} ms after the first +switch-master`,
  );
  const order = opened.told.filter((what) => !what.startsWith('silent'));
  t.ok(order.indexOf(`deposed ${primary.address}`) < order.indexOf(`primary ${next}`));
  t.equal(order.at(-1), `primary ${next}`);
});

test(
  'an heir that was told to be the primary is it as soon as it says so, whatever sentinels know yet',
  redis,
  async (t) => {
    const primary = await startRedis(t);
    const replica = await startRedis(t, { replicaOf: primary });
    await synced(replica);
    const sentinel = await startFakeSentinel(t, primary, replica);
    const opened = await open(t, { kind: 'sentinel', sentinels: servers(sentinel.address), master: 'main' });
    await opened.takesReads(replica.address);
    const about = `slave ${replica.address} 127.0.0.1 ${replica.port} @ main 127.0.0.1 ${primary.port}`;
    await eventually('it is listened to', async () => {
      sentinel.publish('+failover-state-wait-promotion', about);
      return (await opened.metric('sentinel_events_total', '{event="failover-state-wait-promotion"}')) > 0;
    });
    t.equal(opened.shard.primary?.name, primary.address, 'it follows still');
    await replica.cli('REPLICAOF', 'NO', 'ONE');
    await opened.primary(replica.address);
    t.strictSame(
      opened.told.filter((what) => !what.startsWith('silent')),
      [`primary ${primary.address}`, `deposed ${primary.address}`, `primary ${replica.address}`],
      'and the sentinel, which names the other one, is behind the times',
    );
  },
);

test(
  'sentinels that are down are not missed; with all of them gone the last word stands',
  redis,
  async (t) => {
    const { primary, sentinels } = await watched(t);
    const [first] = sentinels.members as [Redis];
    const opened = await open(t, {
      kind: 'sentinel',
      sentinels: servers('127.0.0.1:1', first.address),
      master: sentinels.name,
    });
    t.equal(opened.shard.primary?.name, primary.address);
    await eventually('the other sentinels have been found', () => {
      const { sentinels: known } = opened.realm.describe() as { sentinels: { listening: boolean }[] };
      return known.filter(({ listening }) => listening).length === 3;
    });
    for (const { process } of sentinels.members) {
      process.signal('SIGKILL');
      await process.exited;
    }
    await eventually('it is told', () => {
      const { problem } = opened.realm.describe() as { problem: string };
      return problem.includes('ECONNREFUSED') || problem.includes('closed its connection');
    });
    t.equal(opened.shard.primary?.name, primary.address);
    t.strictSame(opened.told, [`primary ${primary.address}`]);
  },
);

test(
  'a name that the sentinels do not know, and sentinels that are not there, are told',
  redis,
  async (t) => {
    const { sentinels } = await watched(t);
    const [address = ''] = sentinels.addresses;
    const { shard } = await open(t, { kind: 'sentinel', sentinels: servers(address), master: 'other' });
    t.equal(shard.primary, undefined);
    t.equal(shard.why, `sentinel ${address}: it knows no primary named "other" (it knows: "main")`);
    const { shard: alone } = await open(t, {
      kind: 'sentinel',
      sentinels: servers('127.0.0.1:1'),
      master: 'main',
    });
    t.equal(alone.why, 'sentinel 127.0.0.1:1: ECONNREFUSED');
  },
);
