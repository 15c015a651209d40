/** Killing a writing process and asking afterwards whether what it acknowledged is there. */

import { systemClock } from '@outrigger/core/clock';
import { startProcess } from '../../../../test/harness/index.ts';
import type { RunningProcess, Teardown } from '../../../../test/harness/index.ts';
import { openSqliteStore } from '../../src/store/index.ts';
import type { StoredValue } from '../../src/store/index.ts';
import { fingerprint, follow, gapIn, put, write } from './store-words.ts';

export interface Acknowledged {
  readonly revision: number;
  readonly key: string;
  readonly fingerprint: string;
}

/** The program and arguments that write into `dir`. */
export function writerCommand(dir: string, writers: number, rounds = Number.POSITIVE_INFINITY): string[] {
  const flags = process.execArgv.filter((flag) => flag.startsWith('--conditions'));
  const script = `${import.meta.dirname}/crash-writer.ts`;
  return [process.execPath, ...flags, script, dir, String(writers), String(rounds)];
}

/** A process with that many writers, all of them writing. */
export async function startWriters(t: Teardown, dir: string, writers: number): Promise<RunningProcess> {
  const [file = '', ...args] = writerCommand(dir, writers);
  return startProcess(t, file, args, { ready: /^ready \d+$/m, readyTimeoutMs: 30_000 });
}

/** Kills writers with SIGKILL once they were acknowledged `atLeast` writes; what was acknowledged until then. */
export async function killDuringWrites(
  t: Teardown,
  dir: string,
  writers: number,
  atLeast: number,
): Promise<Acknowledged[]> {
  const child = await startWriters(t, dir, writers);
  await child.matched(new RegExp(`(?:^ack .*\\n){${atLeast}}`, 'm'), 30_000);
  child.signal('SIGKILL');
  await child.exited;
  return parseAcknowledged(child.stdout);
}

export function parseAcknowledged(output: string): Acknowledged[] {
  return [...output.matchAll(/^ack (\d+) (\S+) (\S+)\n/gm)].map(([, revision, key = '', print = '']) => ({
    revision: Number(revision),
    key,
    fingerprint: print,
  }));
}

/** What is wrong with the database in `dir`, given what was acknowledged before it was cut off; nothing, one hopes. */
export async function lossesIn(dir: string, acknowledged: readonly Acknowledged[]): Promise<string[]> {
  const store = await openSqliteStore({ dir, clock: systemClock() });
  try {
    const { items, revision } = await store.range('/');
    const problems = lostWrites(items, acknowledged);
    const highest = Math.max(1, ...acknowledged.map((write) => write.revision));
    if (revision < highest) problems.push(`the store is at ${revision}, ${highest} was acknowledged`);
    const next = await write(store, put('/after', 'the crash'));
    if (next !== revision + 1) problems.push(`the next write got ${next}, the store was at ${revision}`);
    const { compactedRevision } = store.status();
    const gap = gapIn(await follow(store, compactedRevision, next), Math.max(1, compactedRevision));
    if (gap !== undefined) problems.push(gap);
    return problems;
  } finally {
    await store.close();
  }
}

/** Acknowledged writes that are neither there nor replaced by a later one. */
export function lostWrites(items: readonly StoredValue[], acknowledged: readonly Acknowledged[]): string[] {
  const stored = new Map(items.map((item) => [item.key, item]));
  return acknowledged.flatMap(({ revision, key, fingerprint: expected }) => {
    const item = stored.get(key);
    if (item === undefined) return [`${key} of revision ${revision} is gone`];
    if (item.modRevision < revision)
      return [`${key} is at ${item.modRevision}, ${revision} was acknowledged`];
    const wrong = item.modRevision === revision && fingerprint(item.value) !== expected;
    return wrong ? [`${key} of revision ${revision} has another value`] : [];
  });
}
