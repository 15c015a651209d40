/** Replicas that lag, each differently and by changing amounts: what a session may see, under load and across restarts. */

import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { needs, startRedis, tempDir } from '../../../../test/harness/index.ts';
import type { Redis, Teardown } from '../../../../test/harness/index.ts';
import { summary } from './checkers/verdict.ts';
import { checkStaleness } from './checkers/staleness.ts';
import { Delay } from './delay.ts';
import { repliesMatched } from './checkers/matched.ts';
import { checkWrites } from './checkers/writes.ts';
import { startLoad } from './load.ts';
import type { Load } from './load.ts';
import { following, outcomeAt, settle, startAmbassador } from './setting.ts';

const redis = needs('redis-server', 'redis-cli');

interface Lagging {
  readonly primary: Redis;
  readonly replicas: readonly Redis[];
  readonly links: readonly Delay[];
}

/** Each replica hears of everything so many milliseconds later. */
async function lagging(
  t: Teardown,
  delays: readonly number[],
  config: Readonly<Record<string, string>> = {},
): Promise<Lagging> {
  const primary = await startRedis(t, { config });
  const links: Delay[] = [];
  const replicas: Redis[] = [];
  for (const ms of delays) {
    const link = await Delay.open(t, primary.port, 0);
    const replica = await startRedis(t, { replicaOf: { ...primary, port: link.port } });
    await following(replica);
    link.ms = ms;
    links.push(link);
    replicas.push(replica);
  }
  return { primary, replicas, links };
}

async function readsOf(server: Redis): Promise<number> {
  return Number(/cmdstat_lindex:calls=(\d+)/.exec(await server.cli('INFO', 'commandstats'))?.[1] ?? 0);
}

test(
  'session: own writes are read and time never runs back, with replicas that lag differently',
  redis,
  async (t) => {
    const { primary, replicas, links } = await lagging(t, [15, 120]);
    const amb = await startAmbassador(t, {
      primary: primary.address,
      replica: replicas.map(({ address }) => address),
    });
    const load = startLoad({ port: amb.port, random: seededRandom(31), writers: 4, readers: 6, pauseMs: 5 });
    await load.progress(3_000);
    // The one that was ahead falls behind, and the other way round.
    for (const [first, second] of [
      [150, 5],
      [0, 60],
      [40, 0],
    ] as const) {
      Object.assign(links[0] as Delay, { ms: first });
      Object.assign(links[1] as Delay, { ms: second });
      await load.progress(2_000);
    }
    const reads = await Promise.all(replicas.map(readsOf));
    const verdict = await settle(load, primary);
    t.strictSame(verdict.problems, []);
    t.ok(reads.reduce((a, b) => a + b) > 500, `replicas answered reads: ${reads.join(', ')}`);
    t.comment(summary(verdict, load.history, { answeredBy: reads }));
  },
);

test(
  'session: reads alone never go back, whatever becomes of the replica that answers them',
  redis,
  async (t) => {
    const { primary, replicas, links } = await lagging(t, [10, 80]);
    const amb = await startAmbassador(t, {
      primary: primary.address,
      replica: replicas.map(({ address }) => address),
    });
    const load = startLoad({
      port: amb.port,
      writersPort: primary.port,
      random: seededRandom(32),
      writers: 3,
      readers: 8,
      pauseMs: 5,
    });
    await load.progress(2_000);
    for (let round = 0; round < 3; round++) {
      for (const link of links) {
        link.cut();
        await load.progress(1_000);
      }
      await Promise.all(replicas.map(following));
    }
    const verdict = await settle(load, primary);
    t.strictSame(verdict.problems, []);
    const reads = await Promise.all(replicas.map(readsOf));
    t.ok(reads.reduce((a, b) => a + b) > 500, `replicas answered reads: ${reads.join(', ')}`);
    t.comment(summary(verdict, load.history, { answeredBy: reads }));
  },
);

test(
  'session: a primary that restarts begins another history, which nobody mistakes for the old one',
  redis,
  async (t) => {
    const config = { appendonly: 'yes', appendfsync: 'always', dir: tempDir(t) };
    const { primary, replicas } = await lagging(t, [30, 90], config);
    const amb = await startAmbassador(t, {
      primary: primary.address,
      replica: replicas.map(({ address }) => address),
      failoverWait: '10s',
    });
    const load = startLoad({ port: amb.port, random: seededRandom(34), writers: 3, readers: 5, pauseMs: 5 });
    let server = primary;
    for (let round = 0; round < 3; round++) {
      await load.progress(1_500);
      server.process.signal('SIGKILL');
      await server.process.exited;
      server = await startRedis(t, { port: primary.port, config });
      await Promise.all(replicas.map(following));
    }
    await load.progress(1_500);
    const verdict = await settle(load, server);
    t.strictSame(verdict.problems, []);
    t.equal(verdict.writes.told.dropped, 0);
    t.comment(summary(verdict, load.history));
  },
);

test('session: a failover to a replica that lagged', redis, async (t) => {
  const primary = await startRedis(t);
  const delays: Delay[] = [];
  const replicas: Redis[] = [];
  for (const ms of [20, 100]) {
    const link = await Delay.open(t, primary.port, 0);
    // Sentinel tells replicas where the primary is; at first they hear of it through the link.
    const replica = await startRedis(t, { replicaOf: { ...primary, port: link.port } });
    await following(replica);
    link.ms = ms;
    delays.push(link);
    replicas.push(replica);
  }
  const amb = await startAmbassador(t, {
    primary: primary.address,
    replica: replicas.map(({ address }) => address),
    failoverWait: '10s',
  });
  const load = startLoad({ port: amb.port, random: seededRandom(35), writers: 3, readers: 5, pauseMs: 5 });
  await load.progress(1_500);
  // The primary loses everything its slower replica does not have: it comes back as that one was.
  const [, slow] = replicas as [Redis, Redis];
  const from = performance.now();
  await slow.cli('REPLICAOF', 'NO', 'ONE');
  await primary.cli('REPLICAOF', '127.0.0.1', String(slow.port));
  await following(primary);
  await primary.cli('REPLICAOF', 'NO', 'ONE');
  await slow.cli('REPLICAOF', '127.0.0.1', String(primary.port));
  const to = performance.now();
  await Promise.all(replicas.map(following));
  await load.progress(1_500);
  const verdict = await settle(load, primary, [{ from: from - 500, to }]);
  t.strictSame(verdict.problems, []);
  t.equal(verdict.writes.told.dropped, 0);
  t.comment(summary(verdict, load.history));
});

for (const maxLagMs of [300, 1_000]) {
  test(
    `eventual: nothing read is older than ${maxLagMs} ms, however far a replica falls behind`,
    redis,
    async (t) => {
      const { primary, replicas, links } = await lagging(t, [20, 50]);
      const amb = await startAmbassador(t, {
        primary: primary.address,
        replica: replicas.map(({ address }) => address),
        consistency: 'eventual',
        maxLag: `${maxLagMs}ms`,
        limits: { pollInterval: '100ms' },
      });
      const load = startLoad({
        port: amb.port,
        random: seededRandom(36),
        writers: 3,
        readers: 5,
        pauseMs: 5,
      });
      await load.progress(2_000);
      for (const link of links) {
        link.ms = 5_000;
        // Long enough that the replica is far beyond what may be read.
        await after(load, maxLagMs * 2);
        link.ms = 10;
        link.cut();
        await Promise.all(replicas.map(following));
        await load.progress(1_000);
      }
      const reads = await Promise.all(replicas.map(readsOf));
      const history = await load.stop();
      const outcome = await outcomeAt(primary, load.keys);
      // What the machine itself takes to deliver a question and an answer comes on top.
      const { problems, worstMs } = checkStaleness(history, outcome, maxLagMs + 150);
      t.strictSame(problems, []);
      t.strictSame([...repliesMatched(history), ...checkWrites(history, outcome).problems], []);
      t.ok(worstMs > 5, `stale reads were allowed: ${worstMs.toFixed(0)} ms at worst`);
      t.ok(reads.reduce((a, b) => a + b) > 500, `replicas answered reads: ${reads.join(', ')}`);
      t.comment(JSON.stringify({ worstMs, reads }));
    },
  );
}

/** Resolves when commands have been answered for so long. */
async function after(load: Load, ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until) await load.progress(10);
}
