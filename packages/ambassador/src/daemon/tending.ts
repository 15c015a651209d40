/** What is looked after from time to time, as long as there is anything to look after. */

import type { Clock, Timer } from '@outrigger/core/clock';

/** Between two looks: how late idle clients and connections that are no longer needed may be noticed. */
const intervalMs = 500;

export class Tending {
  readonly #clock: Clock;
  readonly #look: (nowMs: number) => boolean;
  #timer: Timer | undefined;
  #ended = false;

  /** `look` tells whether it is to be called again. */
  constructor(clock: Clock, look: (nowMs: number) => boolean) {
    this.#clock = clock;
    this.#look = look;
  }

  /** There is something to look after. Cheap to call often. */
  begin(): void {
    if (this.#ended) return;
    this.#timer ??= this.#clock.setTimeout(() => {
      this.#timer = undefined;
      if (this.#look(this.#clock.now())) this.begin();
    }, intervalMs);
  }

  /** For good. */
  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
  }
}
