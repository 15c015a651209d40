/** Sentinels elect another primary under load: reads go on, writes wait or tell what is known of them, nothing is mixed up. */

import { test } from 'tap';
import type { Test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { eventually } from '@outrigger/core/testing';
import { needs, startRedis, startSentinels } from '../../../../test/harness/index.ts';
import type { Redis, Sentinels, Teardown } from '../../../../test/harness/index.ts';
import { errorsOf, summary } from './checkers/verdict.ts';
import { readsServed } from './checkers/served.ts';
import { told } from './history.ts';
import type { History } from './history.ts';
import { keyOf, startLoad } from './load.ts';
import type { Load } from './load.ts';
import { settle, startAmbassador, startReplica } from './setting.ts';
import type { Ambassador, Document } from './setting.ts';
import { Wire } from './wire.ts';

const redis = needs('redis-server', 'redis-cli');
/** How late an answer may be on its way when a primary dies, and how long replication may be behind on loopback. */
const LATE_MS = 500;
/**
 * A reader whose last answer came from the primary a moment before its death waits for the next one: an election of two
 * seconds. The others are served meanwhile: 25 to 100 ms, and up to 700 ms where their replica is the one promoted.
 */
const LONGEST_READ_MS = 4_000;
/** From the moment the new primary is one to the first acknowledged write: 1 to 50 ms, on a loaded machine too. */
const FLOWING_MS = 200;

interface Stage {
  readonly servers: readonly Redis[];
  readonly primary: Redis;
  readonly sentinels: Sentinels;
  readonly amb: Ambassador;
  readonly load: Load;
  readonly at: (address: string) => Redis;
}

async function stage(t: Teardown, seed: number, document: Document = {}): Promise<Stage> {
  const primary = await startRedis(t);
  const servers = [primary, await startReplica(t, primary), await startReplica(t, primary)];
  const sentinels = await startSentinels(t, { primary });
  const amb = await startAmbassador(t, {
    sentinel: sentinels.addresses,
    master: sentinels.name,
    ...document,
  });
  const load = startLoad({ port: amb.port, random: seededRandom(seed), writers: 4, readers: 4 });
  await load.progress(1_000);
  const at = (address: string): Redis => servers.find((server) => server.address === address) as Redis;
  return { servers, primary, sentinels, amb, load, at };
}

/** From the moment an election is over at the server itself to the first write that it acknowledges. */
async function firstWriteAfter(history: History, at: number): Promise<number> {
  const first = await eventually('a write after the election', () =>
    history.find((op) => op.sentAt > at - 2_000 && op.answeredAt > at && told(op) === 'acknowledged'),
  );
  return first.answeredAt - at;
}

async function promoted(servers: readonly Redis[]): Promise<Redis> {
  return eventually(
    'one of them is a primary',
    async () => {
      for (const server of servers) if ((await server.cli('ROLE')).startsWith('master')) return server;
      return undefined;
    },
    20_000,
  );
}

/** A client that reads without a pause, and takes what is a little old. */
async function readEventually(t: Test, { port }: Ambassador) {
  const wire = await Wire.open(port, { t });
  await wire.ask('CLIENT', 'SETNAME', 'reader#eventual');
  const replies: string[] = [];
  let over = false;
  const reading = (async () => {
    while (!over) replies.push(await wire.ask('LLEN', keyOf(0, 0)));
  })();
  return {
    stop: async () => {
      over = true;
      await reading;
      const refused = replies.filter((reply) => !reply.startsWith(':')).length;
      return { answered: replies.length - refused, refused };
    },
  };
}

test(
  'the primary is killed: reads are served throughout, writes flow once another is elected',
  redis,
  async (t) => {
    const { primary, servers, sentinels, load, amb } = await stage(t, 11);
    const reading = await readEventually(t, amb);
    const died = performance.now();
    primary.process.signal('SIGKILL');
    const elected = await promoted(servers.slice(1));
    const electedAt = performance.now();
    const { answered, refused } = await reading.stop();
    t.ok(answered > 0 && refused === 0, `${answered} reads that may be a little old, ${refused} refused`);
    const delay = await firstWriteAfter(load.history, electedAt);
    await load.progress(1_000);
    t.equal(await sentinels.replaced(primary.address), elected.address);
    const verdict = await settle(load, elected, [{ from: died - LATE_MS, to: electedAt }]);
    t.strictSame(verdict.problems, []);
    t.equal(verdict.writes.told.dropped, 0, 'no client was hung up on');
    t.equal(verdict.writes.told.refused, 0, `writes waited: ${JSON.stringify(errorsOf(load.history))}`);
    const served = readsServed(load.history, { from: died, to: electedAt }, (session) =>
      load.isReader(session),
    );
    t.equal(served.failed, 0);
    // Those that the primary answered last may have to wait for the next one.
    t.ok(served.answered > 0 && served.longestMs < LONGEST_READ_MS, `reads: ${JSON.stringify(served)}`);
    t.ok(delay <= FLOWING_MS, `writes flow ${Math.round(delay)} ms after the promotion`);
    t.comment(summary(verdict, load.history, { delay, served }));
    t.equal(await (await Wire.open(amb.port, { t })).ask('SET', 'k', 'v'), '+OK\r\n');
  },
);

test('a failover that is asked for', redis, async (t) => {
  const { primary, servers, sentinels, load, at } = await stage(t, 12);
  const from = performance.now();
  const elected = await sentinels.failover();
  await eventually('the old primary follows', async () => (await primary.cli('ROLE')).startsWith('slave'));
  const to = performance.now();
  await load.progress(1_000);
  // What the old one takes until it is told is lost with its history; nothing may be acknowledged there after that.
  const verdict = await settle(load, at(elected), [{ from: from - LATE_MS, to }]);
  t.strictSame(verdict.problems, []);
  t.equal(verdict.writes.told.dropped, 0);
  t.equal(verdict.writes.told.refused, 0, JSON.stringify(errorsOf(load.history)));
  const served = readsServed(load.history, { from, to }, (session) => load.isReader(session));
  t.ok(served.failed === 0 && served.longestMs < LONGEST_READ_MS, `reads: ${JSON.stringify(served)}`);
  t.ok(servers.length === 3);
  t.comment(summary(verdict, load.history));
});

test('a primary that is paused, replaced, and wakes up believing it is still one', redis, async (t) => {
  const { primary, servers, load } = await stage(t, 13);
  t.teardown(() => primary.process.signal('SIGCONT'));
  const from = performance.now();
  primary.process.signal('SIGSTOP');
  const elected = await promoted(servers.slice(1));
  await firstWriteAfter(load.history, performance.now());
  const wokeAt = performance.now();
  primary.process.signal('SIGCONT');
  await load.progress(1_000);
  await eventually(
    'it is made a replica',
    async () => (await primary.cli('ROLE')).startsWith('slave'),
    20_000,
  );
  await load.progress(500);
  const verdict = await settle(load, elected, [{ from: from - LATE_MS, to: wokeAt }]);
  t.strictSame(verdict.problems, []);
  t.equal(verdict.writes.told.dropped, 0);
  const served = readsServed(load.history, { from, to: wokeAt }, (session) => load.isReader(session));
  t.ok(served.failed === 0 && served.longestMs < LONGEST_READ_MS, `reads: ${JSON.stringify(served)}`);
  t.comment(summary(verdict, load.history));
});

test(
  'sentinels may go: what is known goes on, and one that remains is enough to hear of the next',
  redis,
  async (t) => {
    const { primary, sentinels, load, at } = await stage(t, 14);
    sentinels.members[0]?.process.signal('SIGKILL');
    await load.progress(500);
    const from = performance.now();
    const elected = await sentinels.failover();
    await load.progress(500);
    const to = performance.now();
    for (const member of sentinels.members) member.process.signal('SIGKILL');
    await load.progress(1_000);
    const verdict = await settle(load, at(elected), [{ from: from - LATE_MS, to }]);
    t.strictSame(verdict.problems, []);
    t.equal(verdict.writes.told.dropped, 0);
    t.not(elected, primary.address);
  },
);

test('two failovers in a row', redis, async (t) => {
  const { sentinels, load, at } = await stage(t, 15);
  const upheavals = [];
  for (let i = 0; i < 2; i++) {
    const from = performance.now() - LATE_MS;
    const elected = await sentinels.failover();
    await eventually(
      'the others follow',
      async () => {
        const text = await at(elected).cli('INFO', 'replication');
        return (text.match(/state=online/g) ?? []).length === 2;
      },
      20_000,
    );
    upheavals.push({ from, to: performance.now() });
    await load.progress(500);
  }
  const verdict = await settle(load, at(await sentinels.primary()), upheavals);
  t.strictSame(verdict.problems, []);
  t.equal(verdict.writes.told.dropped, 0);
  t.comment(summary(verdict, load.history));
});

test('no primary for longer than failoverWait: an error, and no client is lost', redis, async (t) => {
  const primary = await startRedis(t);
  const sentinels = await startSentinels(t, { primary });
  const amb = await startAmbassador(t, {
    sentinel: sentinels.addresses,
    master: sentinels.name,
    failoverWait: '500ms',
  });
  const client = await Wire.open(amb.port, { t });
  t.equal(await client.ask('SET', 'k', 'v'), '+OK\r\n');
  primary.process.signal('SIGKILL');
  await primary.process.exited;
  const started = performance.now();
  t.match(await client.ask('SET', 'k', 'w'), /^-OUTRIGGER (no primary|write outcome unknown)/);
  t.match(await client.ask('SET', 'k', 'w'), /^-OUTRIGGER no primary/);
  t.ok(performance.now() - started < 5_000);
  const again = await startRedis(t, { port: primary.port });
  await eventually('it serves again', async () => (await client.ask('SET', 'k', 'x')) === '+OK\r\n', 20_000);
  t.equal(await again.cli('GET', 'k'), 'x');
});
