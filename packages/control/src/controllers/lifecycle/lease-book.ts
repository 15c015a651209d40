/**
 * When each Lease was last heard of, by this process's own clock. The time written in a Lease is the holder's, and
 * clocks differ: it only serves to see that the Lease was renewed.
 */

import type { Lease } from '@outrigger/core/api';
import type { ObjectKey } from '../keys.ts';
import { keyOf } from '../keys.ts';

export interface Heard {
  /** When it was last renewed, or first seen, or given a fresh start. */
  readonly lastHeard: number;
  /** When it was last renewed under our eyes; undefined if never. */
  readonly renewedAt: number | undefined;
  readonly durationMs: number;
}

interface Entry {
  renewTime: string | undefined;
  firstSeen: number;
  renewedAt: number | undefined;
  durationMs: number;
}

/** Durations outside are taken for the nearer bound: a Lease of no time, or of days, is a mistake. */
const shortestMs = 1_000;
const longestMs = 3_600_000;

export class LeaseBook {
  readonly #defaultDurationMs: number;
  readonly #entries = new Map<ObjectKey, Entry>();
  #freshStart = Number.NEGATIVE_INFINITY;

  constructor(defaultDurationMs: number) {
    this.#defaultDurationMs = defaultDurationMs;
  }

  put(lease: Lease, now: number): void {
    const key = keyOf(lease);
    const { renewTime, leaseDurationSeconds } = lease.spec;
    const asked = leaseDurationSeconds === undefined ? this.#defaultDurationMs : leaseDurationSeconds * 1_000;
    const durationMs = Math.min(longestMs, Math.max(shortestMs, asked));
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      // Before the start it may have been there for ever; after it, someone has just made it.
      const renewedAt = Number.isFinite(this.#freshStart) ? now : undefined;
      this.#entries.set(key, { renewTime, firstSeen: now, renewedAt, durationMs });
      return;
    }
    entry.durationMs = durationMs;
    if (entry.renewTime === renewTime) return;
    entry.renewTime = renewTime;
    entry.renewedAt = now;
  }

  delete(key: ObjectKey): void {
    this.#entries.delete(key);
  }

  /** Every Lease gets one full duration from now on: whoever could not hear cannot judge. */
  freshStart(now: number): void {
    this.#freshStart = now;
  }

  /** `fallback` is since when a Lease that is not there has been missed. */
  heard(key: ObjectKey, fallback: number): Heard {
    const entry = this.#entries.get(key);
    const seen = entry === undefined ? fallback : (entry.renewedAt ?? entry.firstSeen);
    return {
      lastHeard: Math.max(seen, this.#freshStart),
      renewedAt: entry?.renewedAt,
      durationMs: entry?.durationMs ?? this.#defaultDurationMs,
    };
  }

  has(key: ObjectKey): boolean {
    return this.#entries.has(key);
  }

  keys(): Iterable<ObjectKey> {
    return this.#entries.keys();
  }
}
