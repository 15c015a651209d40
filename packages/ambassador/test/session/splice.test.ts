import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { Client, command, startAmbassador, startServers } from './setting.ts';

const redis = needs('redis-server', 'redis-cli');

/** Everything received until the other side closes. */
async function untilClosed(client: Client, bytes: string): Promise<string> {
  client.send(bytes);
  await client.closed();
  return client.bytes;
}

test(
  'what Redis answers to broken bytes, it answers through the ambassador, and closes alike',
  redis,
  async (t) => {
    const { primary, replicas } = await startServers(t, 1);
    const plain = await startRedis(t);
    const amb = await startAmbassador(t, { primary: primary.address, replica: [replicas[0]?.address] });
    const broken = [
      '*1\r\n$-5\r\n',
      '*x\r\n',
      '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n:5\r\n',
      '*2\r\n$3\r\nGET\r\n$x\r\n',
      '*99999999999\r\n',
      'get "unbalanced\r\n',
      'x'.repeat(70_000),
      '*2\r\n$3\r\nGET\r\n$9999999999\r\n',
      `${command('GET', 'k')}${command('SET', 'k', 'v')}*1\r\n!\r\n`,
      `${command('SET', 'k', 'v')}*2\r\n$3\r\nGET\r\n:1\r\n`,
      `${command('QUIT')}${command('PING')}`,
    ];
    for (const bytes of broken) {
      const through = await untilClosed(await amb.client(), bytes);
      const direct = await untilClosed(await Client.connect(plain.port), bytes);
      t.equal(through, direct, JSON.stringify(bytes.slice(0, 60)));
      t.not(direct, '', 'Redis said something');
    }
  },
);

test('lines, empty requests, transactions, subscriptions and handshakes are Redis’ own', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const plain = await startRedis(t);
  const amb = await startAmbassador(t, { primary: primary.address, replica: [replicas[0]?.address] });
  const programs: readonly [string, number][] = [
    ['PING\r\nset a "b c"\r\nget a\r\n', 3],
    [`*0\r\n*-1\r\n\r\n${command('PING')}`, 1],
    [['MULTI', 'SET k 1', 'INCR k', 'EXEC'].map((line) => command(...line.split(' '))).join(''), 4],
    [
      `${command('GET', 'k')}${command('SELECT', '3')}${command('SET', 'k', 'three')}${command('GET', 'k')}`,
      4,
    ],
    [`${command('SUBSCRIBE', 'c1', 'c2')}${command('PING')}${command('GET', 'k')}`, 4],
    [`${command('HELLO', '3')}${command('HSET', 'h', 'f', '1')}${command('HGETALL', 'h')}`, 3],
    [`${command('BLPOP', 'nothing', '0.01')}${command('PING')}`, 2],
    [`${command('EVAL', 'return {1,{2,3}}', '0')}${command('NO-SUCH-COMMAND', 'x')}`, 2],
    [`${command('X'.repeat(100))}${command('')}`, 2],
    [`${command('GET', 'x'.repeat(70_000))}${command('PING')}`, 2],
    [`${command('WAIT', '0', '1')}${command('CLIENT', 'GETNAME')}${command('RESET')}`, 3],
    [`${command('CLIENT', 'SETNAME', 'me')}${command('CLIENT', 'GETNAME')}`, 2],
    ['get k\n', 1],
  ];
  for (const [bytes, count] of programs) {
    const through = await amb.client();
    const direct = await Client.connect(plain.port);
    through.send(bytes);
    direct.send(bytes);
    const got = (await through.replies(count)).join('');
    const want = (await direct.replies(count)).join('');
    // A connection's number is its own.
    t.equal(got.replace(/:\d+/g, ':n'), want.replace(/:\d+/g, ':n'), JSON.stringify(bytes.slice(0, 80)));
    through.destroy();
    direct.destroy();
  }
});

test('a spliced session gets everything in both directions, in bulk', redis, async (t) => {
  const { primary } = await startServers(t, 0);
  const amb = await startAmbassador(t, { primary: primary.address });
  const client = await amb.client();
  const value = Buffer.alloc(200_000, 'z').toString('latin1');
  const count = 40;
  client.send(command('SELECT', '1'));
  for (let i = 0; i < count; i++) client.send(command('SET', 'k', `${i}${value}`) + command('GET', 'k'));
  const replies = (await client.replies(1 + 2 * count)).slice(1);
  for (let i = 0; i < count; i++) {
    const want = `$${`${i}${value}`.length}\r\n${i}${value}\r\n`;
    t.ok(replies[2 * i] === '+OK\r\n' && replies[2 * i + 1] === want, `value ${i}`);
  }
});

test('messages reach a subscriber; the end of either side is the end of both', redis, async (t) => {
  const { primary } = await startServers(t, 0);
  const amb = await startAmbassador(t, { primary: primary.address });
  const subscriber = await amb.client();
  const publisher = await amb.client();
  await subscriber.ask('SUBSCRIBE', 'news');
  t.equal(await publisher.ask('PUBLISH', 'news', 'hello'), ':1\r\n');
  t.match((await subscriber.replies(1))[0], /message[\s\S]*hello/);
  t.equal(await amb.metric('spliced_sessions'), 1);
  subscriber.destroy();
  await eventually('the primary has lost its subscriber', async () => {
    return (await primary.cli('PUBSUB', 'NUMSUB', 'news')).endsWith('0');
  });
  const killed = await amb.client();
  await killed.ask('MULTI');
  await primary.cli('CLIENT', 'KILL', 'TYPE', 'normal');
  await killed.closed();
  t.pass('a client whose connection Redis closes is closed');
});
