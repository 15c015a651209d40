/** Faults happen to every stage at once, one after another in each; in the end what clients were told is judged. */

import { setTimeout as pause } from 'node:timers/promises';
import { judge, summary } from '../../../packages/ambassador/test/faults/checkers/verdict.ts';
import { seededRandom } from '../../../packages/core/src/clock/index.ts';
import type { Random } from '../../../packages/core/src/clock/index.ts';
import type { Teardown } from '../../harness/index.ts';
import { Broken } from '../checkers/checker.ts';
import { clusterStage } from './cluster.ts';
import { laggingStage } from './lagging.ts';
import { sentinelStage } from './sentinel.ts';
import { pick } from './stage.ts';
import type { Stage, StageOptions, StartAmbassador } from './stage.ts';

export interface RedisChaosOptions {
  readonly t: Teardown;
  readonly seed: number;
  readonly forMs: number;
  readonly startAmbassador: StartAmbassador;
  readonly log: (line: string) => void;
}

const stages: readonly ((options: StageOptions) => Promise<Stage>)[] = [
  sentinelStage,
  clusterStage,
  laggingStage,
];

/** Throws Broken when a promise is; otherwise a line for each stage. */
export async function redisChaos({
  t,
  seed,
  forMs,
  startAmbassador,
  log,
}: RedisChaosOptions): Promise<string[]> {
  const set: Stage[] = [];
  for (const [i, start] of stages.entries()) {
    set.push(await start({ t, random: seededRandom(seed + i), startAmbassador }));
  }
  const until = performance.now() + forMs;
  // Faults have a chance of their own: how many commands a client gets answered must not choose them.
  await Promise.all(set.map((stage, i) => happen(stage, seededRandom(seed + 100 + i), until, log)));
  const summaries: string[] = [];
  for (const stage of set) summaries.push(await judged(stage));
  return summaries;
}

async function happen(
  stage: Stage,
  random: Random,
  until: number,
  log: (line: string) => void,
): Promise<void> {
  await pause(500);
  for (;;) {
    const leftMs = until - performance.now();
    if (leftMs <= 0) return;
    const fault = pick(random, stage.faults);
    if ((fault.takesMs ?? 0) > leftMs) continue;
    log(`  ${stage.name}: ${fault.name}`);
    await fault.run(random);
    await pause(200 + random.next() * 800);
  }
}

async function judged(stage: Stage): Promise<string> {
  const history = await stage.load.stop(20_000);
  const verdict = judge(history, await stage.outcome(), stage.upheavals);
  if (verdict.problems.length > 0) {
    throw new Broken(`Redis behind ${stage.name}`, `\n  ${verdict.problems.join('\n  ')}`);
  }
  const { dropped } = verdict.writes.told;
  if (dropped > 0) throw new Broken(`Redis behind ${stage.name}`, `${dropped} writes were never answered`);
  return `Redis behind ${stage.name}: ${summary(verdict, history)}`;
}
