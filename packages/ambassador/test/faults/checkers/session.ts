/**
 * A session reads its own writes and never goes back in time.
 *
 * What a session knows of a key is the newest entry that it was told it wrote or was shown. An older answer later is a
 * violation, unless servers have lost what it knew: then nobody has it any more.
 */

import { describe, entry, shown, told } from '../history.ts';
import type { History, Op, Outcome, Upheaval } from '../history.ts';

interface Known {
  /** The newest that every server has or will have. */
  kept: number;
  /** The newest of those that were lost later, and when it was learned. */
  lost: number;
  lostAt: number;
}

export interface SessionReads {
  readonly problems: readonly string[];
  readonly reads: number;
  /** Reads that showed less than the session knew, since it had been lost. */
  readonly excused: number;
}

export function checkSessions(
  history: History,
  outcome: Outcome,
  upheavals: readonly Upheaval[] = [],
): SessionReads {
  const held = new Set([...outcome.values()].flat());
  const knowledge = new Map<string, Known>();
  const problems: string[] = [];
  let reads = 0;
  let excused = 0;
  for (const op of history) {
    if (op.action.kind === 'echo') continue;
    const known = knowledgeOf(knowledge, op.session, op.action.key);
    const seen = shown(op);
    if (seen !== undefined) {
      reads++;
      if (seen < known.kept) problems.push(`older than ${known.kept}, which it knew: ${describe(op)}`);
      else if (seen < known.lost) {
        if (wasLostBy(op.answeredAt, known, upheavals)) excused++;
        else problems.push(`older than ${known.lost}, which it knew, before that was lost: ${describe(op)}`);
      }
    }
    learn(known, op, held);
  }
  return { problems, reads, excused };
}

function knowledgeOf(knowledge: Map<string, Known>, session: number, key: string): Known {
  const name = `${session} ${key}`;
  const known = knowledge.get(name) ?? { kept: -1, lost: -1, lostAt: 0 };
  knowledge.set(name, known);
  return known;
}

function learn(known: Known, op: Op, held: ReadonlySet<string>): void {
  const { action } = op;
  if (action.kind === 'echo') return;
  const seq = action.kind === 'append' ? (told(op) === 'acknowledged' ? action.seq : -1) : (shown(op) ?? -1);
  if (seq < 0) return;
  if (held.has(entry(action.key, seq))) known.kept = Math.max(known.kept, seq);
  else if (seq >= known.lost) Object.assign(known, { lost: seq, lostAt: op.answeredAt });
}

/** Whether a loss may have begun between the moment it was learned and this answer. */
function wasLostBy(at: number, { lostAt }: Known, upheavals: readonly Upheaval[]): boolean {
  return upheavals.some(({ from, to }) => from <= at && lostAt <= to);
}
