/** What can be seen of the whole ambassador at work, against real servers and a real collector. */

import { spawnSync } from 'node:child_process';
import { attributesOf, eventually, startOtlpReceiver } from '@outrigger/core/testing';
import { test } from 'tap';
import { needs, toolPath } from '../../../../test/harness/index.ts';
import type { Explanation } from '../../src/observe/why.ts';
import type { SlowLogPage } from '../../src/observe/slow-log.ts';
import { startAmbassador, startServers } from '../session/setting.ts';

const redis = needs('redis-server', 'redis-cli');

/** Keeps the server busy for so many milliseconds. */
const busy = (ms: number): string =>
  `local t = redis.call('TIME'); local b = t[1] * 1000000 + t[2]; repeat t = redis.call('TIME') until t[1] * 1000000 + t[2] - b > ${ms * 1000}; return 1`;

test('the page tells what was read where, why not elsewhere, and what became of errors', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const replica = replicas[0]?.address ?? '';
  const amb = await startAmbassador(t, { primary: primary.address, replica: [replica] });
  const reader = await amb.client();
  await reader.ask('GET', 'k');
  await reader.ask('GET', 'k');
  const writer = await amb.client();
  await writer.ask('SET', 'k', 'v');
  await writer.ask('GET', 'k');
  await writer.ask('LPUSH', 'k', 'not a list');
  await writer.ask('MULTI');
  t.equal(await amb.metric('commands_total', 'command="get",class="read",route="replica"'), 2);
  t.equal(await amb.metric('commands_total', 'command="set",class="write",route="primary"'), 1);
  t.equal(await amb.metric('commands_total', 'command="multi",class="other",route="own"'), 1);
  t.equal(await amb.metric('replica_reads_total', 'path="first"'), 1);
  t.equal(await amb.metric('replica_reads_total', 'path="home"'), 1);
  t.equal(await amb.metric('fallbacks_total', 'reason="fence"'), 1);
  t.equal(await amb.metric('reply_seconds_count', `class="read",server="${replica}"`), 2);
  t.equal(await amb.metric('error_replies_total', `server="${primary.address}"`), 1);
  t.equal(await amb.metric('pinned_sessions', 'reason="multi"'), 1);
  t.equal(await amb.metric('pins_total', 'reason="multi"'), 1);
  t.equal(await amb.metric('primary_known', ''), 1);
  t.equal(await amb.metric('server_up', `server="${replica}",role="replica"`), 1);
  t.equal(await amb.metric('sessions', ''), 2);
  for (const way of [
    'client",direction="in',
    'client",direction="out',
    'server",direction="in',
    'server",direction="out',
  ]) {
    t.ok((await amb.metric('bytes_total', `peer="${way}"`)) > 0, way);
  }
  await writer.ask('DISCARD');
  await eventually(
    'its connection is given back',
    async () => (await amb.metric('pinned_sessions', 'reason="multi"')) === 0,
  );
});

test('a slow command is in the slow log, and its spans are at the collector', redis, async (t) => {
  const receiver = await startOtlpReceiver(t);
  const { primary } = await startServers(t, 0);
  const amb = await startAmbassador(t, {
    primary: primary.address,
    slowLog: { threshold: '20ms', entries: 8, keys: true },
    tracing: { endpoint: receiver.url, sample: 1 },
  });
  const client = await amb.client();
  await client.ask('CLIENT', 'SETNAME', 'batch');
  await client.ask('SET', 'k', 'very secret');
  await client.ask('EVAL', busy(30), '1', 'order:7', 'very secret');
  await client.ask('INCR', 'k');
  const answer = await fetch(`${amb.adminUrl}/debug/slowlog`);
  const { entries, total } = (await answer.json()) as SlowLogPage;
  // On a busy machine others may be slow too.
  const slow = entries.find(({ command }) => command === 'EVAL');
  t.match(slow, {
    command: 'EVAL',
    key: 'order:7',
    name: 'batch',
    server: primary.address,
    arguments: 5,
  });
  t.ok((slow?.durationMs ?? 0) >= 30);
  t.notMatch(JSON.stringify(entries), /secret/);
  t.ok((await amb.metric('slow_commands_total', '')) >= total);
  t.ok(total >= 1);
  await amb.daemon.close();
  const spans = receiver
    .spans()
    .map((span) => ({ name: span.name, status: span.status.code, ...attributesOf(span) }));
  t.match(
    spans.filter(({ name }) => ['SET', 'EVAL', 'INCR'].includes(name)),
    [
      { name: 'SET', status: 0, 'server.port': primary.port },
      { name: 'EVAL', status: 0 },
      { name: 'INCR', status: 2, 'db.response.status_code': 'ERR' },
    ],
  );
  t.notMatch(JSON.stringify(spans), /secret|order:7/);
});

test('sessions are shown as they are, and why says what the ambassador would do', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const replica = replicas[0]?.address ?? '';
  const amb = await startAmbassador(t, {
    primary: primary.address,
    replica: [replica],
    denyCommands: ['FLUSHALL'],
  });
  const client = await amb.client();
  await client.ask('SELECT', '3');
  await client.ask('CLIENT', 'SETNAME', 'web');
  const page = async (): Promise<Record<string, unknown>[]> => {
    const answer = await fetch(`${amb.adminUrl}/debug/sessions`);
    return ((await answer.json()) as { sessions: Record<string, unknown>[] }).sessions;
  };
  const age = async (of: 'ageMs' | 'idleMs'): Promise<number> => (await page())[0]?.[of] as number;
  await eventually('it has been idle for a while', async () => (await age('idleMs')) > 30);
  await client.ask('GET', 'k');
  client.send('*3\r\n$5\r\nBLPOP\r\n$5\r\nqueue\r\n$1\r\n0\r\n');
  t.ok((await age('idleMs')) < (await age('ageMs')) - 30, 'a command ends idleness');
  await eventually('it waits', async () => (await page())[0]?.['outstanding'] === 1);
  t.match((await page())[0], {
    name: 'web',
    user: 'default',
    database: 3,
    protocol: 2,
    commands: 4,
    lastCommand: 'BLPOP',
    pins: ['blocking'],
    ownServer: primary.address,
    reads: [{ replica }],
  });
  const why = async (command: string): Promise<Explanation> => {
    const query = new URLSearchParams({ command });
    const answer = await fetch(`${amb.adminUrl}/debug/why?${query.toString()}`);
    return (await answer.json()) as Explanation;
  };
  t.match((await why('GET k')).goes, { to: 'replica', server: replica });
  t.match((await why('GETEX k')).goes, { to: 'primary', server: primary.address });
  t.match((await why('FLUSHALL')).refused, /^NOPERM/);
  const denied = await amb.client();
  t.match(await denied.ask('FLUSHALL'), /^-NOPERM/);
  t.equal(await amb.metric('denied_total', 'rule="command"'), 1);
  t.match((await why('NO.SUCH k')).reason, /in doubt/);
  const topology = await (await fetch(`${amb.adminUrl}/debug/ambassador`)).json();
  t.match(topology, {
    upstream: 'static',
    sessions: 2,
    realms: [{ shards: [{ primary: primary.address }] }],
  });
});

test('promtool finds nothing to object to', needs('redis-server', 'redis-cli', 'promtool'), async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const amb = await startAmbassador(t, { primary: primary.address, replica: [replicas[0]?.address] });
  const client = await amb.client();
  await client.ask('GET', 'k');
  await client.ask('SET', 'k', 'v');
  await client.ask('CLIENT', 'ID');
  const page = await amb.deps.metrics.page();
  const checked = spawnSync(toolPath('promtool'), ['check', 'metrics'], { input: page, encoding: 'utf8' });
  t.equal(checked.status, 0, checked.stdout + checked.stderr);
});
