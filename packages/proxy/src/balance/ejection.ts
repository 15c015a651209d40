/**
 * Passive ejection: an endpoint that keeps failing is left alone for a while, and never all of them.
 *
 * Readiness in the catalog lags behind by probe periods, and without a kubelet it may be wrong for longer; failed dials
 * are known at once. Left alone means not picked while another will do. The time doubles with each ejection in a
 * row and is shortened by up to a tenth at random, so that many proxies do not all return at the same moment. On return one
 * failure ejects again and one success clears the count.
 */

import type { Random } from '@outrigger/core/clock';
import type { TrafficSettings } from '../plan/types.ts';
import type { Entry } from './entry.ts';

type Settings = Pick<
  TrafficSettings,
  'consecutiveFailures' | 'baseEjectionMs' | 'maxEjectionMs' | 'maxEjectionPercent'
>;

const JITTER = 0.1;

/** How a failed dial was judged. `withheld`: it should go, but too many are out already. */
export type Judgement = 'counted' | 'ejected' | 'withheld';

export function judgeFailure(
  entry: Entry,
  members: readonly Entry[],
  settings: Settings,
  nowMs: number,
  random: Random,
): Judgement {
  entry.failures++;
  const { consecutiveFailures } = settings;
  const due = consecutiveFailures > 0 && entry.failures >= consecutiveFailures;
  if (!due || entry.removed || isEjected(entry, nowMs)) return 'counted';
  if (countEjected(members, nowMs) >= mayBeOut(members.length, settings.maxEjectionPercent))
    return 'withheld';
  const doubled = Math.min(settings.baseEjectionMs * 2 ** entry.ejections, settings.maxEjectionMs);
  entry.lastEjectionMs = doubled * (1 - JITTER * random.next());
  entry.ejectedUntilMs = nowMs + entry.lastEjectionMs;
  entry.ejections++;
  return 'ejected';
}

/** A dial that succeeds says more than a timer: it ends an ejection early. */
export function judgeSuccess(entry: Entry, nowMs: number): void {
  entry.failures = 0;
  if (entry.ejections > 0 && nowMs - entry.ejectedUntilMs >= entry.lastEjectionMs) entry.ejections = 0;
  if (isEjected(entry, nowMs)) entry.ejectedUntilMs = nowMs;
}

/** After endpoints left: lets those return early that were due soonest, until the limit holds again. */
export function enforceFloor(members: readonly Entry[], maxEjectionPercent: number, nowMs: number): void {
  const excess = countEjected(members, nowMs) - mayBeOut(members.length, maxEjectionPercent);
  if (excess <= 0) return;
  const out = members.filter((entry) => isEjected(entry, nowMs));
  out.sort((a, b) => a.ejectedUntilMs - b.ejectedUntilMs);
  for (const entry of out.slice(0, excess)) entry.ejectedUntilMs = nowMs;
}

export function isEjected(entry: { readonly ejectedUntilMs: number }, nowMs: number): boolean {
  return entry.ejectedUntilMs > nowMs;
}

/** The share, rounded down; one as soon as there are two; never all. */
export function mayBeOut(members: number, maxEjectionPercent: number): number {
  const share = Math.floor((members * maxEjectionPercent) / 100);
  return Math.max(0, Math.min(Math.max(share, 1), members - 1));
}

function countEjected(members: readonly Entry[], nowMs: number): number {
  let count = 0;
  for (const entry of members) if (isEjected(entry, nowMs)) count++;
  return count;
}
