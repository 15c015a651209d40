/** Where a session's reads go: its policy, its past (guard.ts) and what the replicas have proven, put together. */

import type { Timer } from '@outrigger/core/clock';
import type { Consistency, ReadPolicy } from '../daemon/config.ts';
import { ReadGuard } from '../topology/guard.ts';
import type { AmbassadorLimits } from '../daemon/limits.ts';
import type { Replica, Topology } from '../topology/topology.ts';

export interface ReadContext {
  readonly topology: Topology;
  readonly limits: AmbassadorLimits;
  /** Read anew at each decision, so that a reload takes effect at the next command. */
  readonly policy: () => { readonly readPolicy: ReadPolicy; readonly consistency: Consistency };
  /** Asks for a round soon. */
  readonly needRound: () => void;
}

export interface ReadPorts {
  now(): number;
  /** Calls `expire` later. */
  wakeAfter(delayMs: number): Timer;
  /** Holding a read: what is newly known of the replicas matters. */
  waiting(on: boolean): void;
}

export type ReadTarget =
  | Replica
  | 'primary'
  /** Not yet: ask again when something is newly known, or the time is up. */
  | 'wait'
  /** Nobody may answer it. */
  | 'refused';

/** What the session is doing at this moment. */
export interface Situation {
  /** The primary owes it answers. */
  readonly primaryOwes: boolean;
  /** The process its replica connection has reached; undefined while there is no connection. */
  readonly reached: string | undefined;
}

export class Reads {
  /** The replica this session reads from: it stays with one, so that a read seldom needs proof. */
  replica: Replica | undefined;
  readonly #context: ReadContext;
  readonly #ports: ReadPorts;
  readonly #guard: ReadGuard;
  #timer: Timer | undefined;
  #expired = false;
  #lastWriteMs = Number.NEGATIVE_INFINITY;
  #nextHoldMs = Number.NEGATIVE_INFINITY;
  #any = false;

  constructor(context: ReadContext, ports: ReadPorts) {
    this.#context = context;
    this.#ports = ports;
    this.#guard = new ReadGuard(context.topology);
  }

  wrote(): void {
    this.#lastWriteMs = this.#ports.now();
  }

  /** A part of an answer at least has been shown to the client. */
  answered(runId: string, byPrimary: boolean): void {
    this.#guard.answered(runId, byPrimary);
    // A session that reads will want to go back to a replica: let them prove themselves while it thinks.
    if (byPrimary && this.#any && this.#context.topology.anyEligible) this.#context.needRound();
  }

  choose(situation: Situation): ReadTarget {
    this.#any = true;
    const { readPolicy, consistency } = this.#context.policy();
    if (readPolicy === 'primary') return 'primary';
    const guarded = consistency === 'session';
    const only = readPolicy === 'replica';
    // Behind something unanswered nothing can be proven: same server, no wait.
    if (guarded && !only && situation.primaryOwes) return 'primary';
    const replica = this.#proven(guarded, situation.reached);
    if (replica !== undefined) return replica;
    if (only) return this.#hold(this.#context.limits.replicaWaitMs, 'refused');
    return this.#context.topology.anyEligible && !situation.primaryOwes ? this.#handover() : 'primary';
  }

  /** Whether an open connection is to the process that the proofs about `replica` are about. */
  matches(replica: Replica, reached: string | undefined): boolean {
    return (
      reached === undefined || reached === replica.runId || this.#context.policy().consistency === 'eventual'
    );
  }

  /** The read was placed, or there is none any more. */
  release(): void {
    if (this.#timer !== undefined) this.#ports.waiting(false);
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#expired = false;
  }

  /** The time for holding is up. */
  expire(): void {
    this.#ports.waiting(false);
    this.#timer = undefined;
    this.#expired = true;
  }

  /** The error for a read that nobody may answer. */
  refusal(): string {
    const reasons = Object.entries(this.#context.topology.exclusions()).map(
      ([name, why]) => `${name}: ${why}`,
    );
    const why =
      reasons.length === 0 ? 'none has caught up with what this session has seen' : reasons.join('; ');
    return `no replica may take this read (${why}); with readPolicy preferReplica the primary would`;
  }

  /** Its own replica as long as it takes reads, else another that may be read. */
  #proven(guarded: boolean, reached: string | undefined): Replica | undefined {
    const own = this.replica;
    if (own?.eligible === true && this.matches(own, reached)) {
      return !guarded || this.#guard.allows(own) ? own : undefined;
    }
    return this.#context.topology.choose((other) => other !== own && (!guarded || this.#guard.allows(other)));
  }

  /**
   * A session that keeps reading at the primary never gets behind its own fence: each answer moves it. So once it has
   * not written for a moment, a read is held back for one round; that either proves a replica or costs little.
   */
  #handover(): 'primary' | 'wait' {
    const { handoverAfterMs, handoverWaitMs, handoverIntervalMs } = this.#context.limits;
    const now = this.#ports.now();
    if (now < this.#lastWriteMs + handoverAfterMs || now < this.#nextHoldMs) return 'primary';
    const decision = this.#hold(handoverWaitMs, 'primary');
    if (decision === 'primary') this.#nextHoldMs = now + handoverIntervalMs;
    return decision;
  }

  /** Holds the read until a replica is proven or the time is up, which means `otherwise`. */
  #hold<T extends string>(limitMs: number, otherwise: T): T | 'wait' {
    if (this.#expired) {
      this.release();
      return otherwise;
    }
    if (this.#timer === undefined) {
      this.#timer = this.#ports.wakeAfter(limitMs);
      this.#ports.waiting(true);
    }
    this.#context.needRound();
    return 'wait';
  }
}
