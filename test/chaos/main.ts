/**
 * `npm run chaos -- --minutes N --seed S`: faults chosen by the seed against real processes, a checker per promise.
 * Exits 1 with the seed when a promise is broken.
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
import { World } from './world.ts';

/** Promise 5, nothing is unbounded. The control service may hold its limit of history beside what it serves. */
const maxResidentMiB = { proxy: 200, ambassador: 200, control: 600 };

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string', default: '' } },
});
const seed = values.seed === '' ? Date.now() % 1_000_000 : Number(values.seed);
const undo: (() => unknown)[] = [];
process.exitCode = await chaos().catch((error: unknown) => {
  console.error(
    `✘ ${error instanceof Error ? error.message : String(error)}\n  again with: npm run chaos -- --seed ${seed}`,
  );
  return 1;
});
for (const step of undo.toReversed()) await step();
process.exit();

async function chaos(): Promise<number> {
  console.log(`chaos for ${values.minutes} minutes, seed ${seed}`);
  const world = new World({ teardown: (step) => void undo.push(step) });
  await world.start();
  const checkers: Checker[] = [new Durable(), new OrderedWatch(), new Traffic(), new RedisSessions()];
  const over = new AbortController();
  const watching = Promise.all(checkers.map((checker) => checker.run(world, over.signal)));
  const happening = happen(world, Number(values.minutes) * 60_000, over.signal);
  try {
    await Promise.race([watching, happening]);
  } finally {
    over.abort(new Error('over'));
  }
  await happening;
  await watching;
  await endCleanly(world);
  for (const checker of checkers) console.log(`✔ ${checker.promise}: ${checker.summary()}`);
  return 0;
}

async function happen(world: World, forMs: number, signal: AbortSignal): Promise<void> {
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
async function endCleanly(world: World): Promise<void> {
  for (const name of ['proxy', 'ambassador', 'control'] as const) {
    const running = world[name];
    if (running === undefined) continue;
    const memory = Math.round(residentMiB(running.pid));
    const started = performance.now();
    const { code } = await running.stop();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    if (code !== 0)
      throw new Error(`${name} ended with ${code} after SIGTERM: ${running.stderr.slice(-500)}`);
    if (memory > maxResidentMiB[name]) throw new Error(`${name} uses ${memory} MiB`);
    console.log(`✔ ${name}: ended with 0 after ${seconds} s, ${memory} MiB`);
  }
}
