/** Limits that bind connections to servers follow a reload, without anybody being disconnected. */

import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { command, config, startAmbassador, startServers } from '../session/setting.ts';
import type { Running } from '../session/setting.ts';
import { Valve } from '../topology/valve.ts';

const redis = needs('redis-server', 'redis-cli');

const phases = (amb: Running, phase: string): Promise<number> =>
  amb.metric('upstream_errors_total', `phase="${phase}"`);

test('how many connections are lent and kept is what the last reload says', redis, async (t) => {
  const server = await startRedis(t);
  const values = { primary: server.address };
  const amb = await startAmbassador(t, values, { limits: { connectionWaitMs: 50 } });
  const reload = (limits: object): Promise<void> => amb.daemon.reload(config({ ...values, limits }));
  const connections = (kind: string): Promise<number> => amb.metric('upstream_connections', `kind="${kind}"`);
  const [first, second] = [await amb.client(), await amb.client()];
  t.equal(await first.ask('MULTI'), '+OK\r\n');
  await reload({ maxLeasesPerServer: 1 });
  t.match(await second.ask('MULTI'), /^-OUTRIGGER no connection: .*maxLeasesPerServer 1 allows/);
  await reload({ maxLeasesPerServer: 2 });
  t.equal(await second.ask('MULTI'), '+OK\r\n');
  for (const client of [first, second]) t.equal(await client.ask('EXEC'), '*0\r\n');
  t.equal(await connections('idle'), 2);
  await reload({ maxIdleLeases: 1 });
  await eventually('one of them is closed', async () => (await connections('idle')) === 1);
  t.notOk(first.ended || second.ended);
});

test('how many connections are shared is what the last reload says', redis, async (t) => {
  const server = await startRedis(t);
  const values = { primary: server.address };
  const amb = await startAmbassador(t, values, { limits: { connectionWaitMs: 50 } });
  const [first, other] = [await amb.client(), await amb.client()];
  t.equal(await first.ask('SET', 'k', 'v'), '+OK\r\n');
  await amb.daemon.reload(config({ ...values, limits: { maxLinesPerServer: 1 } }));
  t.equal(await other.ask('SELECT', '1'), '+OK\r\n');
  await other.ask('GET', 'k');
  t.equal(await amb.metric('upstream_connections', 'kind="line"'), 1, 'the idle one has made room');
  t.equal(await first.ask('GET', 'k'), '$1\r\nv\r\n');
});

test('answers nested deeper than the last reload allows are out of protocol', redis, async (t) => {
  const server = await startRedis(t);
  const values = { primary: server.address };
  const amb = await startAmbassador(t, values);
  const [before, later] = [await amb.client(), await amb.client()];
  const nested = ['EVAL', 'return {{{{{1}}}}}', '0'];
  t.match(await before.ask(...nested), /^\*1\r\n\*1/);
  await amb.daemon.reload(config({ ...values, limits: { maxDepth: 4 } }));
  await later.ask('SELECT', '1');
  t.match(await later.ask(...nested), /^-OUTRIGGER write outcome unknown: .*does not speak RESP/);
});

test('how long is waited for servers is what the last reload says', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const front = await Valve.open(t, primary.port);
  const behind = await Valve.open(t, replicas[0]?.port ?? 0);
  const values = { primary: front.address, replica: [behind.address] };
  const patient = { connectTimeout: '10m', pollTimeout: '10m', pollInterval: '20ms' };
  const amb = await startAmbassador(t, { ...values, limits: patient });
  await amb.daemon.reload(
    config({ ...values, limits: { ...patient, connectTimeout: '50ms', pollTimeout: '50ms' } }),
  );
  const client = await amb.client();
  await eventually('the replica takes reads', async () => (await amb.metric('server_up')) === 2);
  t.equal(await client.ask('SET', 'k', 'v'), '+OK\r\n');
  behind.shut('down');
  await eventually('the replica is silent', async () => (await phases(amb, 'silent')) > 0);
  front.shut('down');
  client.send(command('SELECT', '1'));
  await eventually('the new connection is given up', async () => (await phases(amb, 'dial')) > 0);
});
