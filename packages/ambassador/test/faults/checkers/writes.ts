/** Writes are executed at most once, in their order, and acknowledged ones are there; what servers lost is counted apart. */

import { describe, during, entry, lengthTold, seqOf, told } from '../history.ts';
import type { History, Op, Outcome, Told, Upheaval } from '../history.ts';

export interface Writes {
  readonly problems: readonly string[];
  readonly told: Readonly<Record<Told, number>>;
  /** Acknowledged and gone with a primary whose replicas did not have them yet: no proxy can know. */
  readonly lostByServers: number;
  /** Told to be of unknown outcome, or not told anything, and executed. */
  readonly executedUntold: number;
}

type Append = Op & { readonly action: { readonly kind: 'append' } };

export function checkWrites(history: History, outcome: Outcome, upheavals: readonly Upheaval[] = []): Writes {
  const writes = history.filter((op): op is Append => op.action.kind === 'append');
  const byEntry = new Map(writes.map((op) => [entry(op.action.key, op.action.seq), op]));
  const held = new Set([...outcome.values()].flat());
  const counts = { acknowledged: 0, unknown: 0, refused: 0, dropped: 0 };
  for (const op of writes) counts[told(op)]++;
  const lost = writes.filter(
    (op) => told(op) === 'acknowledged' && !held.has(entry(op.action.key, op.action.seq)),
  );
  const excused = lost.filter(({ answeredAt }) => during(upheavals, answeredAt));
  const untold = [...held].filter((text) => /unknown|dropped/.test(toldOf(byEntry.get(text))));
  return {
    told: counts,
    lostByServers: excused.length,
    executedUntold: untold.length,
    problems: [
      ...lost
        .filter((op) => !excused.includes(op))
        .map((op) => `acknowledged and lost without a failover: ${describe(op)}`),
      ...[...outcome].flatMap(([key, entries]) => keyProblems(key, entries, byEntry)),
      ...(upheavals.length > 0 ? [] : writes.flatMap((op) => lengthProblem(op, outcome))),
    ],
  };
}

function keyProblems(key: string, entries: readonly string[], byEntry: ReadonlyMap<string, Op>): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  let newest = -1;
  for (const text of entries) {
    const op = byEntry.get(text);
    const seq = seqOf(key, text);
    if (op === undefined || seq === undefined) {
      problems.push(`${key} holds ${text}, which nobody wrote there`);
      continue;
    }
    if (seen.has(text)) problems.push(`executed more than once: ${describe(op)}`);
    seen.add(text);
    if (told(op) === 'refused') problems.push(`refused and yet executed: ${describe(op)}`);
    // One of unknown outcome may have been under way for long; whoever was answered knows what came before.
    if (told(op) !== 'acknowledged') continue;
    if (seq < newest) problems.push(`executed after number ${newest} of the same client: ${describe(op)}`);
    newest = Math.max(newest, seq);
  }
  return problems;
}

/** The length a client was told is the place at which its entry is. */
function lengthProblem(op: Append, outcome: Outcome): string[] {
  if (told(op) !== 'acknowledged') return [];
  const { key, seq } = op.action;
  const length = lengthTold(op.reply ?? '') ?? 0;
  const there = outcome.get(key)?.[length - 1];
  return there === entry(key, seq) ? [] : [`told length ${length}, where ${there} is: ${describe(op)}`];
}

function toldOf(op: Op | undefined): Told | '' {
  return op === undefined ? '' : told(op);
}
