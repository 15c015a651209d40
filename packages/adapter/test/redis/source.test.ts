import { FakeClock } from '@outrigger/core/clock';
import { errorCode } from '@outrigger/core/errors';
import { eventually, testDeps } from '@outrigger/core/testing';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { test } from 'tap';
import type { Test } from 'tap';
import { refusalRestMs } from '../../src/redis/questions.ts';
import { redisSource } from '../../src/redis/source.ts';
import type { RedisSpec } from '../../src/redis/source.ts';
import { SourceError } from '../../src/sources/source.ts';
import type { Answer, Source } from '../../src/sources/source.ts';
import { samplesOf } from '../sources/page-text.ts';
import { bulk, fakeRedis } from './fake-redis.ts';

const info =
  '# Server\r\nredis_version:7.0.0\r\nredis_mode:standalone\r\n# Memory\r\nused_memory:5\r\n' +
  '# Cluster\r\ncluster_enabled:0\r\n# Keyspace\r\n';
const unknown = (command: string): string => `-ERR unknown command '${command.split(' ')[0]}'\r\n`;

/** Answers INFO and refuses the rest. */
const bare = (command: string): string => (command.startsWith('INFO') ? bulk(info) : unknown(command));

function sourceAt(t: Test, address: string, more: Partial<RedisSpec> = {}, clock = new FakeClock()): Source {
  const deps = testDeps({ clock, environment: { PASSWORD: 'secret' } });
  const source = redisSource({ address, latencyHistograms: true, ...more }, { address, labels: {} }, deps);
  t.teardown(() => source.close());
  return source;
}

function collect(source: Source, signal = new AbortController().signal): Promise<Answer> {
  return source.collect({ signal, leftMs: 1000 });
}

async function failure(source: Source, signal?: AbortSignal): Promise<SourceError> {
  try {
    await collect(source, signal);
  } catch (error) {
    if (error instanceof SourceError) return error;
    throw error;
  }
  throw new Error('it answered');
}

test('a server that refuses everything but INFO is shown, and is not asked in vain again', async (t) => {
  const fake = await fakeRedis(t, bare);
  const clock = new FakeClock();
  const source = sourceAt(t, fake.address, {}, clock);
  const { families, dropped } = await collect(source);
  t.equal(samplesOf(families).get('redis_up'), 1);
  t.equal(samplesOf(families).get('redis_memory_used_bytes'), 5);
  t.same(dropped, { 'refused-command': 5 });
  t.notOk(fake.commands.includes('CLUSTER INFO'), 'a server without cluster counts that as an error');

  fake.commands.length = 0;
  await collect(source);
  t.same(fake.commands, ['INFO ALL']);
  await clock.advance(refusalRestMs);
  fake.commands.length = 0;
  await collect(source);
  t.ok(fake.commands.includes('SLOWLOG LEN'), 'asked again after a while');
  t.equal(fake.connections, 1, 'the connection is kept');
});

test('a server before 7 is asked what it knows, one directive at a time', async (t) => {
  const old = info.replace('7.0.0', '6.2.1');
  const fake = await fakeRedis(t, (command) => {
    if (command === 'CONFIG GET maxclients') return '*2\r\n$10\r\nmaxclients\r\n$2\r\n77\r\n';
    return command.startsWith('INFO') ? bulk(old) : unknown(command);
  });
  const { families } = await collect(sourceAt(t, fake.address));
  t.equal(samplesOf(families).get('redis_config_maxclients'), 77);
  t.notOk(fake.commands.includes('LATENCY HISTOGRAM'));
});

test('without histograms they are not asked for', async (t) => {
  const fake = await fakeRedis(t, bare);
  await collect(sourceAt(t, fake.address, { latencyHistograms: false }));
  t.notOk(fake.commands.includes('LATENCY HISTOGRAM'));
  t.ok(fake.commands.includes('LATENCY LATEST'));
});

test('INFO without ALL where that is refused', async (t) => {
  const fake = await fakeRedis(t, (command) => (command === 'INFO' ? bulk(info) : unknown(command)));
  t.equal(samplesOf((await collect(sourceAt(t, fake.address))).families).get('redis_up'), 1);
});

test('garbage for INFO is a failure of its own that shows redis_up 0', async (t) => {
  for (const answer of [bulk('hello'), bulk('# Keyspace\r\ndb0:keys=1'), '*0\r\n', ':1\r\n']) {
    const fake = await fakeRedis(t, () => answer);
    const error = await failure(sourceAt(t, fake.address));
    t.equal(error.class, 'parse', answer);
    t.same([...samplesOf(error.families)], [['redis_up', 0]]);
  }
});

test('what is no Redis at all', async (t) => {
  const fake = await fakeRedis(t, () => 'HTTP/1.1 400 Bad Request\r\n\r\n');
  t.equal((await failure(sourceAt(t, fake.address))).class, 'parse');
});

test('an endless answer is cut off', async (t) => {
  const fake = await fakeRedis(t, () => Buffer.alloc(17 * 1024 * 1024, '$1000000000\r\nx'));
  t.equal((await failure(sourceAt(t, fake.address))).class, 'too-large');
});

test('one that never answers is given up when the scrape ends, and asked anew by the next', async (t) => {
  const fake = await fakeRedis(t, () => undefined);
  const source = sourceAt(t, fake.address);
  const aborter = new AbortController();
  const failed = failure(source, aborter.signal);
  await eventually('the question', () => fake.commands.length > 0);
  aborter.abort();
  t.equal((await failed).class, 'timeout');
  fake.answer = bare;
  t.equal(samplesOf((await collect(source)).families).get('redis_up'), 1);
  t.equal(fake.connections, 2, 'late replies cannot be taken for those to other questions');
});

test('a connection that was closed is made again', async (t) => {
  const fake = await fakeRedis(t, bare);
  const source = sourceAt(t, fake.address);
  await collect(source);
  fake.hangUp();
  await eventually('an answer again', async () => {
    // The first scrape after it may still meet the old connection.
    const answer = await collect(source).catch((error: unknown) => error);
    return !(answer instanceof SourceError) || (t.equal(answer.class, 'unreachable'), false);
  });
  t.equal(fake.connections, 2);
});

test('nobody there, no such name, no socket', async (t) => {
  const refused = await failure(sourceAt(t, '127.0.0.1:1'));
  t.equal(refused.class, 'refused');
  t.match(refused.message, /127\.0\.0\.1:1/);
  t.equal((await failure(sourceAt(t, 'unix:/nonexistent/redis.sock'))).class, 'unreachable');
  const plain = createServer((socket) => void socket.on('error', () => socket.destroy()).end('-ERR\r\n'));
  plain.listen(0, '127.0.0.1');
  await once(plain, 'listening');
  t.teardown(() => plain.close());
  const { port } = plain.address() as AddressInfo;
  t.equal((await failure(sourceAt(t, `rediss://127.0.0.1:${port}`))).class, 'tls');
});

test('a password that is missing, refused or right', async (t) => {
  const fake = await fakeRedis(t, (command) => {
    if (command === 'auth reader secret') return '+OK\r\n';
    return command.startsWith('auth') ? '-WRONGPASS no\r\n' : bare(command);
  });
  const passwordFrom = { env: 'PASSWORD' };
  t.ok(await collect(sourceAt(t, fake.address, { username: 'reader', passwordFrom })));
  const refused = await failure(sourceAt(t, fake.address, { passwordFrom }));
  t.equal(refused.class, 'auth');
  t.notMatch(inspect(refused, { depth: 10 }), 'secret');
  t.equal((await failure(sourceAt(t, fake.address, { passwordFrom: { env: 'NONE' } }))).class, 'auth');
  const closed = await fakeRedis(t, () => '-NOAUTH Authentication required.\r\n');
  t.equal((await failure(sourceAt(t, closed.address))).class, 'auth');
});

test('addresses that are none are refused when the configuration is read', (t) => {
  for (const address of ['http://localhost:1', 'redis://user:s3cret@localhost', 'localhost', ':6379']) {
    t.throws(() => sourceAt(t, address), { name: 'OutriggerError' }, address);
  }
  try {
    sourceAt(t, 'redis://user:s3cret@localhost');
  } catch (error) {
    t.equal(errorCode(error), 'CONFIG_INVALID');
    t.notMatch(String(error), 's3cret');
  }
  t.end();
});

test('scrapes that end before the connection is made leave none behind', async (t) => {
  const fake = await fakeRedis(t, bare);
  const source = sourceAt(t, fake.address, { passwordFrom: { env: 'PASSWORD' } });
  for (let round = 0; round < 5; round++) {
    const controller = new AbortController();
    const ended = failure(source, controller.signal);
    controller.abort();
    t.equal((await ended).class, 'timeout');
  }
  fake.answer = (command) => (/^auth/i.test(command) ? '+OK\r\n' : bare(command));
  await collect(source);
  await eventually('one connection is left', () => fake.open === 1 || undefined);
  await source.close();
  await eventually('none is left', () => fake.open === 0 || undefined);
});
