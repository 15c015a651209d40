/**
 * When the change was made that a write makes known: the oldest Ready transition (or the Service's creation) not seen
 * before. Readers compute from it how long the way from a pod to the last proxy takes.
 */

import type { Service } from '@outrigger/core/api';
import { formatTime, parseTime } from '@outrigger/core/api';
import type { ObjectKey } from '../keys.ts';
import { keyOf } from '../keys.ts';
import type { PodRecord } from '../pod-record.ts';

interface Seen {
  readonly service: number;
  readonly pods: ReadonlyMap<ObjectKey, number>;
}

export class TriggerTimes {
  readonly #startedAt: number;
  readonly #seen = new Map<ObjectKey, Seen>();

  /** `startedAt` in epoch milliseconds. */
  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  /**
   * The time to write, undefined when nothing in time changed; `commit` is to be called once it has been written. What
   * happened before this process started has been made known by an earlier one, if the Service has slices already.
   */
  look(
    service: Service,
    pods: readonly PodRecord[],
    hasSlices: boolean,
  ): { readonly time: string | undefined; readonly commit: () => void } {
    const key = keyOf(service);
    const before = this.#seen.get(key);
    const floor = before === undefined && hasSlices ? this.#startedAt : Number.NEGATIVE_INFINITY;
    const now: Seen = { service: timeOf(service.metadata.creationTimestamp), pods: readyTimes(pods) };
    let oldest = Number.POSITIVE_INFINITY;
    const consider = (time: number, last: number): void => {
      if (time > Math.max(last, floor)) oldest = Math.min(oldest, time);
    };
    consider(now.service, before?.service ?? Number.NEGATIVE_INFINITY);
    for (const [pod, time] of now.pods) consider(time, before?.pods.get(pod) ?? Number.NEGATIVE_INFINITY);
    return {
      time: Number.isFinite(oldest) ? formatTime(oldest) : undefined,
      commit: () => void this.#seen.set(key, now),
    };
  }

  forget(service: ObjectKey): void {
    this.#seen.delete(service);
  }
}

function readyTimes(pods: readonly PodRecord[]): Map<ObjectKey, number> {
  const times = new Map<ObjectKey, number>();
  for (const { key, readyChanged } of pods) {
    const time = timeOf(readyChanged);
    if (Number.isFinite(time)) times.set(key, time);
  }
  return times;
}

function timeOf(text: string | undefined): number {
  return (text === undefined ? undefined : parseTime(text)) ?? Number.NEGATIVE_INFINITY;
}
