/**
 * Which of several replicas takes a session's reads: the better of two picked at random.
 *
 * The best of all would send everybody to the same one until its figures catch up; the better of two spreads the load
 * nearly as well and never herds. Better is less (outstanding + sessions + 1) × latency: how long a read would wait there.
 * Sessions count because they stay: of two replicas that are idle now, the one with more of them will be busier. A replica
 * without a latency yet counts as fast as the other, and one that nobody has measured for long nearly so.
 */

import type { Random } from '@outrigger/core/clock';
import { latencyBeside } from './replica.ts';
import type { Replica } from './replica.ts';

export interface ChooseOptions {
  readonly random: Random;
  readonly nowMs: number;
  /** Our own zone: replicas there come first; the others when it has none that may be read. Undefined: no zone comes first. */
  readonly zone?: string | undefined;
}

/** Hot where sessions choose with each read: nothing is allocated. */
export function chooseReplica(
  replicas: readonly Replica[],
  accept: (replica: Replica) => boolean,
  { random, nowMs, zone }: ChooseOptions,
): Replica | undefined {
  let count = 0;
  let near = 0;
  for (const replica of replicas) {
    if (!replica.eligible || !accept(replica)) continue;
    count++;
    if (replica.zone === zone) near++;
  }
  const only = zone !== undefined && near > 0 ? zone : undefined;
  if (only !== undefined) count = near;
  const first = count < 2 ? 0 : Math.floor(random.next() * count);
  const step = count < 3 ? 1 : 1 + Math.floor(random.next() * (count - 1));
  const a = nth(replicas, accept, only, first);
  if (count < 2 || a === undefined) return a;
  const b = nth(replicas, accept, only, (first + step) % count) as Replica;
  return cost(b, a, nowMs) < cost(a, b, nowMs) ? b : a;
}

function nth(
  replicas: readonly Replica[],
  accept: (replica: Replica) => boolean,
  zone: string | undefined,
  index: number,
): Replica | undefined {
  let left = index;
  for (const replica of replicas) {
    if (!replica.eligible || (zone !== undefined && replica.zone !== zone) || !accept(replica)) continue;
    if (left-- === 0) return replica;
  }
  return undefined;
}

function cost(one: Replica, other: Replica, nowMs: number): number {
  return (one.outstanding + one.sessions + 1) * (latencyBeside(one, other, nowMs) || 1);
}
