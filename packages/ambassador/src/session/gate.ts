/** Whether a session may send at this moment: what it has asked for already, and what its client has not read yet. */

import { Held } from '../observe/names.ts';
import type { Session } from './session.ts';

export class Gate {
  readonly #session: Session;
  #pausedUntilMs = 0;

  constructor(session: Session) {
    this.#session = session;
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
    const full = ledger.unanswered + outbox.accepted >= limits.maxPipelined;
    return full || ledger.keptBytes >= limits.maxRepeatableBytes ? Held.limit : undefined;
  }
}
