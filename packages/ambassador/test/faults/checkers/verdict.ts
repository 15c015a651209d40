/** All that can be said of a history at once, and in a line. */

import { repliesMatched } from './matched.ts';
import { checkSessions } from './session.ts';
import { checkWrites } from './writes.ts';
import type { Writes } from './writes.ts';
import type { History, Outcome, Upheaval } from '../history.ts';

const PROBLEMS_SHOWN = 10;

export interface Verdict {
  readonly problems: readonly string[];
  readonly writes: Writes;
  readonly reads: number;
  readonly excused: number;
}

/** Every promise that holds in session mode, whatever has happened. */
export function judge(history: History, outcome: Outcome, upheavals: readonly Upheaval[] = []): Verdict {
  const writes = checkWrites(history, outcome, upheavals);
  const sessions = checkSessions(history, outcome, upheavals);
  const problems = [...repliesMatched(history), ...writes.problems, ...sessions.problems];
  return {
    // One cause breaks many: the first tell it.
    problems: problems.slice(0, PROBLEMS_SHOWN),
    writes,
    reads: sessions.reads,
    excused: sessions.excused,
  };
}

/** Errors that clients saw, each once, with how often. */
export function errorsOf(history: History): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reply } of history) {
    for (const line of reply?.split('\r\n') ?? []) {
      if (!line.startsWith('-')) continue;
      const kind = line.replaceAll(/\d+(?:\.\d+)*(?::\d+)?/g, 'N').slice(0, 120);
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
  }
  return counts;
}

/** In a line, for the log of a test. */
export function summary({ writes, reads, excused }: Verdict, history: History, more: object = {}): string {
  const { told, lostByServers, executedUntold } = writes;
  return JSON.stringify({
    ...told,
    lostByServers,
    executedUntold,
    reads,
    excused,
    ...more,
    errors: errorsOf(history),
  });
}
