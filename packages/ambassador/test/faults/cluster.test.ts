/** A Redis Cluster that moves slots, loses primaries and elects others under load, behind clients that know nothing of it. */

import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs, startCluster } from '../../../../test/harness/index.ts';
import type { ClusterNode } from '../../../../test/harness/index.ts';
import { errorsOf, judge, summary } from './checkers/verdict.ts';
import { readsServed } from './checkers/served.ts';
import { outcomeOf, ownerOf, slotOf, stage } from './moving.ts';
import { startAmbassador } from './setting.ts';
import { Wire } from './wire.ts';

const redis = needs('redis-server', 'redis-cli');
const LATE_MS = 500;

test('slots move under load, key by key, and reads go to primaries', redis, async (t) => {
  const { cluster, load } = await stage(t, 21, { readPolicy: 'primary' });
  const from = performance.now();
  for (const key of load.keys.slice(0, 6)) {
    const owner = await ownerOf(cluster, key);
    const next = cluster.primaries[(cluster.primaries.indexOf(owner) + 1) % 3] as ClusterNode;
    const move = await cluster.beginMove(owner, next, await slotOf(owner, key));
    // Between the steps the slot is half here and half there.
    await load.progress(30);
    await move.keys(10);
    await load.progress(30);
    await move.finish();
    await load.progress(30);
  }
  const to = performance.now();
  await load.progress(300);
  const history = await load.stop();
  const verdict = judge(history, await outcomeOf(cluster, load.keys));
  t.strictSame(verdict.problems, []);
  t.equal(verdict.writes.lostByServers, 0);
  t.equal(verdict.writes.told.dropped, 0);
  // What a transaction was told before it met the move cannot be taken back: nothing of it is executed.
  const noticed = Object.keys(errorsOf(history)).filter((error) => !/^-(ASK|MOVED|EXECABORT)\b/.test(error));
  t.strictSame(noticed, [], 'nobody else has noticed');
  t.ok(readsServed(history, { from, to }).longestMs < 2_000);
  t.comment(summary(verdict, history));
});

test('a primary of a cluster is killed: its slots come back, the others never went', redis, async (t) => {
  const { cluster, load } = await stage(t, 22);
  const victim = cluster.primaries[1] as ClusterNode;
  const heir = cluster.replicas.find(({ replicaOf }) => replicaOf === victim) as ClusterNode;
  const from = performance.now();
  victim.process.signal('SIGKILL');
  await victim.process.exited;
  await eventually(
    'its replica is elected',
    async () => (await heir.cli('ROLE')).startsWith('master'),
    20_000,
  );
  const to = performance.now();
  await cluster.settled();
  await load.progress(1_000);
  const history = await load.stop(20_000);
  const verdict = judge(history, await outcomeOf(cluster, load.keys), [{ from: from - LATE_MS, to }]);
  t.strictSame(verdict.problems, []);
  t.equal(verdict.writes.told.dropped, 0);
  t.equal(verdict.writes.told.refused, 0, JSON.stringify(errorsOf(history)));
  const served = readsServed(history, { from, to }, (session) => load.isReader(session));
  t.equal(served.failed, 0, `reads: ${JSON.stringify(served)} ${JSON.stringify(errorsOf(history))}`);
  t.comment(summary(verdict, history, { served }));
});

test('a failover that is asked for in a cluster', redis, async (t) => {
  const { cluster, load } = await stage(t, 23);
  const heir = cluster.replicas[0] as ClusterNode;
  t.equal(await heir.cli('CLUSTER', 'FAILOVER'), 'OK');
  await eventually('it is the primary', async () => (await heir.cli('ROLE')).startsWith('master'), 20_000);
  await load.progress(1_000);
  const history = await load.stop();
  await cluster.settled();
  const verdict = judge(history, await outcomeOf(cluster, load.keys), []);
  t.strictSame(
    verdict.problems,
    [],
    'the old one waits until the new one has everything: nothing may be lost',
  );
  t.equal(verdict.writes.told.dropped, 0);
  t.comment(summary(verdict, history));
});

test('keys of one command whose slot is half moved: TRYAGAIN is not for the client', redis, async (t) => {
  const cluster = await startCluster(t);
  const amb = await startAmbassador(t, { cluster: cluster.addresses });
  const client = await Wire.open(amb.port, { t });
  for (const key of ['{b}1', '{b}2', '{b}3']) t.equal(await client.ask('SET', key, key), '+OK\r\n');
  const [from, to] = cluster.primaries as [ClusterNode, ClusterNode];
  const move = await cluster.beginMove(from, to, 3300);
  await move.keys(1);
  const wire = await Wire.open(amb.port, { t });
  wire.send('*4\r\n$4\r\nMGET\r\n$4\r\n{b}1\r\n$4\r\n{b}2\r\n$4\r\n{b}3\r\n');
  t.equal(await client.ask('GET', '{b}1'), '$4\r\n{b}1\r\n', 'single keys are found wherever they are');
  t.equal(await client.ask('GET', '{b}3'), '$4\r\n{b}3\r\n');
  t.equal(await client.ask('APPEND', '{b}2', '!'), ':5\r\n');
  await move.finish();
  t.equal(await wire.take(1), '*3\r\n$4\r\n{b}1\r\n$5\r\n{b}2!\r\n$4\r\n{b}3\r\n');
});
