/**
 * A replica as sessions and the engine see it, and the verdict on one that fails commands.
 *
 * One failure takes a replica out until the poller has had an answer again; what else fails meanwhile is the same failure.
 * `ejectAfterFailures` in a row mean that it answers the poller and fails everyone else, so the poller's word is not
 * enough: it stays out for a time that doubles with each ejection. Once back, its first failure ejects it again; a success
 * (`failures = 0`) or a long time without one clears that.
 */

import type { TopologyLimits } from './limits.ts';

/** A replica, or a server meant to be one. Sessions keep hold of it and look at `eligible` before each read. */
export interface Replica {
  readonly name: string;
  /** May take reads now. */
  eligible: boolean;
  /** Why not; '' when eligible. */
  why: string;
  /** False once it has been taken off the list. */
  configured: boolean;
  /** It answers the poller. False also for one that is connected but silent. */
  reachable: boolean;
  runId: string | undefined;
  /** The newest round it has proven to cover; 0 is none. */
  covered: number;
  /** When that round was sent. */
  coveredAtMs: number;
  /** Sessions with a connection to it. */
  sessions: number;
  /** Availability zone; undefined when nobody says. */
  zone: string | undefined;
  /** Commands sent to it and not yet answered; kept by the engine. */
  outstanding: number;
  /** Answers it has given to commands, more than one at a time counted once. */
  answers: number;
  /** Moving average of the time to an answer, by `measured`; 0 before the first. */
  ewmaMs: number;
  measuredAtMs: number;
  /** Failures since its last success. Whoever has an answer from it may set 0. */
  failures: number;
  failedAtMs: number;
  ejections: number;
  /** An ejected replica takes no reads before. */
  readmitAtMs: number;
}

export const notYetSeen = 'not yet asked';

export function unknownReplica(name: string): Replica {
  return {
    name,
    eligible: false,
    why: notYetSeen,
    configured: true,
    reachable: false,
    runId: undefined,
    covered: 0,
    coveredAtMs: 0,
    sessions: 0,
    zone: undefined,
    outstanding: 0,
    answers: 0,
    ewmaMs: 0,
    measuredAtMs: 0,
    failures: 0,
    failedAtMs: 0,
    ejections: 0,
    readmitAtMs: 0,
  };
}

/** What it had proven counts no longer. */
export function forget(replica: Replica): void {
  replica.covered = 0;
  replica.coveredAtMs = 0;
}

export function exclude(replica: Replica, why: string): void {
  replica.eligible = false;
  replica.why = why;
}

export function admit(replica: Replica): void {
  replica.eligible = true;
  replica.why = '';
}

/** Weight of a new measurement: about ten of them replace what was known. */
const ewmaWeight = 0.1;
/** What was measured so long ago counts about a third. */
const fadeMs = 5_000;

/** An answer took so long. The longer nothing was measured, the less of what was known is left. Hot. */
export function measured(replica: Replica, tookMs: number, nowMs: number): void {
  const ageMs = nowMs - replica.measuredAtMs;
  const weight = ageMs < fadeMs * ewmaWeight ? ewmaWeight : 1 - Math.exp(-ageMs / fadeMs);
  replica.ewmaMs = replica.ewmaMs === 0 ? tookMs : replica.ewmaMs + (tookMs - replica.ewmaMs) * weight;
  replica.measuredAtMs = nowMs;
}

/**
 * How fast it is held to be beside another; 0 when nothing is known of either. That it was slower fades while nobody
 * measures it, down to the other's: else it would never be tried again, and nobody learn that it has recovered.
 */
export function latencyBeside(replica: Replica, other: Replica, nowMs: number): number {
  const slower = replica.ewmaMs - other.ewmaMs;
  if (replica.ewmaMs === 0 || other.ewmaMs === 0 || slower <= 0) return replica.ewmaMs || other.ewmaMs;
  return other.ewmaMs + slower * Math.exp((replica.measuredAtMs - nowMs) / fadeMs);
}

/** It has answered commands, the slowest of them after so long. Hot. */
export function answeredBy(replica: Replica, tookMs: number, nowMs: number): void {
  replica.failures = 0;
  replica.answers += 1;
  measured(replica, tookMs, nowMs);
}

type EjectionLimits = Pick<TopologyLimits, 'ejectAfterFailures' | 'ejectMs' | 'ejectMaxMs'>;

/** Counts a failure; true when it ejects the replica. */
export function failed(replica: Replica, nowMs: number, limits: EjectionLimits): boolean {
  const last = Math.max(replica.failedAtMs, replica.readmitAtMs);
  if (nowMs - last > limits.ejectMaxMs) replica.failures = 0;
  if (replica.failures === 0) replica.ejections = 0;
  replica.failures += 1;
  replica.failedAtMs = nowMs;
  if (replica.failures < limits.ejectAfterFailures) return false;
  replica.ejections += 1;
  replica.readmitAtMs = nowMs + Math.min(limits.ejectMs * 2 ** (replica.ejections - 1), limits.ejectMaxMs);
  return true;
}
