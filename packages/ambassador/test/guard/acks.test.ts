/** writeAcks: a write is answered once so many replicas have it. */

import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import { needs } from '../../../../test/harness/index.ts';
import type { Redis } from '../../../../test/harness/index.ts';
import { command, startAmbassador, startServers } from '../session/setting.ts';

const redis = needs('redis-server', 'redis-cli');

async function waits(server: Redis): Promise<number> {
  const stats = await server.cli('INFO', 'commandstats');
  return Number(/cmdstat_wait:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

test('writes are answered once the replica has them, with one WAIT for a pipeline', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const replica = replicas[0] as Redis;
  const values = {
    primary: primary.address,
    replica: [replica.address],
    writeAcks: 1,
    writeAcksTimeout: '20s',
  };
  const amb = await startAmbassador(t, values, { limits: { pollTimeoutMs: 60_000 } });
  const client = await amb.client();
  for (let i = 0; i < 10; i++) {
    t.equal(await client.ask('SET', 'k', String(i)), '+OK\r\n');
    t.equal(await replica.cli('GET', 'k'), String(i), 'the replica has what was answered');
  }
  t.equal(await client.ask('GET', 'k'), '$1\r\n9\r\n');
  const before = await waits(primary);
  client.send(command('INCR', 'n').repeat(50));
  const answers = Array.from({ length: 50 }, (_, i) => `:${i + 1}\r\n`);
  t.strictSame(await client.replies(50), answers);
  t.equal((await waits(primary)) - before, 1);

  replica.process.signal('SIGSTOP');
  client.send(command('SET', 'k', 'v'));
  await eventually('it is executed', async () => (await primary.cli('GET', 'k')) === 'v');
  const other = await amb.client();
  t.equal(await other.ask('TTL', 'k'), ':-1\r\n', 'nobody else waits');
  t.equal(client.bytes.endsWith('+OK\r\n'), false);
  replica.process.signal('SIGCONT');
  t.strictSame(await client.replies(1), ['+OK\r\n']);
});

test('what too few replicas have is said to be executed, not acknowledged', redis, async (t) => {
  const { primary } = await startServers(t, 0);
  const amb = await startAmbassador(t, { primary: primary.address, writeAcks: 1, writeAcksTimeout: '20ms' });
  const client = await amb.client();
  const refused =
    /^-OUTRIGGER write not acknowledged: 0 of 1 replicas had it after 20 ms; it was executed at /;
  t.match(await client.ask('SET', 'k', 'v'), refused);
  t.equal(await client.ask('GET', 'k'), '$1\r\nv\r\n');
  client.send(command('LPUSH', 'k', 'x') + command('INCR', 'n') + command('GET', 'n'));
  const [wrong, counted, read] = await client.replies(3);
  t.match(wrong, /^-WRONGTYPE/, 'an error stays what it is');
  t.match(counted, refused);
  t.equal(read, '$1\r\n1\r\n');
  client.send(command('MULTI') + command('INCR', 'n') + command('EXEC'));
  const [multi, queued, exec] = await client.replies(3);
  t.strictSame([multi, queued], ['+OK\r\n', '+QUEUED\r\n'], 'nothing is written before EXEC');
  t.match(exec, refused);
  t.match(await client.ask('SET', 'large', 'x'.repeat(200_000)), refused);
  t.equal(await client.ask('STRLEN', 'large'), ':200000\r\n');
  t.equal(await amb.metric('unacknowledged_writes_total'), 4);
});

test('a write whose server is lost while replicas are waited for is of unknown outcome', redis, async (t) => {
  const { primary } = await startServers(t, 0);
  const amb = await startAmbassador(t, { primary: primary.address, writeAcks: 1, writeAcksTimeout: '60s' });
  const client = await amb.client();
  client.send(command('SET', 'k', 'v'));
  await eventually('it is executed', async () => (await primary.cli('GET', 'k')) === 'v');
  primary.process.signal('SIGKILL');
  const [answer] = await client.replies(1);
  t.match(answer, /^-OUTRIGGER write outcome unknown/);
});
