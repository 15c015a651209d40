/**
 * `npm run chaos -- --minutes N --seed S --part mesh|redis`: faults chosen by the seed against real processes, a checker
 * per promise. Exits 1 with the seed when a promise is broken. Without `--part` both parts run at once.
 */

import { parseArgs } from 'node:util';
import { seededRandom } from '../../packages/core/src/clock/index.ts';
import { residentMiB } from '../../bench/harness/measure.ts';
import type { Checker } from './checkers/checker.ts';
import { pause } from './checkers/checker.ts';
import { Durable } from './checkers/durable.ts';
import { RedisSessions } from './checkers/redis.ts';
import { Traffic } from './checkers/traffic.ts';
import { OrderedWatch } from './checkers/watch.ts';
import { faults } from './faults.ts';
import { redisChaos } from './redis/run.ts';
import type { StartAmbassador } from './redis/stage.ts';
import { tool } from '../harness/index.ts';
import type { RunningProcess } from '../harness/index.ts';
import { startOutrigger, World } from './world.ts';

/**
 * Promise 5, nothing is unbounded. The control service may hold its limit of history beside what it serves. Of the
 * ambassador less than 20 MiB are live, however long it runs; but under such load V8 doubles its young generation until it
 * has 128 MiB, and collects the rest lazily: 247 MiB after six minutes of faults and 84,000 sessions, and no more from then on.
 */
const maxResidentMiB = { proxy: 200, ambassador: 300, control: 600 };

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '' },
    part: { type: 'string', default: 'all' },
  },
});
const parts: Readonly<Record<string, readonly (() => Promise<void>)[]>> = {
  mesh: [mesh],
  redis: [redis],
  all: [mesh, redis],
};
const seed = values.seed === '' ? Date.now() % 1_000_000 : Number(values.seed);
const forMs = Number(values.minutes) * 60_000;
const undo: (() => unknown)[] = [];
const t = { teardown: (step: () => unknown): void => void undo.push(step) };
process.exitCode = await chaos().catch((error: unknown) => {
  console.error(
    `✘ ${error instanceof Error ? error.message : String(error)}\n` +
      `  again with: npm run chaos -- --seed ${seed} --minutes ${values.minutes} --part ${values.part}`,
  );
  return 1;
});
for (const step of undo.toReversed()) await step();
process.exit();

async function chaos(): Promise<number> {
  const chosen = parts[values.part];
  if (chosen === undefined)
    throw new Error(`no part ${values.part}; there are ${Object.keys(parts).join(', ')}`);
  console.log(`chaos for ${values.minutes} minutes, seed ${seed}`);
  await Promise.all(chosen.map((part) => part()));
  return 0;
}

/** Sentinel, a cluster and replicas that lag, each behind an ambassador. */
async function redis(): Promise<void> {
  const { missing } = tool('redis-server');
  if (missing !== undefined) {
    console.log(`– Redis is left out: ${missing}`);
    return;
  }
  const started: RunningProcess[] = [];
  const startAmbassador: StartAmbassador = async (args) => {
    const ambassador = await startOutrigger(t, 'ambassador', [
      ...['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', ...args],
    ]);
    started.push(ambassador);
    const { addresses } = JSON.parse(ambassador.stdout) as { addresses: { redis: string } };
    return { port: Number(addresses.redis.split(':').at(-1)), process: ambassador };
  };
  const summaries = await redisChaos({ t, seed, forMs, startAmbassador, log: (line) => console.log(line) });
  for (const summary of summaries) console.log(`✔ ${summary}`);
  for (const ambassador of started) await endCleanly('ambassador', ambassador);
}

/** Control service, proxy, backends, and a Redis with one replica. */
async function mesh(): Promise<void> {
  const world = new World(t);
  await world.start();
  const checkers: Checker[] = [new Durable(), new OrderedWatch(), new Traffic(), new RedisSessions()];
  const over = new AbortController();
  const watching = Promise.all(checkers.map((checker) => checker.run(world, over.signal)));
  const happening = happen(world, over.signal);
  try {
    await Promise.race([watching, happening]);
  } finally {
    over.abort(new Error('over'));
  }
  await happening;
  await watching;
  for (const name of ['proxy', 'ambassador', 'control'] as const) {
    const running = world[name];
    if (running !== undefined) await endCleanly(name, running);
  }
  for (const checker of checkers) console.log(`✔ ${checker.promise}: ${checker.summary()}`);
}

async function happen(world: World, signal: AbortSignal): Promise<void> {
  const random = seededRandom(seed);
  const deadline = performance.now() + forMs;
  while (performance.now() < deadline && !signal.aborted) {
    const fault = faults[Math.floor(random.next() * faults.length)];
    if (fault === undefined) continue;
    console.log(`  ${fault.name}`);
    await fault.run(world, random);
    await pause(200 + random.next() * 800);
  }
}

/** Promises 5 and 7: bounded memory, and SIGTERM ends with 0 within the drain timeout. */
async function endCleanly(name: keyof typeof maxResidentMiB, running: RunningProcess): Promise<void> {
  const memory = Math.round(residentMiB(running.pid));
  const started = performance.now();
  const { code } = await running.stop();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (code !== 0) throw new Error(`${name} ended with ${code} after SIGTERM: ${running.stderr.slice(-500)}`);
  if (memory > maxResidentMiB[name]) throw new Error(`${name} uses ${memory} MiB`);
  console.log(`✔ ${name}: ended with 0 after ${seconds} s, ${memory} MiB`);
}
