/**
 * Servers that go wrong: speak nonsense, close in the middle of a reply, hang, die, become replicas. The commands that
 * were with them get an error that says what is known of them; nobody else notices.
 */

import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { eventually } from '@outrigger/core/testing';
import { needs, startRedis, tempDir } from '../../../../test/harness/index.ts';
import type { Redis } from '../../../../test/harness/index.ts';
import { errorsOf, summary } from './checkers/verdict.ts';
import { readsServed } from './checkers/served.ts';
import { told } from './history.ts';
import type { Op } from './history.ts';
import { startLoad } from './load.ts';
import { Relay } from './relay.ts';
import { following, settle, startAmbassador, startReplica } from './setting.ts';
import { frame, Wire } from './wire.ts';

const redis = needs('redis-server', 'redis-cli');
/** Silence is noticed within 300 ms; whoever has no proof waits for as long as its primary is away, two seconds at most. */
const LONGEST_READ_MS = 3_000;
/** A transaction that has begun cannot wait: it gets the server's own refusal. */
const refusals = /^-OUTRIGGER no primary|^-READONLY|^-EXECABORT|^-ERR EXEC without MULTI/;
const unknown = /^-OUTRIGGER write outcome unknown: .+\r\n$/;
const ours = /^-OUTRIGGER .+\r\n$/;

const nonsense: Readonly<Record<string, string>> = {
  'an unknown type': '?\r\n',
  HTTP: 'HTTP/1.1 400 Bad Request\r\n\r\n',
  'a length below nothing': '$-2\r\n',
  'a length that is no number': '$abc\r\n',
  'a length beyond every limit': '$99999999999\r\nx',
  'a count below nothing': '*-5\r\n',
  'a count beyond all numbers': '*99999999999999999999\r\n',
  'a string longer than announced': '$2\r\nabcdef\r\n',
  'nesting without end': '*1\r\n'.repeat(500),
  zeros: '\0\0\0\0\r\n',
  'an empty line': '\r\n',
};

test('nonsense instead of a reply costs the commands behind it, and nobody else', redis, async (t) => {
  const primary = await startRedis(t);
  const relay = await Relay.open(t, primary.port);
  const amb = await startAmbassador(t, { primary: relay.address });
  const [before, victim, behind] = await clients(t, amb.port, 3);
  let count = 0;
  for (const [what, bytes] of Object.entries(nonsense)) {
    count++;
    await primary.cli('SET', 'k', what);
    relay.tamper({ marker: 'poison', replace: () => bytes, after: 'hang' });
    before.send(frame('INCR', 'before'));
    victim.send(frame('INCR', 'poison'));
    behind.send(frame('GET', 'k') + frame('INCR', 'behind'));
    t.match(
      await before.take(1),
      new RegExp(`^:${count}\r\n$|^-OUTRIGGER write outcome unknown`),
      `${what}: before it`,
    );
    t.match(await victim.take(1), unknown, `${what}: the write itself`);
    const value = `$${what.length}\r\n${what}\r\n`;
    const read = (await behind.take(1)) ?? '';
    t.ok(read === value || ours.test(read), `${what}: a read behind it is answered or refused: ${read}`);
    t.match(await behind.take(1), new RegExp(`^:\\d+\r\n$|${ours.source}`), `${what}: a write behind it`);
    t.ok(relay.done);
    for (const client of [before, victim, behind])
      t.equal(await client.ask('GET', 'k'), value, 'and on it goes');
  }
  t.equal(await primary.cli('GET', 'poison'), String(count), 'executed once each');
  t.ok(Number(await primary.cli('GET', 'behind')) <= count, 'at most once each');
});

test(
  'a line without end is not half an answer: what has been passed on of it is all that comes',
  redis,
  async (t) => {
    const primary = await startRedis(t);
    const relay = await Relay.open(t, primary.port);
    const amb = await startAmbassador(t, { primary: relay.address });
    const victim = await Wire.open(amb.port, { t, keep: true });
    const other = await Wire.open(amb.port, { t });
    const line = `+${'x'.repeat(200_000)}`;
    relay.tamper({ marker: 'poison', replace: () => line, after: 'hang' });
    victim.send(frame('INCR', 'poison') + frame('ECHO', 'next'));
    await Promise.race([victim.take(2), victim.closed()]);
    if (victim.ended) t.ok(line.startsWith(victim.received), `closed after ${victim.bytes} bytes`);
    else t.match(victim.received, /^-OUTRIGGER write outcome unknown: [^\r]+\r\n\$4\r\nnext\r\n$/);
    t.equal(await other.ask('GET', 'poison'), '$1\r\n1\r\n');
  },
);

test('bytes nobody has asked for reach nobody', redis, async (t) => {
  const primary = await startRedis(t);
  const relay = await Relay.open(t, primary.port);
  const amb = await startAmbassador(t, { primary: relay.address });
  const [one, two] = await clients(t, amb.port, 2);
  for (const bytes of ['+EXTRA\r\n', ':1\r\n:2\r\n', '$5\r\nhe', '-ERR no\r\n', '\0']) {
    t.equal(await one.ask('SET', 'k', 'v'), '+OK\r\n');
    t.equal(await two.ask('GET', 'k'), '$1\r\nv\r\n');
    relay.inject(bytes);
    // It has to have arrived before the next command is sent; what follows takes the same way through the kernel.
    await new Promise((resolve) => setTimeout(resolve, 20));
    t.equal(await one.ask('ECHO', 'one'), '$3\r\none\r\n', JSON.stringify(bytes));
    t.equal(await two.ask('GET', 'k'), '$1\r\nv\r\n');
  }
});

test('a server that closes after any byte of a reply', redis, async (t) => {
  const primary = await startRedis(t);
  const relay = await Relay.open(t, primary.port);
  const amb = await startAmbassador(t, { primary: relay.address });
  await primary.cli('SET', 'hello', 'hello');
  await primary.cli('RPUSH', 'list', 'a', 'bb', 'ccc');
  const questions: readonly [string, string][] = [
    [frame('GET', 'hello'), '$5\r\nhello\r\n'],
    [frame('LRANGE', 'list', '0', '-1'), '*3\r\n$1\r\na\r\n$2\r\nbb\r\n$3\r\nccc\r\n'],
    [frame('SETRANGE', 'hello', '0', 'h'), ':5\r\n'],
    [frame('LSET', 'list', '0', 'a'), '+OK\r\n'],
  ];
  for (const [question, answer] of questions) {
    for (let bytes = 0; bytes < answer.length; bytes++) {
      const client = await Wire.open(amb.port, { t, keep: true });
      const other = await Wire.open(amb.port, { t });
      relay.tamper({ marker: question, replace: (reply) => reply.subarray(0, bytes), after: 'close' });
      client.send(question);
      await Promise.race([client.take(1), client.closed()]);
      const what = `${JSON.stringify(answer)} cut at ${bytes}: ${JSON.stringify(client.received)}`;
      if (client.ended) t.ok(answer.startsWith(client.received), what);
      else if (answer.startsWith(':') || answer.startsWith('+')) t.match(client.received, unknown, what);
      else t.ok(client.received === answer || ours.test(client.received), what);
      t.equal(await other.ask('GET', 'hello'), '$5\r\nhello\r\n', 'others go on');
      for (const one of [client, other]) one.destroy();
    }
  }
});

test('a server that closes in the middle of a large reply', redis, async (t) => {
  const primary = await startRedis(t);
  const relay = await Relay.open(t, primary.port);
  const amb = await startAmbassador(t, { primary: relay.address });
  const setter = await Wire.open(amb.port, { t });
  const value = 'abcdefgh'.repeat(256 * 1024);
  await setter.ask('SET', 'large', value);
  const answer = `$${value.length}\r\n${value}\r\n`;
  for (const bytes of [1, 100, 70_000, 1_000_000, answer.length - 1]) {
    const client = await Wire.open(amb.port, { t, keep: true });
    relay.tamper({ marker: 'large', replace: (reply) => reply.subarray(0, bytes), after: 'close' });
    client.send(frame('GET', 'large') + frame('ECHO', 'next'));
    await Promise.race([client.take(2), client.closed()]);
    if (client.ended) t.ok(answer.startsWith(client.received), `cut at ${bytes}: only what came of it`);
    else {
      const rest = client.received.startsWith(answer)
        ? client.received.slice(answer.length)
        : client.received;
      t.match(rest, /^(-OUTRIGGER [^\r]+\r\n)?\$4\r\nnext\r\n$/, `cut at ${bytes}: whole, or not at all`);
    }
    client.destroy();
  }
});

test(
  'a primary killed under load and started again: no acknowledged write is lost or repeated',
  redis,
  async (t) => {
    const folder = tempDir(t);
    const config = { dir: folder, appendonly: 'yes', appendfsync: 'always' };
    const primary = await startRedis(t, { config });
    const replica = await startReplica(t, primary);
    const amb = await startAmbassador(t, {
      primary: primary.address,
      replica: [replica.address],
      failoverWait: '10s',
    });
    const load = startLoad({ port: amb.port, random: seededRandom(1), writers: 4, readers: 3 });
    await load.progress(1_000);
    const from = performance.now();
    primary.process.signal('SIGKILL');
    await primary.process.exited;
    await load.progress(100);
    const again = await startRedis(t, { port: primary.port, config });
    const to = performance.now();
    await load.progress(1_000);
    const verdict = await settle(load, again);
    t.strictSame(verdict.problems, []);
    t.equal(verdict.writes.told.dropped, 0, 'no client was hung up on');
    t.ok(verdict.writes.told.acknowledged > 300, `${verdict.writes.told.acknowledged} writes`);
    const served = readsServed(load.history, { from, to }, (session) => load.isReader(session));
    // Who had just read at the primary cannot go elsewhere without proof, and nobody elects another here.
    t.ok(served.failed < served.answered, `reads went on: ${JSON.stringify(served)}`);
    t.ok(served.answered > 20 && served.longestMs < LONGEST_READ_MS, JSON.stringify(served));
    t.comment(summary(verdict, load.history));
  },
);

test('a replica killed under load: nobody sees it', redis, async (t) => {
  const primary = await startRedis(t);
  const replicas = [await startReplica(t, primary), await startReplica(t, primary)];
  const amb = await startAmbassador(t, {
    primary: primary.address,
    replica: replicas.map(({ address }) => address),
  });
  const load = startLoad({ port: amb.port, random: seededRandom(2), writers: 3, readers: 4 });
  await load.progress(1_000);
  for (const replica of replicas) {
    replica.process.signal('SIGKILL');
    await load.progress(500);
    const back = await startRedis(t, { port: replica.port, replicaOf: primary });
    await following(back);
    await load.progress(500);
  }
  const verdict = await settle(load, primary);
  t.strictSame(verdict.problems, []);
  t.strictSame(errorsOf(load.history), {}, 'every read was answered by somebody else');
});

for (const [what, pick] of [
  ['primary', (servers: Servers) => servers.primary],
  ['replica', (servers: Servers) => servers.replica],
] as const) {
  test(`a ${what} that is paused under load`, redis, async (t) => {
    const primary = await startRedis(t);
    const replica = await startReplica(t, primary);
    const amb = await startAmbassador(t, {
      primary: primary.address,
      replica: [replica.address],
      limits: { pollInterval: '200ms', pollTimeout: '300ms' },
    });
    const load = startLoad({ port: amb.port, random: seededRandom(3), writers: 3, readers: 3 });
    await load.progress(500);
    const { process: paused } = pick({ primary, replica });
    t.teardown(() => paused.signal('SIGCONT'));
    const from = performance.now();
    paused.signal('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    paused.signal('SIGCONT');
    const to = performance.now();
    await load.progress(500);
    await following(replica);
    const verdict = await settle(load, primary);
    t.strictSame(verdict.problems, []);
    t.equal(verdict.writes.told.dropped, 0);
    const served = readsServed(load.history, { from, to }, (session) => load.isReader(session));
    t.ok(
      served.failed === 0 && served.longestMs < LONGEST_READ_MS,
      `reads went on: ${JSON.stringify(served)}`,
    );
    t.ok(served.answered > 50, JSON.stringify(served));
    t.comment(summary(verdict, load.history));
  });
}

test('a primary that becomes a replica and a primary again', redis, async (t) => {
  const primary = await startRedis(t);
  const amb = await startAmbassador(t, { primary: primary.address });
  const load = startLoad({ port: amb.port, random: seededRandom(4), writers: 4, readers: 2 });
  await load.progress(500);
  for (let round = 0; round < 3; round++) {
    // It follows a server that it cannot reach, so it keeps its data.
    await primary.cli('REPLICAOF', '127.0.0.1', '1');
    await load.progress(100);
    await primary.cli('REPLICAOF', 'NO', 'ONE');
    await eventually('writes flow again', () => {
      const last = load.history.findLast(isWrite);
      return last !== undefined && told(last) === 'acknowledged';
    });
    await load.progress(100);
  }
  const verdict = await settle(load, primary);
  t.strictSame(verdict.problems, []);
  t.equal(verdict.writes.told.dropped, 0, 'every command was answered');
  t.ok(verdict.writes.told.refused > 0, 'nobody is elected among fixed servers: writes are refused at once');
  const strange = Object.keys(errorsOf(load.history)).filter((error) => !refusals.test(error));
  t.strictSame(strange, [], 'in our words, or in those of the server');
  t.comment(summary(verdict, load.history));
});

test('a primary that stays a replica: writes are refused in time, with the reason', redis, async (t) => {
  const primary = await startRedis(t);
  const amb = await startAmbassador(t, { primary: primary.address });
  const client = await Wire.open(amb.port, { t });
  t.equal(await client.ask('INCR', 'n'), ':1\r\n');
  await primary.cli('REPLICAOF', '127.0.0.1', '1');
  const started = performance.now();
  client.send(frame('INCR', 'n') + frame('MULTI') + frame('INCR', 'n') + frame('EXEC'));
  const replies = await client.take(4);
  t.match(replies, /^-(?:OUTRIGGER no primary|READONLY)/);
  t.notMatch(replies, /:\d+\r\n/);
  t.ok(performance.now() - started < 5_000, `${performance.now() - started} ms`);
  await primary.cli('REPLICAOF', 'NO', 'ONE');
  await eventually('writes flow again', async () => (await client.ask('SET', 'again', '1')) === '+OK\r\n');
  t.equal(await client.ask('GET', 'n'), '$1\r\n1\r\n', 'none of the refused was executed');
});

function isWrite({ action, reply }: Op): boolean {
  return action.kind === 'append' && reply !== undefined;
}

interface Servers {
  readonly primary: Redis;
  readonly replica: Redis;
}

async function clients(
  t: Parameters<typeof startRedis>[0],
  port: number,
  count: 2 | 3,
): Promise<[Wire, Wire, Wire]> {
  const wires = await Promise.all(Array.from({ length: count }, () => Wire.open(port, { t })));
  for (const wire of wires) await wire.ask('PING');
  return wires as [Wire, Wire, Wire];
}
