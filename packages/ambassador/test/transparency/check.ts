/** Holds every side against the plain one. */

import { test } from 'tap';
import { needs } from '../../../../test/harness/index.ts';
import { differences } from './differences.ts';
import type { Program } from './program.ts';
import { startSides } from './sides.ts';
import type { Side } from './sides.ts';

const redis = needs('redis-server', 'redis-cli');

/** A test of `programs`, and of `atPrimary` where every read goes to the primary. */
export function checkPrograms(
  name: string,
  programs: readonly Program[],
  atPrimary: readonly Program[] = [],
): void {
  const seed = Number(process.env['PROGRAM_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  test(`${name} answer as on a plain Redis (PROGRAM_SEED=${seed})`, redis, async (t) => {
    const { plain, through, replicas } = await startSides(t, seed);
    const all = [...programs, ...atPrimary];
    const of = (side: Side): readonly Program[] => (side.readsAtPrimary ? all : programs);
    const inTurn = async (sides: readonly Side[]) => {
      const seen = [];
      for (const side of sides) seen.push({ side, entries: await side.runAll(of(side)) });
      return seen;
    };
    const [want, ...seen] = await Promise.all([plain.runAll(all), ...through.map(inTurn)]);
    for (const { side, entries } of seen.flat()) {
      const found = differences(of(side), want, entries);
      t.equal(found.length, 0, `${of(side).length} programs, ${side.name}`);
      for (const difference of found) t.fail(`${side.name}, ${difference.program}`, { ...difference });
    }
    const reads = await Promise.all(replicas.map((replica) => replica.cli('INFO', 'commandstats')));
    t.ok(
      reads.some((page) => page.includes('cmdstat_get:')),
      'replicas took part',
    );
  });
}
