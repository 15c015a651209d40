import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs } from '../../../../test/harness/index.ts';
import type { Redis } from '../../../../test/harness/index.ts';
import { command, startAmbassador, startServers } from './setting.ts';
import { Valve } from '../topology/valve.ts';

/** How often the server has executed a command. */
async function calls(server: Redis, name: string): Promise<number> {
  const stats = await server.cli('INFO', 'commandstats');
  return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

const redis = needs('redis-server', 'redis-cli');

for (const consistency of ['session', 'eventual']) {
  test(
    `${consistency}: behind a slow replica, answers come in order and writes wait their turn`,
    redis,
    async (t) => {
      const { primary, replicas } = await startServers(t, 1);
      const slow = await Valve.open(t, replicas[0]?.port ?? 0);
      const amb = await startAmbassador(t, {
        primary: primary.address,
        replica: [slow.address],
        consistency,
      });
      const client = await amb.client();
      t.equal(await client.ask('GET', 'k'), '$-1\r\n', 'the replica is connected');
      slow.shut('down');
      client.send(
        command('GET', 'k') + command('SET', 'k', 'new') + command('INCR', 'n') + command('GET', 'n'),
      );
      await slow.holds('down');
      t.equal(
        await primary.cli('GET', 'k'),
        '',
        'the write has not been executed before the read was answered',
      );
      const other = await amb.client();
      t.equal(await other.ask('SET', 'other', '1'), '+OK\r\n', 'no other client waits');
      slow.release('down');
      const [first, second, third, fourth] = await client.replies(4);
      t.strictSame([first, second, third], ['$-1\r\n', '+OK\r\n', ':1\r\n']);
      if (consistency === 'session') t.equal(fourth, '$1\r\n1\r\n');
      t.ok((await amb.metric('held_total', 'reason="order"')) > 0);
    },
  );
}

test('eventual: a read behind an unanswered write follows it to the primary', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const slow = await Valve.open(t, primary.port);
  const amb = await startAmbassador(t, {
    primary: slow.address,
    replica: [replicas[0]?.address],
    consistency: 'eventual',
  });
  const client = await amb.client();
  await client.ask('SET', 'k', 'old');
  slow.shut('down');
  client.send(command('SET', 'k', 'new') + command('GET', 'missing'));
  await slow.holds('down');
  t.equal(client.bytes, '+OK\r\n', 'no answer has overtaken');
  slow.release('down');
  t.strictSame(await client.replies(2), ['+OK\r\n', '$-1\r\n']);
  t.equal(await amb.metric('commands_total', 'class="read",route="primary"'), 1);
  t.equal(await amb.metric('fallbacks_total', 'reason="order"'), 1);
});

test('a client that does not read holds up its server, not the memory', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const amb = await startAmbassador(
    t,
    { primary: primary.address, replica: [replicas[0]?.address] },
    { limits: { maxReplyBacklogBytes: 64 * 1024, maxPipelined: 50 } },
  );
  const value = 'v'.repeat(100_000);
  const writer = await amb.client();
  await writer.ask('SET', 'large', value);
  await eventually('the replica has it', async () => (await replicas[0]?.cli('EXISTS', 'large')) === '1');
  const lazy = await amb.client();
  lazy.socket.pause();
  const count = 1_000;
  for (let i = 0; i < count; i++) lazy.send(command('GET', 'large'));
  lazy.send(command('ECHO', 'last'));
  // 100 MB are asked for. Another session passes meanwhile: its answers show that there was time to send them.
  for (let i = 0; i < 300; i++) await writer.ask('SET', 'k', String(i));
  const executed = (await calls(primary, 'get')) + (await calls(replicas[0] as Redis, 'get'));
  t.ok(executed < count / 2, `${executed} of ${count} executed: the rest waits with the client, not here`);
  lazy.socket.resume();
  const replies = await lazy.replies(count + 1);
  t.equal(replies.at(-1), '$4\r\nlast\r\n');
  t.ok(replies.slice(0, count).every((reply) => reply.length === value.length + 11));
  t.ok((await amb.metric('held_total', 'reason="limit"')) > 0);
});
