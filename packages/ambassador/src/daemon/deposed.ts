/**
 * What becomes of the connections to a server that is the primary no longer.
 *
 * Nothing more is sent on them. One that says itself that it is a replica answers what it has been sent, and what it has
 * not executed it turns away (-READONLY): that is worth waiting for, since whoever asked knows then. Of any other the
 * answers are not: it may acknowledge what is lost with its history.
 */

import type { Clock } from '@outrigger/core/clock';
import type { Servers } from '../upstream/servers.ts';

export interface DeposedOptions {
  readonly servers: Pick<Servers, 'drop' | 'partFrom'>;
  readonly clock: Clock;
  /** How long it may take to answer. */
  readonly waitMs: number;
}

export function leaveDeposed(server: string, answers: boolean, options: DeposedOptions): void {
  const { servers, clock, waitMs } = options;
  const why = 'it is not the primary any longer';
  if (!answers) {
    servers.drop(server, why);
    return;
  }
  const waiting = servers.partFrom(server, why);
  if (waiting.length === 0) return;
  clock.setTimeout(() => {
    for (const line of waiting) line.close(`${why}, and has not answered`);
  }, waitMs);
}
