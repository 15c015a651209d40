/** Large answers hold up nobody else, and wait at the server for a client that does not read. */

import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import type { Test } from 'tap';
import type { defaultLimits } from '../../src/daemon/limits.ts';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { command, startAmbassador } from '../session/setting.ts';
import type { Running } from '../session/setting.ts';

const redis = needs('redis-server', 'redis-cli');
const mebibyte = 1_048_576;
const size = 4 * mebibyte;
const reply = `$${size}\r\n${'x'.repeat(size)}\r\n`;
const count = 30;

async function started(t: Test, limits: Partial<typeof defaultLimits>) {
  const server = await startRedis(t);
  const amb = await startAmbassador(t, { primary: server.address }, { limits });
  const writer = await amb.client();
  writer.send(command('SET', 'big', 'x'.repeat(size)));
  t.strictSame(await writer.replies(1), ['+OK\r\n']);
  return amb;
}

const leases = (amb: Running, port: number) =>
  amb.metric('upstream_connections', `server="127.0.0.1:${port}",kind="lease"`);

test('who reads large values gets a connection of its own, for a while', redis, async (t) => {
  const server = await startRedis(t);
  const limits = { largeQuietMs: 50 };
  const amb = await startAmbassador(t, { primary: server.address }, { limits });
  const client = await amb.client();
  await server.cli('SETRANGE', 'big', String(size - 1), 'x');
  t.equal((await client.ask('GET', 'big')).length, reply.length);
  t.equal(await leases(amb, server.port), 0, 'the first one came as a surprise');
  t.equal((await client.ask('GET', 'big')).length, reply.length);
  t.equal(await amb.metric('pinned_sessions', 'reason="large"'), 1);
  t.equal(await client.ask('SET', 'k', 'v'), '+OK\r\n');
  t.equal(await client.ask('GET', 'k'), '$1\r\nv\r\n');
  await eventually('it is given back', async () => (await leases(amb, server.port)) === 0);
  t.equal(await amb.metric('pinned_sessions', 'reason="large"'), 0);
  t.equal(await client.ask('GET', 'k'), '$1\r\nv\r\n', 'and is not missed');
});

for (const known of [true, false]) {
  const who = known ? 'known for large answers' : 'of which nothing is known';
  test(`a client ${who} that does not read fills no memory`, redis, async (t) => {
    const maxReplyBacklogBytes = 2 * mebibyte;
    const amb = await started(t, { maxReplyBacklogBytes });
    const client = await amb.client();
    if (known) t.equal((await client.ask('GET', 'big')).length, reply.length);
    client.socket.pause();
    client.send(command('GET', 'big').repeat(count));
    await eventually('answers pile up', async () => (await amb.metric('buffered_bytes')) > mebibyte);
    const other = await amb.client();
    for (let i = 0; i < 200; i++) await other.ask('PING');
    await other.ask('GET', 'small');
    const buffered = await amb.metric('buffered_bytes');
    t.ok(buffered < maxReplyBacklogBytes + 2 * size, `${buffered} bytes are held`);
    client.socket.resume();
    for (const answer of await client.replies(count)) t.ok(answer === reply);
    t.notOk(client.ended);
  });
}

test('a large write waits at its client while the server does not take it', redis, async (t) => {
  const server = await startRedis(t);
  const amb = await startAmbassador(t, { primary: server.address, limits: { pollTimeout: '60s' } });
  const client = await amb.client();
  // A connection is there already.
  await client.ask('SET', 'k', 'x'.repeat(mebibyte));
  server.process.signal('SIGSTOP');
  const large = 128 * mebibyte;
  client.send(`*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$${large}\r\n`);
  for (let i = 0; i < large / mebibyte; i++) client.send(Buffer.alloc(mebibyte, 'x'));
  client.send('\r\n');
  const received = (): Promise<number> => amb.metric('bytes_total', 'peer="client",direction="in"');
  let before = 0;
  await eventually('no more is taken', async () => {
    const last = before;
    before = await received();
    return last === before && before > mebibyte;
  });
  t.ok(before < large / 2, `${before} of ${large} bytes were taken`);
  server.process.signal('SIGCONT');
  t.strictSame(await client.replies(1), ['+OK\r\n']);
  t.equal(await server.cli('STRLEN', 'big'), String(large));
});

test('a shared line with much to come for one client is left to it', redis, async (t) => {
  const maxReplyBacklogBytes = mebibyte;
  const amb = await started(t, { maxReplyBacklogBytes, maxClientOutputBytes: 3 * size });
  const client = await amb.client();
  for (let i = 0; i < 50; i++) await client.ask('GET', 'small');
  client.socket.pause();
  client.send(command('GET', 'big').repeat(count));
  await eventually('answers pile up', async () => (await amb.metric('buffered_bytes')) > mebibyte);
  const other = await amb.client();
  for (let i = 0; i < 200; i++) t.equal(await other.ask('GET', 'small'), '$-1\r\n');
  client.socket.resume();
  for (const answer of await client.replies(count)) t.ok(answer === reply);
  t.notOk(client.ended, 'it was waited for');
});
