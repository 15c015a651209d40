/** What all clients together may hold, and what happens to the one too many. */

import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import { parseServer } from '../../src/index.ts';
import type { Server, WatchService } from '../../src/index.ts';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import type { Redis } from '../../../../test/harness/index.ts';
import { command, startAmbassador } from '../session/setting.ts';
import type { Running } from '../session/setting.ts';
import { Valve } from '../topology/valve.ts';

const redis = needs('redis-server', 'redis-cli');
const mebibyte = 1_048_576;

const connections = (amb: Running, { port }: { port: number }, kind: string): Promise<number> =>
  amb.metric('upstream_connections', `server="127.0.0.1:${port}",kind="${kind}"`);

test(
  'maxBufferedBytes: the client that holds the most is closed, the others are answered',
  redis,
  async (t) => {
    const server = await startRedis(t);
    await server.cli('SETRANGE', 'big', String(mebibyte - 1), 'x');
    const limits = { maxBufferedBytes: 16 * mebibyte, maxReplyBacklogBytes: 64 * mebibyte };
    const amb = await startAmbassador(t, { primary: server.address }, { limits });
    const [greedy, modest] = [await amb.client(), await amb.client()];
    for (const client of [greedy, modest]) client.socket.pause();
    modest.send(command('GET', 'big').repeat(8));
    greedy.send(command('GET', 'big').repeat(60));
    await eventually('one is closed', async () => (await amb.metric('sessions')) === 1);
    t.equal(await amb.metric('sessions_ended_total', 'reason="memory"'), 1);
    t.ok((await amb.metric('buffered_bytes')) <= limits.maxBufferedBytes);
    modest.socket.resume();
    t.equal((await modest.replies(8)).length, 8);
    greedy.socket.resume();
    await greedy.closed();
  },
);

test('idleTimeout: who neither asks nor waits is closed', redis, async (t) => {
  const server = await startRedis(t);
  const amb = await startAmbassador(t, { primary: server.address }, { limits: { idleTimeoutMs: 600 } });
  const [idle, blocked, subscribed] = [await amb.client(), await amb.client(), await amb.client()];
  await subscribed.ask('SUBSCRIBE', 'news');
  blocked.send(command('BLPOP', 'list', '0'));
  await idle.ask('PING');
  await idle.closed();
  await eventually(
    'it is counted',
    async () => (await amb.metric('sessions_ended_total', 'reason="idle"')) === 1,
  );
  await server.cli('PUBLISH', 'news', 'v');
  await server.cli('LPUSH', 'list', 'v');
  t.match(await blocked.replies(1), ['*2\r\n$4\r\nlist\r\n$1\r\nv\r\n']);
  t.match(await subscribed.replies(1), ['*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\nv\r\n']);
});

test(
  'maxWaiting: the command too many is refused at once, the others wait for a primary',
  redis,
  async (t) => {
    const server = await startRedis(t);
    let changed = (): void => {};
    let servers: Server[] = [];
    const watchService: WatchService = (_target, onChange) => {
      changed = onChange;
      const watch = {
        get servers() {
          return servers;
        },
        problem: 'it has no ready endpoint',
        close: () => {},
      };
      return Promise.resolve(watch);
    };
    const values = { primary: 'svc:default/main', control: ['http://127.0.0.1:1'], failoverWait: '60s' };
    const amb = await startAmbassador(t, values, { watchService, limits: { maxWaiting: 2 } });
    const waiting = [await amb.client(), await amb.client()];
    for (const client of waiting) client.send(command('SET', 'k', 'v'));
    await eventually('both wait', async () => (await amb.metric('held_sessions', 'reason="election"')) === 2);
    const refused = await amb.client();
    t.match(await refused.ask('SET', 'k', 'v'), /^-OUTRIGGER no primary: .*maxWaiting/);
    t.equal(await amb.metric('refused_total', 'reason="limit"'), 1);
    servers = [(parseServer(server.address) as { server: Server }).server];
    changed();
    for (const client of waiting) t.strictSame(await client.replies(1), ['+OK\r\n']);
    t.equal(await refused.ask('SET', 'k', 'v'), '+OK\r\n');
  },
);

test('maxLeasesPerServer: further clients wait in turn, but not for ever', redis, async (t) => {
  const server = await startRedis(t);
  const limits = { maxLeasesPerServer: 2, connectionWaitMs: 60_000 };
  const amb = await startAmbassador(t, { primary: server.address }, { limits });
  const blocked = [await amb.client(), await amb.client()];
  for (const client of blocked) client.send(command('BLPOP', 'list', '0'));
  await eventually('both are lent', async () => (await connections(amb, server, 'lease')) === 2);
  const gone = await amb.client();
  const next = await amb.client();
  gone.send(command('MULTI'));
  await eventually('one waits', async () => (await amb.metric('held_sessions', 'reason="limit"')) === 1);
  next.send(command('MULTI') + command('INCR', 'n') + command('EXEC'));
  await eventually('two wait', async () => (await amb.metric('held_sessions', 'reason="limit"')) === 2);
  gone.socket.resetAndDestroy();
  await eventually('one is gone', async () => (await amb.metric('sessions')) === 3);
  t.equal(await server.cli('GET', 'n'), '');
  await server.cli('LPUSH', 'list', 'v');
  t.strictSame(await next.replies(3), ['+OK\r\n', '+QUEUED\r\n', '*1\r\n:1\r\n']);
});

test('maxLeasesPerServer: what nobody gives back is not waited for for ever', redis, async (t) => {
  const server = await startRedis(t);
  const limits = { maxLeasesPerServer: 1, connectionWaitMs: 50 };
  const amb = await startAmbassador(t, { primary: server.address }, { limits });
  const [holder, other] = [await amb.client(), await amb.client()];
  await holder.ask('MULTI');
  t.match(await other.ask('MULTI'), /^-OUTRIGGER no connection: .*maxLeasesPerServer/);
  t.equal(await other.ask('SET', 'k', 'v'), '+OK\r\n', 'what needs none goes on');
  t.equal(await amb.metric('refused_total', 'reason="limit"'), 1);
  await holder.ask('DISCARD');
  t.equal(await other.ask('MULTI'), '+OK\r\n');
});

test('maxLinesPerServer: idle connections make room, busy ones are waited for', redis, async (t) => {
  const server = await startRedis(t);
  const valve = await Valve.open(t, server.port);
  const limits = { maxLinesPerServer: 2, connectionWaitMs: 50, pollTimeoutMs: 60_000 };
  const amb = await startAmbassador(t, { primary: valve.address }, { limits });
  const clients = [await amb.client(), await amb.client(), await amb.client()];
  for (const [i, client] of clients.entries()) {
    t.equal(await client.ask('SELECT', String(i)), '+OK\r\n');
    t.equal(await client.ask('SET', 'k', String(i)), '+OK\r\n');
  }
  t.equal(await connections(amb, valve, 'line'), 2);
  for (const [i, client] of clients.entries()) t.equal(await client.ask('GET', 'k'), `$1\r\n${i}\r\n`);
  const [first, second, third] = clients;
  await first?.ask('GET', 'k');
  await second?.ask('GET', 'k');
  valve.shut('down');
  first?.send(command('GET', 'k'));
  second?.send(command('GET', 'k'));
  await valve.holds('down', 14);
  t.match(await third?.ask('GET', 'k'), /^-OUTRIGGER no connection: .*maxLinesPerServer/);
  valve.release('down');
  t.equal(await third?.ask('GET', 'k'), '$1\r\n2\r\n');
});

test('a connection that nobody wants any more is closed', redis, async (t) => {
  const server = await startRedis(t);
  const amb = await startAmbassador(t, { primary: server.address }, { limits: { leaseIdleMs: 50 } });
  const client = await amb.client();
  client.send(command('MULTI') + command('EXEC'));
  await client.replies(2);
  t.equal(await connections(amb, server, 'idle'), 1);
  await eventually('it is closed', async () => (await connections(amb, server, 'idle')) === 0);
});

test('what a server has refused is not asked again with each attempt', redis, async (t) => {
  const server = await startRedis(t);
  const limits = { refusalMs: 60_000, maxStrangers: 2 };
  const amb = await startAmbassador(t, { primary: server.address }, { limits });
  const client = await amb.client();
  await client.ask('GET', 'k');
  const before = await accepted(server);
  for (let i = 0; i < 20; i++) t.match(await client.ask('SELECT', '99'), /^-ERR DB index is out of range/);
  t.equal(await accepted(server), before + 2, 'one for us, one for redis-cli');
  t.equal(await amb.metric('refused_total', 'reason="identity"'), 19);
  const many = await Promise.all(Array.from({ length: 30 }, () => amb.client()));
  const answers = await Promise.all(many.map((one, i) => one.ask('SELECT', String(100 + i))));
  for (const answer of answers) t.match(answer, /^-ERR DB index is out of range/);
  t.equal(await client.ask('GET', 'k'), '$-1\r\n');
});

async function accepted(server: Redis): Promise<number> {
  const stats = await server.cli('INFO', 'stats');
  return Number(/total_connections_received:(\d+)/.exec(stats)?.[1]);
}
