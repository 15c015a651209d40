/**
 * What is known of the servers, and which replica has proven what.
 *
 * Read-your-writes asks: has this replica applied the write I was told of? Asking the server after every write (WAIT, or
 * an offset query) doubles the traffic, and guessing by time is no proof. So the proof is a *round*: the poller asks the
 * primary for its replication offset (`INFO replication`), then the replicas for theirs. Let a session remember how
 * many rounds had been sent when its last answer arrived, its *fence*. Any later round was sent after that answer, so
 * its offset includes whatever the answer showed: Redis executes one command at a time and advances the offset before
 * it replies. A replica of the same history (`master_replid`) that reports at least the offset of round r has applied
 * everything up to it: it *covers* r, and whoever has a fence below r may read there. The price is one small question
 * per server and round, however many sessions and writes there are.
 *
 * An offset is proven by a process, not by an address: a restarted replica has its old address and may have lost data,
 * and one address may hide several servers. So proofs belong to a `run_id`, and each session's connection learns the
 * run_id it has reached.
 *
 * Nor does a process's data always move forward: a replica that copies another history in full may lose what it showed.
 * `master_replid2` tells whether a new history continues the last one (a promotion, a partial resynchronisation); where
 * it does not, that is a *break*, and sessions that relied on a process's own past need proof again.
 *
 * The lag of a replica is the age of the newest round it covers. A replica whose link to its primary is down is out as
 * long as the primary answers us, since then it misses what happens. While the primary is silent it stays in until
 * max-lag: nothing happens that it could miss, and without it a failover would leave nobody to read from. Nothing here does IO; times are parameters.
 */

import { systemRandom } from '@outrigger/core/clock';
import type { Random } from '@outrigger/core/clock';
import { chooseReplica } from './choose.ts';
import { defaultTopologyLimits } from './limits.ts';
import type { TopologyLimits } from './limits.ts';
import { admit, exclude, failed, forget, notYetSeen, unknownReplica } from './replica.ts';
import type { Replica } from './replica.ts';

export type { Replica } from './replica.ts';

/** What one server said of itself: `INFO replication`, with the `run_id` of `INFO server`. */
export interface Sample {
  readonly runId: string;
  readonly role: 'master' | 'slave';
  /** The history the offset counts in: `master_replid`. */
  readonly replId: string;
  /** Everything of the history before this offset has been applied. */
  readonly offset: number;
  /** A replica that is loading a full copy has nothing to read. */
  readonly syncing: boolean;
  /** The history this one continues: `master_replid2`. */
  readonly previousReplId?: string | undefined;
  /** A replica that hears nothing from its primary. */
  readonly linkDown?: boolean;
  /** The server a replica was told to follow, `HOST:PORT`. */
  readonly follows?: string | undefined;
  /** It is reading its data from disk and answers no command yet. */
  readonly loading?: boolean;
  /** Valkey's `availability_zone`. */
  readonly zone?: string | undefined;
}

export interface PrimaryState {
  readonly name: string;
  runId: string | undefined;
  /** Why it cannot be asked; '' when it can. */
  why: string;
}

export interface TopologyOptions {
  readonly random: Random;
  readonly limits: TopologyLimits;
  /** Our own availability zone, for `choose` with `nearest`. */
  readonly zone: () => string | undefined;
  /** For ejections, and for how long ago a latency was measured. */
  readonly now: () => number;
  /** A replica has failed too often. */
  readonly onEjected: (replica: Replica) => void;
}

interface Round {
  readonly number: number;
  readonly sentAtMs: number;
  readonly replId: string;
  readonly offset: number;
}

/** Rounds kept for replicas that are behind: at the shortest spacing (10 ms), 40 s. */
const maxRounds = 4096;
/** Processes whose history is remembered, and primaries that have been replaced. */
const maxPast = 64;

export class Topology {
  readonly #maxLagMs: () => number;
  readonly #options: TopologyOptions;
  #rounds: Round[] = [];
  #sent = 0;
  #breaks = 0;
  /** What covers no round above this one may lack data that came from other servers. */
  #floor = 0;
  #primary: PrimaryState = { name: '', runId: undefined, why: notYetSeen };
  #replicas = new Map<string, Replica>();
  #list: readonly Replica[] = [];
  /** run_id → the history it was last seen in. */
  readonly #histories = new Map<string, string>();
  readonly #succeeded = new Set<string>();

  /** `maxLagMs` is asked each time, since configuration may change it. */
  constructor(maxLagMs: () => number, options: Partial<TopologyOptions> = {}) {
    this.#maxLagMs = maxLagMs;
    this.#options = {
      random: systemRandom(),
      limits: defaultTopologyLimits,
      zone: () => undefined,
      now: () => 0,
      onEjected: () => {},
      ...options,
    };
  }

  /** Rounds sent so far: the fence of an answer that arrives now. */
  get sent(): number {
    return this.#sent;
  }

  /** Times a process has turned up with data that does not continue what it had. */
  get breaks(): number {
    return this.#breaks;
  }

  /** Whether it has what came from other servers, the past of that included. */
  inherited(replica: Replica): boolean {
    return this.#floor === 0 || replica.covered > this.#floor;
  }

  /** Data of other servers is here from now on, slots of a cluster say: whoever wrote it there has no fence here. */
  tookOver(): void {
    this.#floor = this.#sent;
    this.#breaks += 1;
  }

  get primary(): Readonly<PrimaryState> {
    return this.#primary;
  }

  get replicas(): Iterable<Replica> {
    return this.#list;
  }

  replica(name: string): Replica | undefined {
    return this.#replicas.get(name);
  }

  /** Whether the process has been the primary and another is now. */
  succeeded(runId: string): boolean {
    return this.#succeeded.has(runId) && this.#primary.runId !== undefined;
  }

  /** Keeps what is known of servers that stay. */
  setServers(primary: string, replicas: readonly string[]): void {
    if (this.#primary.name !== primary) {
      this.#retire();
      this.#primary = { name: primary, runId: undefined, why: notYetSeen };
      this.#rounds = [];
    }
    const kept = new Map<string, Replica>();
    for (const name of replicas) kept.set(name, this.#replicas.get(name) ?? unknownReplica(name));
    for (const [name, replica] of this.#replicas) {
      if (kept.has(name)) continue;
      replica.configured = false;
      exclude(replica, name === primary ? 'it is the primary now' : 'no longer configured');
    }
    this.#replicas = kept;
    this.#list = [...kept.values()];
  }

  setZone(name: string, zone: string | undefined): void {
    const replica = this.#replicas.get(name);
    if (replica !== undefined && zone !== undefined) replica.zone = zone;
  }

  /** Must be called before the primary is asked, never after: fences count on it. Returns the round's number. */
  beginRound(): number {
    return ++this.#sent;
  }

  /** Its answer to the question of that round. */
  primaryAnswered(round: number, sentAtMs: number, sample: Sample): void {
    this.primaryKnown(sample);
    this.#rounds.push({ number: round, sentAtMs, replId: sample.replId, offset: sample.offset });
    if (this.#rounds.length > maxRounds) this.#rounds.shift();
  }

  /** Who the primary is, from an answer that belongs to no round and so proves nothing. */
  primaryKnown(sample: Sample): void {
    this.#primary.why = sample.role === 'master' ? '' : 'it says it is a replica: writes will be refused';
    this.#remember(sample);
    if (this.#primary.runId === sample.runId) return;
    // Another process, perhaps with less data: what was proven against the last one proves nothing about this one.
    this.#retire();
    this.#forgetRounds();
    this.#primary.runId = sample.runId;
    this.#succeeded.delete(sample.runId);
  }

  primaryLost(why: string): void {
    this.#primary.why = why;
  }

  replicaAnswered(name: string, sample: Sample, nowMs: number): void {
    const replica = this.#replicas.get(name);
    if (replica === undefined) return;
    const broken = this.#remember(sample);
    if (broken || replica.runId !== sample.runId) forget(replica);
    replica.reachable = true;
    const follows = this.#rounds.at(-1)?.replId ?? sample.replId;
    const heir = replica.runId === sample.runId && this.#isHeir(sample, follows);
    replica.runId = sample.runId;
    if (heir) {
      this.#judge(replica, nowMs, this.#refusal({ ...sample, role: 'slave' }));
      return;
    }
    if (follows !== sample.replId) forget(replica);
    const round = this.#newestCovered(sample);
    if (round !== undefined && round.number > replica.covered) {
      replica.covered = round.number;
      replica.coveredAtMs = round.sentAtMs;
    }
    const stranger =
      follows === sample.replId ? '' : 'its data is not from this primary (another replication id)';
    this.#judge(replica, nowMs, this.#refusal(sample) || stranger);
  }

  /** It does not answer the poller: no reads until it does. */
  replicaLost(name: string, why: string): void {
    const replica = this.#replicas.get(name);
    if (replica === undefined) return;
    replica.reachable = false;
    exclude(replica, why);
  }

  /** It failed a command: no reads until the poller has had an answer again, or longer (replica.ts). */
  replicaFailed(replica: Replica, why: string, nowMs = this.#options.now()): void {
    const { limits, onEjected } = this.#options;
    const counts = replica.eligible && replica.configured;
    if (replica.configured) exclude(replica, why);
    if (counts && failed(replica, nowMs, limits)) onEjected(replica);
  }

  /** Looks at the clock again: a replica that covers nothing new becomes too old. */
  judgeLag(nowMs: number): void {
    for (const replica of this.#replicas.values()) {
      if (replica.eligible) this.#judge(replica, nowMs, '');
    }
  }

  /** Milliseconds behind; undefined when nothing is proven. */
  lagMs(replica: Replica, nowMs: number): number | undefined {
    return replica.covered === 0 ? undefined : Math.max(0, nowMs - replica.coveredAtMs);
  }

  /** Answers of replicas so far: whether anybody reads there. */
  get reads(): number {
    return this.#list.reduce((sum, { answers }) => sum + answers, 0);
  }

  /** Whether any replica takes reads. */
  get anyEligible(): boolean {
    return this.#list.some(({ eligible }) => eligible);
  }

  /** An eligible replica among those `accept` takes: see choose.ts. `nearest`: those of our own zone first. */
  choose(accept: (replica: Replica) => boolean, nearest = false): Replica | undefined {
    const { random, zone, now } = this.#options;
    return chooseReplica(this.#list, accept, { random, nowMs: now(), zone: nearest ? zone() : undefined });
  }

  /** Name → why, for every replica that takes no reads. */
  exclusions(): Record<string, string> {
    const all = [...this.#replicas.values()].filter((replica) => !replica.eligible);
    return Object.fromEntries(all.map((replica) => [replica.name, replica.why]));
  }

  #judge(replica: Replica, nowMs: number, refused: string): void {
    const lag = this.lagMs(replica, nowMs);
    const limit = this.#maxLagMs();
    if (refused !== '') exclude(replica, refused);
    else if (lag === undefined) exclude(replica, 'it has not caught up with the primary yet');
    else if (lag > limit) exclude(replica, `lag ${seconds(lag)} is above max-lag ${seconds(limit)}`);
    else if (nowMs < replica.readmitAtMs) exclude(replica, `it failed ${replica.failures} commands in a row`);
    else admit(replica);
  }

  #refusal(sample: Sample): string {
    if (sample.role !== 'slave') return 'it says it is a primary, not a replica';
    if (sample.loading === true) return 'it is loading its data';
    if (sample.syncing) return 'it is loading a full copy from its primary';
    return sample.linkDown === true && this.#primary.why === '' ? 'its link to the primary is down' : '';
  }

  /**
   * Promoted out of this very history while nobody is the primary: what it had proven it still has, and until it is known
   * for the primary those who read there may go on.
   */
  #isHeir({ role, previousReplId }: Sample, follows: string): boolean {
    return role === 'master' && this.#primary.why !== '' && previousReplId === follows;
  }

  #newestCovered(sample: Sample): Round | undefined {
    return this.#rounds.findLast((round) => round.replId === sample.replId && round.offset <= sample.offset);
  }

  /** Notes which history a process is in; true when that does not continue the one it was in. */
  #remember({ runId, replId, previousReplId }: Sample): boolean {
    const before = this.#histories.get(runId);
    this.#histories.delete(runId);
    this.#histories.set(runId, replId);
    bound(this.#histories);
    if (before === undefined || before === replId || before === previousReplId) return false;
    this.#breaks += 1;
    return true;
  }

  #retire(): void {
    const { runId } = this.#primary;
    if (runId === undefined) return;
    this.#succeeded.add(runId);
    bound(this.#succeeded);
  }

  #forgetRounds(): void {
    this.#rounds = [];
    for (const replica of this.#replicas.values()) forget(replica);
  }
}

/** Drops the oldest above `maxPast`. */
function bound(past: Map<string, unknown> | Set<string>): void {
  for (const oldest of past.keys()) {
    if (past.size <= maxPast) return;
    past.delete(oldest);
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10}s`;
}
