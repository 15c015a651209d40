/** How recent an answer must be, and waiting until the cache can give it. */

import { ApiError } from '@outrigger/core/api';
import type { Clock } from '@outrigger/core/clock';
import type { Cache } from '../cache/cache.ts';

/** How long a read waits for a revision that has not been reached, in ms. */
export const freshnessWaitMs = 3_000;

/** Waits for everything acknowledged so far. Throws 504 when the cache lags for too long. */
export function newest(cache: Cache, clock: Clock): Promise<void> {
  return bounded(cache, clock, (signal) => cache.caughtUp(signal));
}

/** Waits for a revision. Throws 504 with cause ResourceVersionTooLarge. */
export function atLeast(cache: Cache, clock: Clock, revision: number): Promise<void> {
  if (cache.revision >= revision && cache.failure === undefined) return Promise.resolve();
  return bounded(cache, clock, (signal) => cache.reached(revision, signal), revision);
}

async function bounded(
  cache: Cache,
  clock: Clock,
  wait: (signal: AbortSignal) => Promise<void>,
  asked?: number,
): Promise<void> {
  const abort = new AbortController();
  const timer = clock.setTimeout(() => {
    const current = String(cache.revision);
    abort.abort(
      asked === undefined
        ? ApiError.timeout(`the watch cache is behind the store, at revision ${current}`, 1)
        : ApiError.resourceVersionTooLarge(String(asked), current),
    );
  }, freshnessWaitMs);
  try {
    await wait(abort.signal);
  } finally {
    timer.cancel();
  }
}
