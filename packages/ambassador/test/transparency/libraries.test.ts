import { Redis as IoRedis } from 'ioredis';
import { FlowProducer, Queue, QueueEvents, Worker } from 'bullmq';
import { RedisStore } from 'connect-redis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { createClient } from 'redis';
import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs } from '../../../../test/harness/index.ts';
import { startAmbassador, startServers } from '../session/setting.ts';

const redis = needs('redis-server', 'redis-cli');

/** What the libraries do at once is done on one ambassador: its sessions share connections. */
test('client libraries work unchanged', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const { port } = await startAmbassador(t, { primary: primary.address, replica: [replicas[0]?.address] });
  const connection = { host: '127.0.0.1', port };

  const ioredis = (protocol: 2 | 3, more: object = {}): IoRedis => {
    const client = new IoRedis({ ...connection, protocol, ...more });
    t.teardown(() => client.disconnect());
    return client;
  };
  const nodeRedis = async (RESP: 2 | 3) => {
    const client = createClient({ socket: connection, RESP, name: `app-${RESP}` });
    client.on('error', (error: unknown) => t.fail('node-redis', { error }));
    await client.connect();
    t.teardown(() => client.destroy());
    return client;
  };

  for (const protocol of [2, 3] as const) {
    await t.test(`ioredis over RESP${protocol}`, async (t) => {
      const key = (name: string): string => `io${protocol}:${name}`;
      const client = ioredis(protocol, { connectionName: 'app', enableAutoPipelining: protocol === 3 });
      t.equal(await client.set(key('k'), 'v', 'EX', 100), 'OK');
      t.equal(await client.get(key('k')), 'v');
      const counted = await Promise.all(Array.from({ length: 100 }, () => client.incr(key('n'))));
      t.strictSame(counted, Array.from({ length: 100 }, (_, i) => i + 1), 'pipelined, in order'); // prettier-ignore
      const pipelined = await client.pipeline().set(key('p'), '1').get(key('p')).lpush(key('k'), 'x').exec();
      t.match(pipelined, [[null, 'OK'], [null, '1'], [/WRONGTYPE/]]); // prettier-ignore
      t.strictSame(await client.multi().incr(key('m')).get(key('m')).exec(), [[null, 1], [null, '1']]); // prettier-ignore
      const other = ioredis(protocol);
      await client.watch(key('w'));
      await other.set(key('w'), 'changed');
      t.equal(await client.multi().set(key('w'), 'mine').exec(), null, 'a watched key was changed');
      const waits = client.duplicate();
      t.teardown(() => waits.disconnect());
      const popped = waits.blpop(key('list'), 0);
      await other.rpush(key('list'), 'item');
      t.strictSame(await popped, [key('list'), 'item']);
      const subscriber = ioredis(protocol);
      const message = new Promise((resolve) => subscriber.on('message', (...args) => resolve(args)));
      await subscriber.subscribe(key('channel'));
      t.equal(await client.publish(key('channel'), 'hello'), 1);
      t.strictSame(await message, [key('channel'), 'hello']);
      await subscriber.unsubscribe();
      t.equal(await subscriber.get(key('p')), '1', 'and goes on as any other');
      client.defineCommand('twice', { numberOfKeys: 1, lua: "return redis.call('INCRBY', KEYS[1], 2)" });
      const scripted = client as IoRedis & { twice(key: string): Promise<number> };
      t.equal(await scripted.twice(key('lua')), 2);
      t.equal(await scripted.twice(key('lua')), 4, 'by its digest');
      await client.hset(key('h'), { a: '1', b: '2' });
      t.strictSame(await client.hgetall(key('h')), { a: '1', b: '2' });
      await client.xadd(key('s'), '1-1', 'f', 'v');
      t.strictSame(await client.xread('COUNT', 5, 'STREAMS', key('s'), '0'), [[key('s'), [['1-1', ['f', 'v']]]]]); // prettier-ignore
      const found: string[] = [];
      for await (const keys of client.scanStream({ match: key('*') })) found.push(...(keys as string[]));
      t.ok(found.includes(key('k')) && found.includes(key('h')), 'every page of a scan');
      t.equal(await client.quit(), 'OK');
    });

    await t.test(`node-redis over RESP${protocol}`, async (t) => {
      const key = (name: string): string => `nr${protocol}:${name}`;
      const client = await nodeRedis(protocol);
      t.equal(await client.set(key('k'), 'v', { NX: true }), 'OK');
      t.equal(await client.get(key('k')), 'v');
      t.equal(await client.get(key('none')), null);
      const counted = await Promise.all(Array.from({ length: 100 }, () => client.incr(key('n'))));
      t.strictSame(counted, Array.from({ length: 100 }, (_, i) => i + 1), 'pipelined, in order'); // prettier-ignore
      t.strictSame(await client.multi().set(key('m'), '1').incr(key('m')).exec(), ['OK', 2]);
      const other = await nodeRedis(protocol);
      await client.watch(key('w'));
      await other.set(key('w'), 'changed');
      await t.rejects(client.multi().set(key('w'), 'mine').exec(), { message: /watched keys/ });
      const waits = await nodeRedis(protocol);
      const popped = waits.blPop(key('list'), 0);
      await other.rPush(key('list'), 'item');
      t.match(await popped, { key: key('list'), element: 'item' });
      const subscriber = await nodeRedis(protocol);
      const message = new Promise((resolve) => {
        void subscriber.subscribe(key('channel'), (text, channel) => resolve([channel, text]));
      });
      await eventually('it is heard', async () => (await client.publish(key('channel'), 'hello')) === 1);
      t.strictSame(await message, [key('channel'), 'hello']);
      await subscriber.unsubscribe();
      // In buffers, as it does directly at a server.
      t.equal(String(await subscriber.get(key('k'))), 'v', 'and goes on as any other');
      t.equal(await client.eval("return redis.call('INCR', KEYS[1])", { keys: [key('lua')] }), 1);
      await client.hSet(key('h'), { a: '1', b: '2' });
      t.match(await client.hGetAll(key('h')), { a: '1', b: '2' });
      await client.zAdd(key('z'), [{ score: 1.5, value: 'one' }, { score: 2, value: 'two' }]); // prettier-ignore
      t.strictSame(await client.zRangeWithScores(key('z'), 0, -1), [{ value: 'one', score: 1.5 }, { value: 'two', score: 2 }]); // prettier-ignore
      const found: string[] = [];
      for await (const keys of client.scanIterator({ MATCH: key('*') })) found.push(...keys);
      t.ok(found.includes(key('k')) && found.includes(key('h')), 'every page of a scan');
      await client.select(1);
      t.equal(await client.get(key('k')), null, 'another database');
      await client.close();
    });
  }

  await t.test('BullMQ', async (t) => {
    const done: string[] = [];
    const queue = new Queue('work', { connection });
    const events = new QueueEvents('work', { connection });
    // Each job that is waited for listens.
    for (const emitter of [queue, events]) emitter.setMaxListeners(50);
    const worker = new Worker('work', async (job) => done.push(job.name), { connection, concurrency: 4 });
    t.teardown(async () => {
      await worker.close(true);
      await events.close();
      await queue.close();
    });
    await events.waitUntilReady();
    const jobs = await queue.addBulk(
      Array.from({ length: 20 }, (_, i) => ({ name: `job-${i}`, data: { i } })),
    );
    await Promise.all(jobs.map((job) => job.waitUntilFinished(events, 8_000)));
    t.equal(done.length, 20, 'every job once');
    const delayed = await queue.add('delayed', {}, { delay: 50, attempts: 2 });
    await delayed.waitUntilFinished(events, 8_000);
    await queue.upsertJobScheduler('often', { every: 50 }, { name: 'repeated' });
    await eventually('it is repeated', () => done.filter((name) => name === 'repeated').length >= 2);
    await queue.removeJobScheduler('often');
    const flow = new FlowProducer({ connection });
    t.teardown(() => flow.close());
    const child = (name: string) => ({ name, queueName: 'work' });
    const tree = await flow.add({ ...child('parent'), children: [child('child-1'), child('child-2')] });
    await tree.job.waitUntilFinished(events, 8_000);
    t.ok(
      done.indexOf('parent') > Math.max(done.indexOf('child-1'), done.indexOf('child-2')),
      'children first',
    );
    t.match(await queue.getJobCounts('completed', 'failed'), { failed: 0 });
  });

  await t.test('connect-redis keeps sessions', async (t) => {
    const client = await nodeRedis(2);
    const store = new RedisStore({ client, prefix: 'sess:' });
    const session = { cookie: { originalMaxAge: 60_000 }, user: 'alice' } as never;
    await store.set('one', session);
    t.match(await store.get('one'), { user: 'alice' });
    await store.touch('one', session);
    t.strictSame(await store.ids(), ['one']);
    t.equal(await store.length(), 1);
    await store.destroy('one');
    t.notOk(await store.get('one'));
  });

  await t.test('rate-limiter-flexible counts', async (t) => {
    const storeClient = ioredis(2);
    const limiter = new RateLimiterRedis({ storeClient, points: 3, duration: 100, keyPrefix: 'limit' });
    for (const left of [2, 1, 0]) t.equal((await limiter.consume('me')).remainingPoints, left);
    const refusal: unknown = await limiter.consume('me').catch((refused: unknown) => refused);
    t.ok(refusal instanceof RateLimiterRes && refusal.remainingPoints === 0, 'and refuses');
  });
});
