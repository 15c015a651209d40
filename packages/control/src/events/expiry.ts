/** Removes Events: an hour after they last changed, or sooner when there are very many. Nobody else ever deletes them. */

import type { Event } from '@outrigger/core/api';
import { ApiError, eventKind, parseTime } from '@outrigger/core/api';
import type { Clock, Timer } from '@outrigger/core/clock';
import type { Logger } from '@outrigger/core/log';
import type { ControllerApi } from '../controllers/api.ts';

export interface EventLimits {
  /** Time since the last change, in ms. Default one hour, as on the published server. */
  readonly eventTtlMs: number;
  /** Events kept at most; the oldest go first. Default 10,000. */
  readonly maxEvents: number;
}

export const defaultEventLimits: EventLimits = { eventTtlMs: 3_600_000, maxEvents: 10_000 };

/** How often Events are looked at, in ms. */
const sweepMs = 60_000;

interface Kept {
  readonly event: Event;
  readonly changedAt: number;
}

/** Returns what stops it. */
export function expireEvents(
  api: ControllerApi,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  limits: EventLimits = defaultEventLimits,
): () => void {
  /** The least recently changed first. */
  let kept = new Map<string, Kept>();
  let timer: Timer | undefined;
  let stopped = false;
  const unsubscribe = api.subscribe(eventKind, {
    put: (event) => {
      kept.delete(keyOf(event));
      kept.set(keyOf(event), { event, changedAt: lastChange(event) ?? clock.wall() });
    },
    deleted: (event) => void kept.delete(keyOf(event)),
    synced: () => {
      kept = new Map([...kept].toSorted(([, a], [, b]) => a.changedAt - b.changedAt));
    },
  });
  const sweep = async (): Promise<void> => {
    try {
      for (const event of due(kept, clock.wall(), limits)) if (!stopped) await remove(api, event);
    } catch (error) {
      log.warn('removing old Events failed; it is tried again', { error });
    }
    if (!stopped) timer = clock.setTimeout(() => void sweep(), sweepMs);
  };
  timer = clock.setTimeout(() => void sweep(), sweepMs);
  return () => {
    stopped = true;
    unsubscribe();
    timer?.cancel();
  };
}

/** Those too old, and the oldest of those too many. Pure. */
function due(kept: ReadonlyMap<string, Kept>, now: number, { eventTtlMs, maxEvents }: EventLimits): Event[] {
  let surplus = kept.size - maxEvents;
  return [...kept.values()]
    .filter(({ changedAt }) => surplus-- > 0 || now - changedAt > eventTtlMs)
    .map(({ event }) => event);
}

function lastChange({ lastTimestamp, eventTime, series, metadata }: Event): number | undefined {
  const times = [series?.lastObservedTime, lastTimestamp, eventTime, metadata.creationTimestamp];
  const known = times.flatMap((time) => parseTime(time ?? '') ?? []);
  return known.length === 0 ? undefined : Math.max(...known);
}

function keyOf({ metadata }: Event): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

/** One that changed or went meanwhile is left to its new time. */
async function remove(api: ControllerApi, event: Event): Promise<void> {
  try {
    await api.delete(eventKind, event);
  } catch (error) {
    if (!(error instanceof ApiError) || (error.httpStatus !== 409 && error.httpStatus !== 404)) throw error;
  }
}
