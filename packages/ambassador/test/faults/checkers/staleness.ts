/** A read shows at least what had been acknowledged, to anyone, longer ago than the bound. */

import { describe, entry, shown, told } from '../history.ts';
import type { History, Op, Outcome } from '../history.ts';

export interface Staleness {
  readonly problems: readonly string[];
  /** How old the oldest state was that a read showed, in milliseconds. */
  readonly worstMs: number;
}

interface Acknowledged {
  readonly seq: number;
  readonly at: number;
}

/** `boundMs` includes what it takes to notice and to deliver an answer. Entries that servers lost bind nobody. */
export function checkStaleness(history: History, outcome: Outcome, boundMs: number): Staleness {
  const acknowledged = acknowledgedByKey(history, outcome);
  const problems: string[] = [];
  let worstMs = 0;
  for (const op of history) {
    const seen = shown(op);
    if (op.action.kind !== 'last' || seen === undefined) continue;
    const ageMs = staleFor(op, seen, acknowledged.get(op.action.key) ?? []);
    worstMs = Math.max(worstMs, ageMs);
    if (ageMs > boundMs) problems.push(`${ageMs.toFixed(1)} ms behind, ${boundMs} allowed: ${describe(op)}`);
  }
  return { problems, worstMs };
}

function acknowledgedByKey(history: History, outcome: Outcome): Map<string, Acknowledged[]> {
  const held = new Set([...outcome.values()].flat());
  const byKey = new Map<string, Acknowledged[]>();
  for (const op of history) {
    const { action } = op;
    if (action.kind !== 'append' || told(op) !== 'acknowledged' || !held.has(entry(action.key, action.seq))) {
      continue;
    }
    const list = byKey.get(action.key) ?? [];
    list.push({ seq: action.seq, at: op.answeredAt });
    byKey.set(action.key, list);
  }
  for (const list of byKey.values()) list.sort((a, b) => a.seq - b.seq);
  return byKey;
}

/** How long before the question the first entry had been acknowledged that the answer did not show. */
function staleFor(op: Op, seen: number, acknowledged: readonly Acknowledged[]): number {
  let low = 0;
  let high = acknowledged.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((acknowledged[middle]?.seq ?? 0) > seen) high = middle;
    else low = middle + 1;
  }
  const first = acknowledged[low];
  return first === undefined ? 0 : Math.max(0, op.sentAt - first.at);
}
