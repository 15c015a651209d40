/** Sentinels and clusters of the harness do what real ones do: they elect, and slots move. */

import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import { needs, startCluster, startRedis, startSentinels } from './index.ts';

const redis = needs('redis-server', 'redis-cli');

test('sentinels elect the replica when the primary is killed', redis, async (t) => {
  const primary = await startRedis(t);
  const replicas = [await startRedis(t, { replicaOf: primary }), await startRedis(t, { replicaOf: primary })];
  await linked(replicas);
  const sentinels = await startSentinels(t, { primary });
  t.equal(await sentinels.primary(), primary.address);
  primary.process.signal('SIGKILL');
  const elected = await sentinels.replaced(primary.address);
  const promoted = replicas.find(({ address }) => address === elected);
  t.ok(promoted, 'one of the replicas');
  t.match(await promoted?.cli('ROLE'), /^master/);
});

test('a failover that is asked for', redis, async (t) => {
  const primary = await startRedis(t);
  const replica = await startRedis(t, { replicaOf: primary });
  await linked([replica]);
  const sentinels = await startSentinels(t, { primary, name: 'cache' });
  t.equal(await sentinels.failover(), replica.address);
  await eventually('the old primary follows', async () => (await primary.cli('ROLE')).startsWith('slave'));
});

test('a cluster serves, sends on, moves slots and elects', redis, async (t) => {
  const cluster = await startCluster(t);
  const [first, second] = cluster.primaries as [(typeof cluster.primaries)[0], (typeof cluster.primaries)[0]];
  // {b} is slot 3300, of the first primary.
  for (const key of ['{b}1', '{b}2', '{b}3']) t.equal(await first.cli('SET', key, key), 'OK');
  t.match(await second.cli('GET', '{b}1'), `MOVED 3300 ${first.address}`);
  const move = await cluster.beginMove(first, second, 3300);
  t.equal(await move.keys(2), 2);
  const answers = await Promise.all(['{b}1', '{b}2', '{b}3'].map((key) => first.cli('GET', key)));
  t.equal(answers.filter((answer) => answer.startsWith(`ASK 3300 ${second.address}`)).length, 2);
  await move.finish();
  t.equal(await second.cli('GET', '{b}3'), '{b}3');
  t.match(await first.cli('GET', '{b}3'), `MOVED 3300 ${second.address}`);

  first.process.signal('SIGKILL');
  await first.process.exited;
  const heir = cluster.replicas.find(({ replicaOf }) => replicaOf === first);
  await eventually(
    'its replica is elected',
    async () => (await heir?.cli('ROLE'))?.startsWith('master'),
    20_000,
  );
  await cluster.settled();
});

async function linked(replicas: readonly { cli(...command: string[]): Promise<string> }[]): Promise<void> {
  for (const replica of replicas) {
    await eventually('the replica follows', async () =>
      (await replica.cli('INFO', 'replication')).includes('master_link_status:up'),
    );
  }
}
