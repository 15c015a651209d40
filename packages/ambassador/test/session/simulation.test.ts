import { test } from 'tap';
import type { Test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import { Metrics } from '@outrigger/core/metrics';
import { EngineCounters } from '../../src/observe/counters.ts';
import { World } from './world.ts';
import type { Character } from './world.ts';

const first = Number(process.env['SIMULATION_SEED'] ?? 1);
const runs = Number(process.env['SIMULATION_RUNS'] ?? 300);

type Consistency = Character['consistency'];
type Shape = Character['shape'];

interface Seen {
  replicaReads: number;
  redirections: number;
  messages: number;
  /** Writes with an OK, and writes that too few replicas had in time. */
  acknowledged: number;
  refuted: number;
}

/** Fails for every problem; what happened that proves something. */
function simulate(
  t: Test,
  seeds: Iterable<number>,
  consistency: Consistency,
  shape: Shape,
  acks = false,
): Seen {
  const metrics = new Metrics({ processMetrics: false });
  const counters = new EngineCounters({ metrics, command: () => undefined });
  const seen = { replicaReads: 0, redirections: 0, messages: 0, acknowledged: 0, refuted: 0 };
  for (const seed of seeds) {
    const world = new World(seededRandom(seed), character(seed, consistency, shape, acks), counters);
    world.run();
    seen.replicaReads += world.replicaReads;
    seen.redirections += world.redirections;
    seen.messages += world.messages;
    seen.acknowledged += world.acknowledged.yes;
    seen.refuted += world.acknowledged.no;
    if (world.problems.length > 0)
      t.fail(`SIMULATION_SEED=${seed} SIMULATION_RUNS=1`, { problems: world.problems.slice(0, 5) });
  }
  return seen;
}

function character(seed: number, consistency: Consistency, shape: Shape, acks: boolean): Character {
  const followers = shape === 'cluster' ? (seed >>> 6) % 3 : 0;
  return {
    clients: 1 + (seed % 4),
    shape,
    replicas: shape === 'replicas' ? (seed >>> 2) % 3 : 1 + ((seed >>> 2) % 2),
    followers,
    acks: acks ? 1 + ((seed >>> 7) % 2) : 0,
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
    const { replicaReads, messages } = simulate(t, seeds, consistency, 'replicas');
    // A world without replicas, or with nothing but trouble, has none.
    t.ok(runs < 100 || replicaReads > runs, `${replicaReads} reads at replicas in ${runs} runs`);
    t.ok(runs < 100 || messages > runs, `${messages} messages in ${runs} runs`);
  });
}

for (const shape of ['cluster', 'routes'] as const) {
  test(`${shape}: no answer goes to another, no effect comes out of order (SIMULATION_SEED=${first})`, async (t) => {
    const seeds = Array.from({ length: runs }, (_, i) => first + i);
    const { redirections, messages, replicaReads } = simulate(t, seeds, 'session', shape);
    t.ok(
      runs < 100 || shape === 'routes' || redirections > runs,
      `${redirections} redirections in ${runs} runs`,
    );
    t.ok(
      runs < 100 || shape === 'routes' || replicaReads > runs,
      `${replicaReads} reads at replicas in ${runs} runs`,
    );
    t.ok(runs < 100 || messages > runs, `${messages} messages in ${runs} runs`);
  });
}

for (const shape of ['replicas', 'cluster'] as const) {
  test(`${shape} with writeAcks: what is acknowledged has been replicated (SIMULATION_SEED=${first})`, async (t) => {
    const seeds = Array.from({ length: runs }, (_, i) => first + i);
    const { messages, acknowledged, refuted } = simulate(t, seeds, 'session', shape, true);
    t.ok(runs < 100 || messages > runs, `${messages} messages in ${runs} runs`);
    t.ok(
      runs < 100 || Math.min(acknowledged, refuted) > runs,
      `${acknowledged} acknowledged, ${refuted} not`,
    );
  });
}
