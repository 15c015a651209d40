/** What all sessions together may hold: commands that wait for a primary, and bytes that wait for anybody. */

import type { AmbassadorLimits } from '../daemon/limits.ts';

/** Looked at again once so much more has passed, for each of these shares of the limit: how far it may be exceeded. */
const looksPerLimit = 16;

export class Budget {
  readonly #limits: () => AmbassadorLimits;
  readonly #look: () => void;
  #waiting = 0;
  #passed = 0;

  /** `look` frees what is too much. */
  constructor(limits: () => AmbassadorLimits, look: () => void) {
    this.#limits = limits;
    this.#look = look;
  }

  /** One more command may wait for a primary. */
  get mayWait(): boolean {
    return this.#waiting < this.#limits().maxWaiting;
  }

  waits(by: 1 | -1): void {
    this.#waiting += by;
  }

  /** Hot: bytes have come that may have to wait. What waits cannot be more than what has come. */
  came(bytes: number): void {
    this.#passed += bytes;
    if (this.#passed * looksPerLimit < this.#limits().maxBufferedBytes) return;
    this.#passed = 0;
    this.#look();
  }
}
