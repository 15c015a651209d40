/** A server that a script keeps busy refuses nearly everything; what would end that must get through. */

import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import type { Redis, Teardown } from '../../../../test/harness/index.ts';
import { Client, command, startAmbassador } from '../session/setting.ts';
import type { Running } from '../session/setting.ts';

const redis = needs('redis-server', 'redis-cli');
const endless = 'while true do end';

/** An ambassador that nobody has used, with a server that soon says that it is busy. */
async function setting(t: Teardown, limits: object = {}): Promise<{ server: Redis; amb: Running }> {
  const server = await startRedis(t, { config: { 'busy-reply-threshold': '10' } });
  const amb = await startAmbassador(t, { primary: server.address }, { limits });
  return { server, amb };
}

/** Its client, whose script runs for ever. */
async function occupy({ server, amb }: { server: Redis; amb: Running }, script: string): Promise<Client> {
  const client = await amb.client();
  client.send(command('EVAL', script, '1', 'k'));
  await eventually('the server is busy', async () => (await server.cli('PING')).startsWith('BUSY'));
  return client;
}

test('SCRIPT KILL reaches a server that refuses to say who it is', redis, async (t) => {
  const house = await setting(t);
  const { server, amb } = house;
  await server.cli('-n', '1', 'RPUSH', 'list', 'of 1');
  await server.cli('RPUSH', 'list', 'of 0');
  const killer = await amb.client();
  await killer.ask('SELECT', '1');
  const busy = await occupy(house, endless);
  t.equal(await amb.metric('upstream_connections', 'kind="idle"'), 0, 'no connection to lend is open');
  t.equal(await killer.ask('SCRIPT', 'KILL'), '+OK\r\n');
  t.match(await busy.replies(1), [/^-ERR Error running script|^-ERR .*killed/i]);
  // What follows needs a connection of its own too, in the database of its session.
  t.equal(await killer.ask('BLPOP', 'list', '0'), '*2\r\n$4\r\nlist\r\n$4\r\nof 1\r\n');
  t.equal(await killer.ask('SCRIPT', 'KILL'), '-NOTBUSY No scripts in execution right now.\r\n');
});

test('FUNCTION KILL, also while others try to connect in vain', redis, async (t) => {
  const house = await setting(t);
  const { server, amb } = house;
  const library = `#!lua name=lib\nredis.register_function('f', function() ${endless} end)`;
  await server.cli('FUNCTION', 'LOAD', library);
  const busy = await amb.client();
  busy.send(command('FCALL', 'f', '0'));
  await eventually('the server is busy', async () => (await server.cli('PING')).startsWith('BUSY'));
  const other = await amb.client();
  const killer = await amb.client();
  other.send(command('SELECT', '7').repeat(20));
  await other.replies(1);
  t.equal(await killer.ask('FUNCTION', 'KILL'), '+OK\r\n');
  t.match(await busy.replies(1), [/^-ERR /]);
});

test('the connection it was asked on serves nobody after', redis, async (t) => {
  const house = await setting(t);
  const { server, amb } = house;
  const killer = await amb.client();
  await killer.ask('PING');
  const busy = await occupy(house, "redis.call('SET', KEYS[1], 'v') while true do end");
  for (let i = 0; i < 3; i++) t.match(await killer.ask('SCRIPT', 'KILL'), /^-UNKILLABLE /);
  t.equal(await amb.metric('upstream_connections', 'kind="idle"'), 0);
  t.match(await killer.ask('GET', 'k'), /^-BUSY /, 'all else is refused as ever');
  killer.send(command('SHUTDOWN', 'NOSAVE'));
  await server.process.exited;
  t.match(await busy.replies(1), [/^-OUTRIGGER write outcome unknown: /]);
});

test('a busy primary stays the primary, however long that takes', redis, async (t) => {
  const house = await setting(t, { primarySilenceMs: 200, pollIntervalMs: 20, pollTimeoutMs: 100 });
  const { amb } = house;
  const other = await amb.client();
  await other.ask('PING');
  const busy = await occupy(house, endless);
  const rounds = await amb.metric('rounds_total');
  await eventually('it was asked often', async () => (await amb.metric('rounds_total')) > rounds + 20);
  t.equal(await amb.metric('role_changes_total', 'change="deposed"'), 0);
  t.match(await other.ask('GET', 'k'), /^-BUSY /);
  t.equal(await other.ask('SCRIPT', 'KILL'), '+OK\r\n');
  t.match(await busy.replies(1), [/^-ERR /]);
});

test('whoever has no connection to a busy server yet is told in the words of Redis', redis, async (t) => {
  const house = await setting(t, { failFastMs: 50 });
  const { amb } = house;
  const stranger = await amb.client();
  const busy = await occupy(house, endless);
  // Another database, a connection of its own: none of these is open.
  t.match(await stranger.ask('SELECT', '3'), /^-BUSY Redis is busy running a script\./);
  t.match(await stranger.ask('BLPOP', 'list', '0'), /^-BUSY Redis is busy running a script\./);
  const raw = await amb.client();
  t.match(await raw.ask('SUBSCRIBE', 'a'), /^-BUSY /);
  t.equal(await stranger.ask('SCRIPT', 'KILL'), '+OK\r\n');
  await busy.replies(1);
  await eventually('it is let in', async () => (await stranger.ask('SELECT', '3')) === '+OK\r\n');
});

test('an ambassador that is started while its server is busy can end that', redis, async (t) => {
  const server = await startRedis(t, { config: { 'busy-reply-threshold': '10' } });
  await server.cli('SET', 'k', 'v');
  const direct = await Client.connect(Number(server.address.split(':').at(-1)));
  t.teardown(() => direct.destroy());
  direct.send(command('EVAL', endless, '0'));
  await eventually('the server is busy', async () => (await server.cli('PING')).startsWith('BUSY'));
  const amb = await startAmbassador(t, { primary: server.address });
  const client = await amb.client();
  t.match(await client.ask('GET', 'k'), /^-BUSY Redis is busy running a script\./);
  t.match(await client.ask('SET', 'k', 'w'), /^-BUSY /);
  t.equal(await client.ask('SCRIPT', 'KILL'), '+OK\r\n');
  t.match(await direct.replies(1), [/^-ERR /]);
  await eventually(
    'it is known for the primary',
    async () => (await client.ask('GET', 'k')) === '$1\r\nv\r\n',
  );
  t.equal(await client.ask('SCRIPT', 'KILL'), '-NOTBUSY No scripts in execution right now.\r\n');
});
