/**
 * Which of several replicas takes a session's reads: the better of two picked at random.
 *
 * The best of all would send everybody to the same one until its figures catch up; the better of two spreads the load
 * nearly as well and never herds. Better is less (outstanding + sessions + 1) × latency: how long a read would wait there.
 * Sessions count because they stay: of two replicas that are idle now, the one with more of them will be busier. A replica
 * without a latency yet counts as fast as the other.
 */

import type { Random } from '@outrigger/core/clock';
import type { Replica } from './replica.ts';

export interface ChooseOptions {
  readonly random: Random;
  /** Our own zone: replicas there come first; the others when it has none that may be read. Undefined: no zone comes first. */
  readonly zone?: string | undefined;
}

export function chooseReplica(
  replicas: Iterable<Replica>,
  accept: (replica: Replica) => boolean,
  { random, zone }: ChooseOptions,
): Replica | undefined {
  let open: Replica[] = [];
  for (const replica of replicas) if (replica.eligible && accept(replica)) open.push(replica);
  if (zone !== undefined) {
    const near = open.filter((replica) => replica.zone === zone);
    if (near.length > 0) open = near;
  }
  const first = Math.floor(random.next() * open.length);
  const [a] = open.splice(first, 1);
  const b = open[Math.floor(random.next() * open.length)];
  if (a === undefined || b === undefined) return a;
  return better(a, b);
}

function better(a: Replica, b: Replica): Replica {
  return cost(b, a) < cost(a, b) ? b : a;
}

function cost(one: Replica, other: Replica): number {
  return (one.outstanding + one.sessions + 1) * (one.ewmaMs || other.ewmaMs || 1);
}
