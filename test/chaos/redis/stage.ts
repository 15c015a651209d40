/** A set-up of Redis servers behind an ambassador, the load on it, and what may happen to it. */

import type { Random } from '../../../packages/core/src/clock/index.ts';
import type { Load } from '../../../packages/ambassador/test/faults/load.ts';
import type { Outcome, Upheaval } from '../../../packages/ambassador/test/faults/history.ts';
import type { RunningProcess, Teardown } from '../../harness/index.ts';

export interface RedisFault {
  readonly name: string;
  /** Needs that much time left, at least; default 0. */
  readonly takesMs?: number;
  /** Does it, and heals it: afterwards every server is back. */
  run(random: Random): Promise<void>;
}

export interface Stage {
  readonly name: string;
  readonly load: Load;
  readonly faults: readonly RedisFault[];
  /** Times in which servers may have lost what they had acknowledged. */
  readonly upheavals: readonly Upheaval[];
  /** What the servers hold in the end. */
  outcome(): Promise<Outcome>;
}

/** Starts an ambassador as a process. */
export type StartAmbassador = (
  args: readonly string[],
) => Promise<{ readonly port: number; readonly process: RunningProcess }>;

export interface StageOptions {
  readonly t: Teardown;
  readonly random: Random;
  readonly startAmbassador: StartAmbassador;
}

/** How late an answer may be on its way when a primary dies, and how far replication is behind on loopback. */
export const LATE_MS = 500;

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random.next() * from.length)] as T;
}

/** Stops a process for a moment; it goes on whatever happens. */
export async function paused(process: RunningProcess, during: () => Promise<unknown>): Promise<void> {
  process.signal('SIGSTOP');
  try {
    await during();
  } finally {
    process.signal('SIGCONT');
  }
}
