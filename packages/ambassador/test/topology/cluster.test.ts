import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs, startCluster } from '../../../../test/harness/index.ts';
import type { ClusterNode } from '../../../../test/harness/index.ts';
import { open, servers } from './realm.ts';
import { limits, whole, written } from './whole-cluster.ts';

const redis = needs('redis-server', 'redis-cli');

test('every slot finds its shard, and every shard its replicas', redis, async (t) => {
  const cluster = await startCluster(t);
  await written(cluster);
  const [seed = ''] = cluster.addresses;
  const opened = await open(t, { kind: 'cluster', seeds: servers('127.0.0.1:1', seed) }, { limits });
  const { realm } = opened;
  t.equal(realm.clustered, true);
  t.equal(realm.problem, '');
  t.equal(realm.shards.length, 3);
  for (const [i, node] of cluster.primaries.entries()) {
    const first = Math.floor((i * 16384) / 3);
    t.equal(realm.shardOf(first)?.primary?.name, node.address);
    t.equal(realm.shardOf(Math.floor(((i + 1) * 16384) / 3) - 1), realm.shardOf(first));
    t.equal(realm.shardOf(first)?.name, node.id.slice(0, 12));
  }
  t.ok(realm.shards.includes(realm.shardOf(-1) as never));
  t.equal(realm.serverAt(seed), realm.shardOf(0)?.primary);
  t.equal(realm.serverAt('10.0.0.9:7000').name, '10.0.0.9:7000');
  await whole(opened, 3);
});

test('a shard outlives the failover of its primary', redis, async (t) => {
  const cluster = await startCluster(t);
  await written(cluster);
  const opened = await open(t, { kind: 'cluster', seeds: servers(...cluster.addresses) }, { limits });
  await whole(opened, 3);
  const { realm } = opened;
  const [first] = cluster.primaries as [ClusterNode];
  const heir = cluster.replicas.find(({ replicaOf }) => replicaOf === first) as ClusterNode;
  const shard = realm.shardOf(0);
  const breaks = shard?.topology.breaks;
  first.process.signal('SIGKILL');
  await eventually(
    'the replica is the primary',
    () => realm.shardOf(0)?.primary?.name === heir.address,
    20_000,
  );
  t.equal(realm.shardOf(0), shard);
  t.equal(shard?.topology.breaks, breaks, 'its data goes on');
  const told = opened.told.filter((what) => what.includes(first.address) || what.includes(heir.address));
  t.ok(told.indexOf(`deposed ${first.address}`) < told.indexOf(`primary ${heir.address}`));
  await eventually('all slots are served', () => realm.problem === '');
});

test('a slot that moves is followed as soon as a redirection says so', redis, async (t) => {
  const cluster = await startCluster(t, { replicasPerPrimary: 0 });
  const opened = await open(t, { kind: 'cluster', seeds: servers(...cluster.addresses) });
  const { realm } = opened;
  const [from, to] = cluster.primaries as [ClusterNode, ClusterNode];
  await from.cli('SET', 'foo{06S}', 'x');
  await cluster.moveSlot(from, to, 0);
  t.equal(realm.shardOf(0)?.primary?.name, from.address, 'nobody has said anything yet');
  realm.doubt({ kind: 'moved', slot: 0, to: to.address });
  t.equal(realm.shardOf(0)?.primary?.name, to.address);
  t.equal(await opened.metric('slot_redirects_total'), 1);
  await eventually(
    'the slots have been looked at again',
    async () => (await opened.metric('slot_refreshes_total', '{result="applied"}')) >= 2,
  );
  t.equal(realm.shardOf(0)?.primary?.name, to.address, 'and confirmed');
  t.equal(realm.shardOf(1)?.primary?.name, from.address);
  t.equal(realm.shards.length, 3);
});
