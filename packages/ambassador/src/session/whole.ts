/** Answers that are looked at whole before the client gets them, or something else instead. */

import type { Sent } from './sent.ts';
import type { Session } from './session.ts';

/** `run` has one request. */
export function gatherWhole(session: Session, run: Sent, bytes: Uint8Array): void {
  run.kept.push(bytes);
  if (!run.done) return;
  const reply = run.kept.length === 1 ? Buffer.from(bytes) : Buffer.concat(run.kept);
  run.kept = [];
  if (run.part >= 0) {
    session.readsOf(run.shard).answered(run.line.welcome.runId, run.place !== 'replica');
    session.gathering?.answered(run, reply);
  } else session.ledger.deliver(run, run.capture?.(reply) ?? reply, 1);
}
