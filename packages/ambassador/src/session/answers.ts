/** What comes back for a session's runs, and who of the session it is for. */

import { Bytes } from '../observe/names.ts';
import { answeredBy } from '../topology/replica.ts';
import type { Rejection, Run, RunOwner } from '../upstream/run.ts';
import type { Refusal } from '../upstream/welcome.ts';
import type { Sent } from './sent.ts';
import type { Session } from './session.ts';
import { gatherWhole } from './whole.ts';

export class Answers implements RunOwner {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  answered(run: Run, bytes: Uint8Array, answers: number): void {
    const sent = run as Sent;
    const { context, gate, ports, state } = this.#session;
    context.counters.bytes(Bytes.fromServer, bytes.length);
    gate.received(run.line, bytes.length, answers);
    if (answers > 0) {
      const nowMs = ports.now();
      const tookMs = nowMs - run.sentAtMs;
      context.counters.answered(sent.commandClass, sent.serverIndex, tookMs / 1000, answers);
      if (sent.replica !== undefined) answeredBy(sent.replica, tookMs, nowMs);
      context.watch.answered(sent, state, bytes, answers, tookMs);
    }
    // Behind one that was rejected it has to be known what is executed; what the client gets of it waits nevertheless.
    if (sent.acks === undefined || sent.rejectedAt >= 0) this.take(sent, bytes, answers);
    else sent.acks.hold(bytes, answers);
  }

  /** Answers are the client's, unless there is something to be done with them first. */
  take(sent: Sent, bytes: Uint8Array, answers: number): void {
    const session = this.#session;
    if (sent.part >= 0 || sent.capture !== undefined) {
      gatherWhole(session, sent, bytes);
      session.repeats.reconsider();
    } else if (sent.rejectedAt >= 0) session.repeats.keep(sent, bytes);
    else {
      session.readsOf(sent.shard).answered(sent.line.welcome.runId, sent.place !== 'replica');
      session.ledger.deliver(sent, bytes, answers);
      session.repeats.progressed();
      if (sent.streamed && sent.done && session.feed.streaming) {
        this.#cutShort();
        return;
      }
    }
    this.#settled();
  }

  rejected(run: Run, rejection: Rejection, bytes: Uint8Array): void {
    const sent = run as Sent;
    // With answers kept back it is one of them: whether they will be acknowledged is not known yet.
    if (sent.acks?.holds !== true && this.#session.repeats.rejected(sent, rejection, bytes)) {
      this.#settled();
    } else this.answered(run, bytes, 1);
  }

  failed(run: Run, at: number): void {
    const part = (run as Sent).transactions?.findLast(({ from }) => from <= at);
    if (part !== undefined) this.#session.own.failed(part.of, part.behind + at - part.from);
  }

  lost(run: Run, refusal: Refusal): void {
    this.#session.lost(run as Sent, refusal);
  }

  #settled(): void {
    const { state, outbox, own, ledger } = this.#session;
    if (state.pins.size > 0 && outbox.empty) own.answered(ledger.runs);
    this.#session.settled();
  }

  /** The server has answered before it had the whole request, as Redis does when it gives a connection up. So do we. */
  #cutShort(): void {
    this.#session.own.dirty();
    this.#session.finish();
  }
}
