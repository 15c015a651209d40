import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { eventually } from '@outrigger/core/testing';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { randomPieces, randomProgram } from '../session/programs.ts';
import { Client, command, startAmbassador, startServers } from '../session/setting.ts';

const seed = Number(process.env['PROGRAM_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const redis = needs('redis-server', 'redis-cli');

/** Sends the program in pieces, without waiting for answers, and gives every byte that comes back. */
async function run(
  client: Client,
  bytes: string,
  pieces: readonly string[],
  replies: number,
): Promise<string> {
  for (const piece of pieces) {
    client.send(piece);
    // The socket hands each piece to the kernel by itself; without a turn they would travel as one.
    await turn();
  }
  return (await client.replies(replies)).join('');
}

test(
  `random programs answer byte for byte as on one plain Redis (PROGRAM_SEED=${seed})`,
  redis,
  async (t) => {
    const { primary, replicas } = await startServers(t, 2);
    const plain = await startRedis(t);
    const amb = await startAmbassador(t, {
      primary: primary.address,
      replica: replicas.map((replica) => replica.address),
    });
    const random = seededRandom(seed);
    for (let round = 0; round < 30; round++) {
      const program = randomProgram(random, 60);
      const bytes = program.map((args) => command(...args)).join('');
      const pieces = randomPieces(bytes, random, round % 3 === 0 ? 8 : 2000);
      // A new client is a new session: it is promised nothing of what the last one has written.
      await primary.cli('SET', 'round', String(round));
      for (const replica of replicas) {
        await eventually(
          'a replica is there',
          async () => (await replica.cli('GET', 'round')) === String(round),
        );
      }
      const through = await amb.client();
      const direct = await Client.connect(plain.port);
      const got = await run(through, bytes, pieces, program.length);
      const want = await run(direct, bytes, [bytes], program.length);
      t.equal(got, want, `round ${round}`);
      through.destroy();
      direct.destroy();
    }
    t.ok((await amb.metric('commands_total', 'class="read",route="replica"')) > 0, 'replicas took part');
    t.ok((await amb.metric('commands_total', 'class="read",route="primary"')) > 0, 'so did the primary');
  },
);

test('a pipeline cut at every byte answers alike', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const amb = await startAmbassador(t, { primary: primary.address, replica: [replicas[0]?.address] });
  const bytes = [
    command('GET', 'missing'),
    command('SET', 'k', 'a\r\nb'),
    command('GET', 'k'),
    command('PING'),
    command('DEL', 'k'),
    command('GET', 'k'),
  ].join('');
  const want = '$-1\r\n+OK\r\n$4\r\na\r\nb\r\n+PONG\r\n:1\r\n$-1\r\n';
  for (let at = 1; at < bytes.length; at++) {
    const client = await amb.client();
    t.equal(await run(client, bytes, [bytes.slice(0, at), bytes.slice(at)], 6), want, `cut at ${at}`);
    client.destroy();
  }
  const client = await amb.client();
  t.equal(await run(client, bytes, [...bytes], 6), want, 'a byte at a time');
});

test('values larger than any buffer pass whole, between small ones', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const amb = await startAmbassador(t, { primary: primary.address, replica: [replicas[0]?.address] });
  const client = await amb.client();
  const large = Buffer.alloc(3 * 1024 * 1024, 'abcdefg').toString('latin1');
  client.send(command('GET', 'small') + command('SET', 'large', large) + command('SET', 'small', 's'));
  client.send(command('GET', 'large') + command('GET', 'small'));
  const [first, second, third, fourth, fifth] = await client.replies(5);
  t.strictSame([first, second, third, fifth], ['$-1\r\n', '+OK\r\n', '+OK\r\n', '$1\r\ns\r\n']);
  t.ok(fourth === `$${large.length}\r\n${large}\r\n`, 'the large value is the same');
  t.equal(await amb.metric('pinned_sessions'), 0, 'and the session is still routed');
  t.equal((await primary.cli('STRLEN', 'large')).trim(), String(large.length));
});
