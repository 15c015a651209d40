/** Where a session's reads of one shard go: its policy, its past (guard.ts) and what the replicas have proven, put together. */

import type { Consistency, ReadPolicy } from '../daemon/config.ts';
import type { AmbassadorLimits } from '../daemon/limits.ts';
import { Fallback, ReadPath } from '../observe/names.ts';
import { ReadGuard } from '../topology/guard.ts';
import type { Shard } from '../topology/realm.ts';
import type { Replica } from '../topology/topology.ts';

export interface ReadsOwner {
  /** Read anew at each decision, so that a reload or a new name takes effect at the next command. */
  policyFor(shard: Shard): { readonly readPolicy: ReadPolicy; readonly consistency: Consistency };
  /** Decide again later; or, `watchRealm`, when something is newly known of the replicas. */
  wakeIn(delayMs: number): void;
  readonly ports: { now(): number; watchRealm(on: boolean): void };
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
  /** The primary owes it answers, or a replica that is not to be read any more. */
  readonly primaryOwes: boolean;
  /** The process its connection to its replica has reached; undefined while there is no connection. */
  readonly reached: string | undefined;
}

export class Reads {
  /** The replica this session reads from: it stays with one, so that a read seldom needs proof. */
  replica: Replica | undefined;
  /** Why the last choice was what it was. */
  path: ReadPath = ReadPath.first;
  fallback: Fallback = Fallback.policy;
  readonly #shard: Shard;
  readonly #limits: AmbassadorLimits;
  readonly #owner: ReadsOwner;
  readonly #guard: ReadGuard;
  /** When the read that is held gives up; undefined when none is. */
  #untilMs: number | undefined;
  #lastWriteMs = Number.NEGATIVE_INFINITY;
  #nextHoldMs = Number.NEGATIVE_INFINITY;
  #any = false;

  constructor(shard: Shard, limits: AmbassadorLimits, owner: ReadsOwner) {
    this.#shard = shard;
    this.#limits = limits;
    this.#owner = owner;
    this.#guard = new ReadGuard(shard.topology);
  }

  /** Its answers keep the promise of guard.ts. */
  get guarded(): boolean {
    return this.#owner.policyFor(this.#shard).consistency === 'session';
  }

  /** Rounds that had been sent when the last answer came. */
  get fence(): number {
    return this.#guard.fence;
  }

  wrote(): void {
    this.#lastWriteMs = this.#owner.ports.now();
  }

  /** A part of an answer at least has been shown to the client. */
  answered(runId: string, byPrimary: boolean): void {
    this.#guard.answered(runId, byPrimary);
    // A session that reads will want to go back to a replica: let them prove themselves while it thinks.
    if (byPrimary && this.#any && this.#shard.topology.anyEligible) this.#shard.needRound();
  }

  choose(situation: Situation): ReadTarget {
    this.#any = true;
    const { readPolicy, consistency } = this.#owner.policyFor(this.#shard);
    if (readPolicy === 'primary') return this.#primary(Fallback.policy);
    if (this.#shard.moving) return this.#primary(Fallback.moving);
    const guarded = consistency === 'session';
    const only = readPolicy === 'replica';
    // Behind something unanswered nothing can be proven, and another server would have to wait for it.
    if (!only && situation.primaryOwes) return this.#primary(Fallback.order);
    const replica = this.#proven(guarded, readPolicy === 'nearest', situation.reached);
    if (replica !== undefined) return replica;
    if (only) return this.#hold(this.#limits.replicaWaitMs, 'refused');
    if (!this.#shard.topology.anyEligible) return this.#primary(Fallback.noReplica);
    return this.#handover();
  }

  /** The read goes to `replica`. */
  placed(replica: Replica): void {
    if (this.replica !== replica) {
      if (this.replica !== undefined) this.replica.sessions--;
      replica.sessions++;
      this.replica = replica;
    }
    this.release();
  }

  /** Whether a connection is to the process that the proofs about `replica` are about. */
  matches(replica: Replica, reached: string): boolean {
    return reached === replica.runId || this.#owner.policyFor(this.#shard).consistency === 'eventual';
  }

  /** The read was placed, or there is none any more. */
  release(): void {
    if (this.#untilMs !== undefined) this.#owner.ports.watchRealm(false);
    this.#untilMs = undefined;
  }

  /** The session has ended. */
  end(): void {
    if (this.replica !== undefined) this.replica.sessions--;
    this.replica = undefined;
  }

  /** The error for a read that nobody may answer. */
  refusal(): string {
    const reasons = Object.entries(this.#shard.topology.exclusions()).map(([name, why]) => `${name}: ${why}`);
    const why =
      reasons.length === 0 ? 'none has caught up with what this session has seen' : reasons.join('; ');
    return `no replica may take this read (${why}); with readPolicy preferReplica the primary would`;
  }

  /** Its own replica as long as it takes reads, else another that may be read. */
  #proven(guarded: boolean, nearest: boolean, reached: string | undefined): Replica | undefined {
    const own = this.replica;
    if (guarded && own?.eligible === true && (reached === undefined || this.matches(own, reached))) {
      return this.#allows(own) ? own : undefined;
    }
    const { topology } = this.#shard;
    this.path = ReadPath.eventual;
    // Keys that came from elsewhere have a past: not to have them yet is no state of before.
    const accepted = (other: Replica): boolean =>
      guarded ? other !== own && this.#allows(other) : topology.inherited(other);
    return topology.choose(accepted, nearest);
  }

  #allows(replica: Replica): boolean {
    if (!this.#guard.allows(replica)) return false;
    this.path = this.#guard.pathTo(replica);
    return true;
  }

  #primary(why: Fallback): 'primary' {
    this.fallback = why;
    return 'primary';
  }

  /**
   * A session that keeps reading at the primary never gets behind its own fence: each answer moves it. So once it has
   * not written for a moment, a read is held back for one round; that either proves a replica or costs little.
   */
  #handover(): 'primary' | 'wait' {
    const { handoverAfterMs, handoverWaitMs, handoverIntervalMs } = this.#limits;
    const now = this.#owner.ports.now();
    this.fallback = Fallback.fence;
    if (now < this.#lastWriteMs + handoverAfterMs || now < this.#nextHoldMs) return 'primary';
    const decision = this.#hold(handoverWaitMs, 'primary');
    if (decision === 'primary') this.#nextHoldMs = now + handoverIntervalMs;
    return decision;
  }

  /** Holds the read until a replica is proven or the time is up, which means `otherwise`. */
  #hold<T extends string>(limitMs: number, otherwise: T): T | 'wait' {
    const now = this.#owner.ports.now();
    if (this.#untilMs === undefined) {
      this.#untilMs = now + limitMs;
      this.#owner.ports.watchRealm(true);
    }
    const left = this.#untilMs - now;
    if (left <= 0) {
      this.release();
      return otherwise;
    }
    this.#owner.wakeIn(left);
    this.#shard.needRound();
    return 'wait';
  }
}
