import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { Metrics } from '@outrigger/core/metrics';
import { EngineCounters } from '../../src/observe/counters.ts';
import { World } from './world.ts';

const first = Number(process.env['SIMULATION_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const runs = Number(process.env['SIMULATION_RUNS'] ?? 300);

for (const consistency of ['session', 'eventual'] as const) {
  test(`${consistency}: whatever servers and networks do, clients see what they may see (SIMULATION_SEED=${first})`, async (t) => {
    const metrics = new Metrics({ processMetrics: false });
    const counters = new EngineCounters({ metrics, command: () => undefined });
    let replicaReads = 0;
    for (let seed = first; seed < first + runs; seed++) {
      const world = new World(
        seededRandom(seed),
        {
          clients: 1 + (seed % 4),
          replicas: (seed >>> 2) % 3,
          consistency,
          commands: 40,
          depth: [1, 4, 30][(seed >>> 1) % 3] as number,
          trouble: [0, 0.004, 0.02, 0.06][(seed >>> 3) % 4] as number,
          closesDeposed: (seed >>> 5) % 2 === 0,
          others: [0.01, 0.1][(seed >>> 4) % 2] as number,
          pace: [0.05, 0.2, 0.6][seed % 3] as number,
        },
        counters,
      );
      world.run();
      replicaReads += world.replicaReads;
      if (world.problems.length > 0)
        t.fail(`SIMULATION_SEED=${seed} SIMULATION_RUNS=1`, { problems: world.problems.slice(0, 5) });
    }
    // A world without replicas, or with nothing but trouble, has none.
    t.ok(runs < 100 || replicaReads > runs, `${replicaReads} reads at replicas in ${runs} runs`);
  });
}
