/**
 * Level-triggered work: events only mark dirty, one coalesced run computes the whole desired state.
 *
 * The first mark runs at the end of the current turn; marks during a run cause exactly one more run after it; a failed
 * run is run again after a delay. Runs are at least `minIntervalMs` apart.
 */

import type { Clock, Timer } from '../clock/index.ts';

export interface DirtyOptions {
  readonly clock: Clock;
  readonly run: () => Promise<void> | void;
  readonly onError: (error: unknown) => void;
  /** Least time between two starts. 0 runs as often as marked. */
  readonly minIntervalMs?: number;
  /** Wait before a failed run is run again. Default 1000. */
  readonly retryMs?: number;
}

export class Dirty {
  readonly #options: DirtyOptions;
  #marked = false;
  #running = false;
  #closed = false;
  #timer: Timer | undefined;
  #lastStart = Number.NEGATIVE_INFINITY;

  constructor(options: DirtyOptions) {
    this.#options = options;
  }

  mark(): void {
    this.#marked = true;
    this.#schedule(0);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #schedule(delayMs: number): void {
    if (this.#closed || this.#running || this.#timer !== undefined) return;
    const { clock, minIntervalMs = 0 } = this.#options;
    const wait = Math.max(delayMs, this.#lastStart + minIntervalMs - clock.now(), 0);
    this.#timer = clock.setTimeout(() => void this.#run(), wait);
  }

  async #run(): Promise<void> {
    this.#timer = undefined;
    this.#marked = false;
    this.#running = true;
    this.#lastStart = this.#options.clock.now();
    let retry = 0;
    try {
      await this.#options.run();
    } catch (error) {
      this.#marked = true;
      retry = this.#options.retryMs ?? 1000;
      this.#options.onError(error);
    }
    this.#running = false;
    if (this.#marked) this.#schedule(retry);
  }
}
