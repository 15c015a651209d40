/** How long to wait before the next try: longer each time, spread by chance, short again after a time of health. */

import { jitter } from '../../clock/index.ts';
import type { Random } from '../../clock/index.ts';

const firstMs = 800;
/** With jitter a wait is at most 30 s. */
const maxMs = 20_000;
const spread = 0.5;
const healthyAfterMs = 120_000;
/** When another control URL has not failed yet: only so long that the clients of a dead server do not come in one wave. */
const failoverMs = 250;
/** A Retry-After beyond this is taken as this: a mistaken header must not switch the watch off. */
const maxRetryAfterMs = 60_000;

export class Backoff {
  readonly #random: Random;
  #tries = 0;
  #quietFrom = Number.NEGATIVE_INFINITY;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Failures in a row, as far as back-off is concerned. */
  get tries(): number {
    return this.#tries;
  }

  /** The wait after a failure at `now`. */
  next(
    now: number,
    options: { readonly failover?: boolean; readonly retryAfterMs?: number | undefined } = {},
  ): number {
    if (options.failover === true) return this.#random.next() * failoverMs;
    if (now - this.#quietFrom >= healthyAfterMs) this.#tries = 0;
    const base = Math.min(firstMs * 2 ** this.#tries, maxMs);
    this.#tries += 1;
    const asked = Math.min(options.retryAfterMs ?? 0, maxRetryAfterMs);
    const delay = Math.max(jitter(base, spread, this.#random), jitter(asked, 0.1, this.#random));
    this.#quietFrom = now + delay;
    return delay;
  }
}
