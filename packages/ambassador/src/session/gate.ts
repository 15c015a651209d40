/** Whether a session may send at this moment: what it has asked for already, and what its client has not read yet. */

import { Held } from '../observe/names.ts';
import type { Line } from '../upstream/line.ts';
import { Heavy } from './heavy.ts';
import type { Session } from './session.ts';

/** Weight of a new size in the moving average. */
const averageWeight = 0.125;

export class Gate {
  readonly #session: Session;
  #pausedUntilMs = 0;
  /** Bytes of the answer that is coming. */
  #part = 0;
  /** Of an answer: follows growth at once, and forgets it slowly. 0 before the first. */
  #average = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Hot: bytes came that complete so many answers. */
  received(line: Line, bytes: number, answers: number): void {
    this.#part += bytes;
    if (answers > 0) {
      const size = this.#part / answers;
      this.#average += size > this.#average ? size - this.#average : (size - this.#average) * averageWeight;
      this.#part = 0;
    } else if (this.#part > this.#session.context.limits.largeReplyBytes) {
      const session = this.#session;
      session.heavy ??= new Heavy(session);
      session.heavy.note(line);
    }
  }

  /** The next request is not looked at before. */
  pauseFor(delayMs: number): void {
    this.#pausedUntilMs = this.#session.ports.now() + delayMs;
  }

  /** Why no request may be sent now. */
  shut(): Held | undefined {
    const { context, gathering, repeats, ports, waiting, ledger, outbox } = this.#session;
    const { limits } = context;
    if (repeats.pending) return Held.repeat;
    if (gathering?.asking === false) return Held.order;
    if (this.#pausedUntilMs > 0) {
      const left = this.#pausedUntilMs - ports.now();
      if (left > 0) {
        waiting.wakeIn(left);
        return Held.repeat;
      }
      this.#pausedUntilMs = 0;
    }
    if (ports.backlog > limits.maxReplyBacklogBytes) return Held.backpressure;
    const unanswered = ledger.unanswered + outbox.accepted;
    const expected = unanswered * (this.#average || limits.largeReplyBytes);
    if (unanswered > 0 && expected > limits.maxReplyBacklogBytes) return Held.limit;
    const full = unanswered >= limits.maxPipelined;
    return full || ledger.keptBytes >= limits.maxRepeatableBytes ? Held.limit : undefined;
  }
}
