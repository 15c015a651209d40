/** Readers whose last answer came from a primary that dies: a sample that was taken since lets them go on elsewhere. */

import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import { needs } from '../../../../test/harness/index.ts';
import { startAmbassador, startServers } from './setting.ts';
import type { Client, Running } from './setting.ts';

const redis = needs('redis-server', 'redis-cli');

/** The replica has proven a state that was asked for after `sinceMs`. */
async function proven(amb: Running, sinceMs: number): Promise<void> {
  await eventually('the replica has proven a later state', async () => {
    const askedMs = performance.now();
    const lag = await amb.metric('replica_lag_seconds');
    return lag > 0 && askedMs - lag * 1_000 > sinceMs;
  });
}

test('sessions that were idle when the primary died read on at once', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  // No wait for an election, so a read that has to wait for one fails.
  const amb = await startAmbassador(t, { primary: primary.address, replica: [replicas[0]?.address] });
  await eventually('the replica takes reads', async () => (await amb.metric('server_up')) === 2);
  const [writer, reader, between] = (await Promise.all([1, 2, 3].map(() => amb.client()))) as [
    Client,
    Client,
    Client,
  ];
  t.equal(await writer.ask('SET', 'w', '1'), '+OK\r\n');
  t.equal(await reader.ask('SET', 'r', '1'), '+OK\r\n');
  t.equal(await reader.ask('GET', 'r'), '$1\r\n1\r\n');
  t.equal(await between.ask('MULTI'), '+OK\r\n');
  t.equal(await between.ask('EXEC'), '*0\r\n');
  await proven(amb, performance.now());
  primary.process.signal('SIGKILL');
  await primary.process.exited;
  await eventually('it is known', async () => (await amb.metric('primary_known')) === 0);
  t.equal(await writer.ask('GET', 'w'), '$1\r\n1\r\n', 'its own write');
  t.equal(await reader.ask('GET', 'r'), '$1\r\n1\r\n');
  t.equal(await between.ask('GET', 'r'), '$1\r\n1\r\n');
  t.equal(await amb.metric('held_total', 'reason="election"'), 0, 'nobody has waited');
});
