import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { freePort, needs, startCluster, startRedis } from '../../../../test/harness/index.ts';
import type { ClusterNode } from '../../../../test/harness/index.ts';
import { open, servers } from './realm.ts';
import { limits, whole, written } from './whole-cluster.ts';

const redis = needs('redis-server', 'redis-cli');

test(
  'a redirection to an unknown node makes a shard until the slots have been looked at',
  redis,
  async (t) => {
    const cluster = await startCluster(t, { replicasPerPrimary: 0 });
    const opened = await open(t, { kind: 'cluster', seeds: servers(...cluster.addresses) });
    const { realm } = opened;
    const [owner] = cluster.primaries as [ClusterNode];
    realm.doubt({ kind: 'moved', slot: 7, to: '127.0.0.1:1' });
    t.equal(realm.shardOf(7)?.server('127.0.0.1:1')?.name, '127.0.0.1:1');
    t.equal(realm.shardOf(7)?.primary, undefined, 'it has not said that it is one');
    t.equal(realm.shards.length, 4);
    await eventually(
      'the slots have been looked at',
      () => realm.shardOf(7)?.primary?.name === owner.address,
    );
    t.equal(realm.shards.length, 3);
    const other = realm.shards.find(({ primary }) => primary?.name === cluster.primaries[1]?.address);
    const breaks = other?.topology.breaks ?? 0;
    realm.doubt({ kind: 'moved', slot: 7, to: `:${(cluster.primaries[1] as ClusterNode).port}` });
    t.equal(realm.shardOf(7)?.primary?.name, cluster.primaries[1]?.address, 'on the same host');
    t.equal(
      other?.topology.breaks,
      breaks + 1,
      'what came from elsewhere is not proven by what was proven here',
    );
    realm.doubt({ kind: 'moved', slot: 7, to: cluster.primaries[1]?.address ?? '' });
    t.equal(other?.topology.breaks, breaks + 1, 'no news');
    await eventually(
      'nor is that believed for long',
      () => realm.shardOf(7)?.primary?.name === owner.address,
    );
  },
);

test(
  'a redirection within a shard: nothing is sent to its primary until it has been asked',
  redis,
  async (t) => {
    const cluster = await startCluster(t);
    await written(cluster);
    const opened = await open(t, { kind: 'cluster', seeds: servers(...cluster.addresses) }, { limits });
    await whole(opened, 3);
    const { realm } = opened;
    const [primary] = cluster.primaries as [ClusterNode];
    const replica = cluster.replicas.find(({ replicaOf }) => replicaOf === primary) as ClusterNode;
    const shard = realm.shardOf(0);
    realm.doubt({ kind: 'moved', slot: 0, to: replica.address });
    t.equal(realm.shardOf(0), shard);
    t.equal(shard?.primary, undefined);
    await eventually('it is still the primary', () => shard?.primary?.name === primary.address);
    t.notOk(opened.told.includes(`deposed ${primary.address}`), 'old news harm nobody');
    t.equal(await replica.cli('CLUSTER', 'FAILOVER'), 'OK');
    await eventually('a failover that was asked for', () => shard?.primary?.name === replica.address);
    t.equal(realm.shardOf(0), shard);
    await eventually('and the old primary reads', () => {
      const old = [...(shard?.topology.replicas ?? [])].find(({ name }) => name === primary.address);
      return old?.eligible === true;
    });
  },
);

test('nodes are reached by the names they announce', redis, async (t) => {
  const config = { 'cluster-announce-hostname': 'localhost', 'cluster-preferred-endpoint-type': 'hostname' };
  const cluster = await startCluster(t, { replicasPerPrimary: 0, config });
  const opened = await open(t, { kind: 'cluster', seeds: servers(...cluster.addresses) }, { limits });
  const { realm } = opened;
  const names = cluster.primaries.map(({ port }) => `localhost:${port}`).toSorted();
  await eventually('their names have spread', () => {
    const found = realm.shards.map(({ primary }) => primary?.name ?? '').toSorted();
    if (found.join() === names.join()) return true;
    throw new Error(found.join());
  });
  t.equal(
    realm.serverAt(names[0] ?? ''),
    realm.shards.find(({ primary }) => primary?.name === names[0])?.primary,
  );
});

test(
  'a cluster that cannot be reached says why, and slots that nobody serves have no shard',
  redis,
  async (t) => {
    const { realm: none } = await open(t, { kind: 'cluster', seeds: servers('127.0.0.1:1') });
    t.strictSame(none.shards, []);
    t.equal(none.shardOf(0), undefined);
    t.equal(none.shardOf(-1), undefined);
    t.equal(none.problem, '127.0.0.1:1: ECONNREFUSED');
    const alone = await startRedis(t, {
      config: { 'cluster-enabled': 'yes', 'cluster-port': String(await freePort()) },
    });
    const opened = await open(t, { kind: 'cluster', seeds: servers(alone.address) }, { limits });
    t.match(opened.realm.problem, /knows nobody who serves slots/);
    t.equal(await alone.cli('CLUSTER', 'ADDSLOTS', '5'), 'OK');
    await eventually('its slot has a shard', () => opened.realm.shardOf(5)?.primary?.name === alone.address);
    t.equal(opened.realm.shardOf(6), undefined);
    t.equal(opened.realm.problem, '16383 slots are served by nobody');
    opened.realm.doubt({ kind: 'clusterdown', server: alone.address });
    opened.realm.doubt({ kind: 'readonly', server: alone.address });
    t.equal(opened.realm.shardOf(5)?.primary, undefined);
    await opened.primary(alone.address);
    const plain = await startRedis(t);
    const { realm: mistaken } = await open(t, { kind: 'cluster', seeds: servers(plain.address) });
    t.match(mistaken.problem, /cluster support disabled/);
  },
);
