import { test } from 'tap';
import type { Test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { Metrics } from '@outrigger/core/metrics';
import { EngineCounters } from '../../src/observe/counters.ts';
import { World } from './world.ts';
import type { Character } from './world.ts';

const first = Number(process.env['SIMULATION_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const runs = Number(process.env['SIMULATION_RUNS'] ?? 300);

/** Worlds that have found something once. */
const found: Readonly<Record<string, number>> = {
  'two reads under way at a replica and the primary, which was asked last and executed first': 1_472_866_834,
  'a rejected command that the answer to WATCH or MULTI behind it was the last to settle': 6_063,
};

type Consistency = Character['consistency'];

/** Fails for every problem; the reads that replicas have answered. */
function simulate(t: Test, seeds: Iterable<number>, consistency: Consistency): number {
  const metrics = new Metrics({ processMetrics: false });
  const counters = new EngineCounters({ metrics, command: () => undefined });
  let replicaReads = 0;
  for (const seed of seeds) {
    const world = new World(seededRandom(seed), character(seed, consistency), counters);
    world.run();
    replicaReads += world.replicaReads;
    if (world.problems.length > 0)
      t.fail(`SIMULATION_SEED=${seed} SIMULATION_RUNS=1`, { problems: world.problems.slice(0, 5) });
  }
  return replicaReads;
}

function character(seed: number, consistency: Consistency): Character {
  return {
    clients: 1 + (seed % 4),
    replicas: (seed >>> 2) % 3,
    consistency,
    commands: 40,
    depth: [1, 4, 30][(seed >>> 1) % 3] as number,
    trouble: [0, 0.004, 0.02, 0.06][(seed >>> 3) % 4] as number,
    closesDeposed: (seed >>> 5) % 2 === 0,
    others: [0.01, 0.1][(seed >>> 4) % 2] as number,
    pace: [0.05, 0.2, 0.6][seed % 3] as number,
  };
}

for (const consistency of ['session', 'eventual'] as const) {
  test(`${consistency}: whatever servers and networks do, clients see what they may see (SIMULATION_SEED=${first})`, async (t) => {
    const seeds = Array.from({ length: runs }, (_, i) => first + i);
    const replicaReads = simulate(t, seeds, consistency);
    // A world without replicas, or with nothing but trouble, has none.
    t.ok(runs < 100 || replicaReads > runs, `${replicaReads} reads at replicas in ${runs} runs`);
  });

  for (const [what, seed] of Object.entries(found)) {
    test(`${consistency}: ${what}`, async (t) => {
      simulate(t, [seed], consistency);
    });
  }
}
