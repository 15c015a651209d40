/** A Redis Cluster that moves slots under load, read at its replicas: what has moved is not missed. */

import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { eventually } from '@outrigger/core/testing';
import { needs, startCluster } from '../../../../test/harness/index.ts';
import type { Cluster, ClusterNode, ClusterOptions, Teardown } from '../../../../test/harness/index.ts';
import { written } from '../topology/whole-cluster.ts';
import { errorsOf, judge, summary } from './checkers/verdict.ts';
import { readsServed } from './checkers/served.ts';
import type { Outcome } from './history.ts';
import { startLoad } from './load.ts';
import type { Load } from './load.ts';
import { startAmbassador } from './setting.ts';
import type { Ambassador, Document } from './setting.ts';

const redis = needs('redis-server', 'redis-cli');
/** Replicas are no further behind than this. */
const LATE_MS = 500;

interface Stage {
  readonly cluster: Cluster;
  readonly amb: Ambassador;
  readonly load: Load;
}

async function stage(
  t: Teardown,
  seed: number,
  document: Document,
  options: ClusterOptions = {},
): Promise<Stage> {
  const cluster = await startCluster(t, options);
  await listed(cluster);
  const amb = await startAmbassador(t, { cluster: cluster.addresses.slice(0, 2), ...document });
  const load = startLoad({ port: amb.port, random: seededRandom(seed), writers: 4, readers: 4, keys: 6 });
  await load.progress(300);
  return { cluster, amb, load };
}

/** Resolves when every node tells of the replicas: they have data, and that is known. */
async function listed(cluster: Cluster): Promise<void> {
  await written(cluster);
  for (const node of cluster.nodes) {
    await eventually(`${node.address} lists the replicas`, async () => {
      const slots = await node.cli('CLUSTER', 'SLOTS');
      return cluster.replicas.every(({ id }) => slots.includes(id));
    });
  }
}

/** What the lists hold at whoever owns them now. */
async function outcomeOf(cluster: Cluster, keys: readonly string[]): Promise<Outcome> {
  const running = cluster.nodes.filter(({ process }) => !process.ended);
  const outcome = new Map<string, string[]>();
  for (const key of keys) {
    for (const node of running) {
      const text = await node.cli('LRANGE', key, '0', '-1');
      if (text.startsWith('MOVED')) continue;
      outcome.set(key, text === '' ? [] : text.split('\n'));
      break;
    }
  }
  return outcome;
}

async function slotOf(node: ClusterNode, key: string): Promise<number> {
  return Number(await node.cli('CLUSTER', 'KEYSLOT', key));
}

async function ownerOf(cluster: Cluster, key: string): Promise<ClusterNode> {
  for (const node of cluster.primaries) {
    if (!(await node.cli('LLEN', key)).startsWith('MOVED')) return node;
  }
  throw new Error(`nobody owns ${key}`);
}

/** Resolves when reads of this owner's slots go to it alone. */
async function noticed({ adminUrl }: Ambassador, owner: ClusterNode): Promise<void> {
  await eventually('it is known that slots move', async () => {
    const { realms } = (await (await fetch(`${adminUrl}/debug/ambassador`)).json()) as Debug;
    const shards = realms.flatMap((realm) => realm.shards);
    return shards.some((shard) => shard.primary === owner.address && shard.moving);
  });
}

interface Debug {
  readonly realms: readonly {
    readonly shards: readonly { readonly primary: string; readonly moving: boolean }[];
  }[];
}

for (const consistency of ['session', 'eventual']) {
  test(`slots move key by key, reads go to replicas, consistency is ${consistency}`, redis, async (t) => {
    const { cluster, amb, load } = await stage(t, 21, { consistency });
    const from = performance.now();
    for (const key of load.keys.slice(0, 2)) {
      const owner = await ownerOf(cluster, key);
      const next = cluster.primaries[(cluster.primaries.indexOf(owner) + 1) % 3] as ClusterNode;
      const move = await cluster.beginMove(owner, next, await slotOf(owner, key));
      await noticed(amb, owner);
      // Between the steps the slot is half here and half there.
      await move.keys(10);
      await load.progress(30);
      await move.finish();
      await load.progress(30);
    }
    const to = performance.now();
    await load.progress(300);
    const history = await load.stop();
    t.ok((await amb.metric('fallbacks_total', { reason: 'moving' })) > 0);
    t.ok((await amb.metric('replica_reads_total')) > 0);
    const outcome = await outcomeOf(cluster, load.keys);
    if (consistency === 'session') {
      const verdict = judge(history, outcome);
      t.strictSame(verdict.problems, []);
      t.equal(verdict.writes.lostByServers, 0);
      t.equal(verdict.writes.told.dropped, 0);
      t.comment(summary(verdict, history));
    }
    // Every key has had an entry since before the first move: that one has none is no state of its past.
    const since = new Map<string, number>();
    for (const { action, reply, answeredAt } of history) {
      if (action.kind !== 'append' || !/:\d+\r\n$/.test(reply ?? '')) continue;
      since.set(action.key, Math.min(since.get(action.key) ?? answeredAt, answeredAt));
    }
    const missed = history.filter(
      ({ action, reply, sentAt }) =>
        action.kind === 'last' &&
        reply === '$-1\r\n' &&
        sentAt > (since.get(action.key) ?? Infinity) + LATE_MS,
    );
    t.strictSame(missed, [], 'no key is missed');
    // What a transaction was told before it met the move cannot be taken back: nothing of it is executed.
    const errors = Object.keys(errorsOf(history)).filter((error) => !/^-(ASK|MOVED|EXECABORT)\b/.test(error));
    t.strictSame(errors, [], 'nobody else has noticed');
    t.ok(readsServed(history, { from, to }).longestMs < 2_000);
  });
}

test('slots move at once, as Valkey 9 can', needs('valkey-9', 'redis-cli'), async (t) => {
  const { cluster, amb, load } = await stage(t, 22, {}, { program: 'valkey-9' });
  const [from, to] = cluster.primaries as [ClusterNode, ClusterNode];
  t.equal(await from.cli('CLUSTER', 'MIGRATESLOTS', 'SLOTSRANGE', '0', '5000', 'NODE', to.id), 'OK');
  await eventually('they have moved', async () => {
    const told = await from.cli('CLUSTER', 'GETSLOTMIGRATIONS');
    if (/success/.test(told)) return true;
    throw new Error(told);
  });
  await load.progress(2_000);
  const history = await load.stop();
  await cluster.settled();
  const verdict = judge(history, await outcomeOf(cluster, load.keys));
  t.strictSame(verdict.problems, []);
  t.equal(verdict.writes.lostByServers, 0);
  t.equal(verdict.writes.told.dropped, 0);
  t.ok((await amb.metric('rejections_total', { kind: 'moved' })) > 0);
  const errors = Object.keys(errorsOf(history)).filter((error) => !/^-(MOVED|EXECABORT)\b/.test(error));
  t.strictSame(errors, [], 'nobody else has noticed');
  t.comment(summary(verdict, history));
});
