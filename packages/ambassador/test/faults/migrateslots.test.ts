/** A cluster of Valkey 9 that moves slots at once, under load. */

import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs } from '../../../../test/harness/index.ts';
import type { ClusterNode } from '../../../../test/harness/index.ts';
import { errorsOf, judge, summary } from './checkers/verdict.ts';
import { outcomeOf, stage } from './moving.ts';

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
