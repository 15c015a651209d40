/** Waiting for a condition instead of for a time. */

import { inspect } from 'node:util';

/** Resolves with the first truthy answer; rejects after `timeoutMs` (default 10 s) with what was seen last. */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  timeoutMs = 10_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await check();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`not within ${timeoutMs} ms: ${what}; last seen: ${inspect(last)}`);
}
