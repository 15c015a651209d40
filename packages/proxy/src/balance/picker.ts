/**
 * Round-robin and least-connections over the same members.
 *
 * Least-connections takes the better of two drawn at random (power of two choices): nearly as even as looking at all,
 * in constant time, and many proxies that see the same state do not all run to the same endpoint. Neither allocates.
 */

import type { Random } from '@outrigger/core/clock';
import { isEjected } from './ejection.ts';
import type { Entry } from './entry.ts';
import type { EndpointState } from './types.ts';

/** Who may be chosen now. */
export interface Conditions {
  nowMs: number;
  /** 0: no limit. */
  maxPerEndpoint: number;
  tried: ReadonlySet<EndpointState> | undefined;
  ejectedToo: boolean;
}

export function usable(entry: Entry, conditions: Conditions): boolean {
  if (!conditions.ejectedToo && isEjected(entry, conditions.nowMs)) return false;
  if (conditions.maxPerEndpoint > 0 && entry.active >= conditions.maxPerEndpoint) return false;
  return conditions.tried === undefined || !conditions.tried.has(entry);
}

/** The first usable member from `start` on, around the end; -1 when there is none. */
export function nextUsable(members: readonly Entry[], start: number, conditions: Conditions): number {
  for (let step = 0; step < members.length; step++) {
    const position = (start + step) % members.length;
    const entry = members[position];
    if (entry !== undefined && usable(entry, conditions)) return position;
  }
  return -1;
}

/** The less busy of two usable members drawn at random; of all usable ones when the draw hits an unusable one. */
export function leastBusy(
  members: readonly Entry[],
  random: Random,
  conditions: Conditions,
): Entry | undefined {
  const size = members.length;
  const first = Math.floor(random.next() * size);
  const one = members[first];
  if (size > 1 && one !== undefined && usable(one, conditions)) {
    const drawn = Math.floor(random.next() * (size - 1));
    const other = members[drawn < first ? drawn : drawn + 1];
    if (other !== undefined && usable(other, conditions)) return other.active < one.active ? other : one;
  }
  return leastBusyOfAll(members, first, conditions);
}

function leastBusyOfAll(members: readonly Entry[], start: number, conditions: Conditions): Entry | undefined {
  let best: Entry | undefined;
  for (let step = 0; step < members.length; step++) {
    const entry = members[(start + step) % members.length];
    if (entry === undefined || !usable(entry, conditions)) continue;
    if (best === undefined || entry.active < best.active) best = entry;
  }
  return best;
}
