import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { World } from './world.ts';

const first = Number(process.env['SIMULATION_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const runs = Number(process.env['SIMULATION_RUNS'] ?? 1000);

for (const consistency of ['session', 'eventual'] as const) {
  test(`${consistency}: whatever the network does, a session sees what it may see (SIMULATION_SEED=${first})`, async (t) => {
    let atReplicas = 0;
    for (let i = 0; i < runs; i++) {
      const seed = first + i;
      const world = new World(seededRandom(seed), {
        consistency,
        replicas: 1 + (seed % 3),
        trouble: (seed % 4) * 0.02,
        others: [0.02, 0.1][(seed >>> 3) % 2] as number,
        pace: [0.05, 0.2, 0.5][(seed >>> 4) % 3] as number,
        writes: [0.05, 0.15, 0.4][seed % 3] as number,
        depth: [1, 3, 60][(seed >>> 2) % 3] as number,
      });
      world.run(60);
      if (world.problems.length > 0)
        t.fail(`SIMULATION_SEED=${seed}`, { problems: world.problems.slice(0, 5) });
      for (const [name, reads] of world.readsAt) if (name !== 'p') atReplicas += reads;
    }
    t.ok(atReplicas > runs * 5, `${atReplicas} reads at replicas in ${runs} runs`);
  });
}
