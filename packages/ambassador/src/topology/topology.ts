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
 * The lag of a replica is the age of the newest round it covers. Nothing here does IO; times are parameters.
 */

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
}

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
}

export interface PrimaryState {
  readonly name: string;
  runId: string | undefined;
  /** Why it cannot be asked; '' when it can. */
  why: string;
}

interface Round {
  readonly number: number;
  readonly sentAtMs: number;
  readonly replId: string;
  readonly offset: number;
}

/** Rounds kept for replicas that are behind: at the shortest spacing (10 ms), 40 s. */
const maxRounds = 4096;
const notYetSeen = 'not yet asked';

export class Topology {
  readonly #maxLagMs: () => number;
  #rounds: Round[] = [];
  #sent = 0;
  #primary: PrimaryState = { name: '', runId: undefined, why: notYetSeen };
  #replicas = new Map<string, Replica>();

  /** `maxLagMs` is asked each time, since configuration may change it. */
  constructor(maxLagMs: () => number) {
    this.#maxLagMs = maxLagMs;
  }

  /** Rounds sent so far: the fence of an answer that arrives now. */
  get sent(): number {
    return this.#sent;
  }

  get primary(): Readonly<PrimaryState> {
    return this.#primary;
  }

  get replicas(): Iterable<Replica> {
    return this.#replicas.values();
  }

  /** Keeps what is known of servers that stay. */
  setServers(primary: string, replicas: readonly string[]): void {
    if (this.#primary.name !== primary) {
      this.#primary = { name: primary, runId: undefined, why: notYetSeen };
      this.#rounds = [];
    }
    const kept = new Map<string, Replica>();
    for (const name of replicas) kept.set(name, this.#replicas.get(name) ?? unknownReplica(name));
    for (const [name, replica] of this.#replicas) {
      if (kept.has(name)) continue;
      replica.configured = false;
      exclude(replica, 'no longer configured');
    }
    this.#replicas = kept;
  }

  /** Must be called before the primary is asked, never after: fences count on it. Returns the round's number. */
  beginRound(): number {
    return ++this.#sent;
  }

  primaryAnswered(round: number, sentAtMs: number, sample: Sample): void {
    this.#primary.why = sample.role === 'master' ? '' : 'it says it is a replica: writes will be refused';
    // Another process, perhaps with less data: what was proven against the last one proves nothing about this one.
    if (this.#primary.runId !== sample.runId) this.#forgetRounds();
    this.#primary.runId = sample.runId;
    this.#rounds.push({ number: round, sentAtMs, replId: sample.replId, offset: sample.offset });
    if (this.#rounds.length > maxRounds) this.#rounds.shift();
  }

  primaryLost(why: string): void {
    this.#primary.why = why;
  }

  replicaAnswered(name: string, sample: Sample, nowMs: number): void {
    const replica = this.#replicas.get(name);
    if (replica === undefined) return;
    if (replica.runId !== sample.runId) forget(replica);
    replica.reachable = true;
    replica.runId = sample.runId;
    const follows = this.#rounds.at(-1)?.replId ?? sample.replId;
    if (follows !== sample.replId) forget(replica);
    const round = this.#newestCovered(sample);
    if (round !== undefined && round.number > replica.covered) {
      replica.covered = round.number;
      replica.coveredAtMs = round.sentAtMs;
    }
    const stranger =
      follows === sample.replId ? '' : 'its data is not from this primary (another replication id)';
    this.#judge(replica, nowMs, refusal(sample) || stranger);
  }

  /** It does not answer the poller: no reads until it does. */
  replicaLost(name: string, why: string): void {
    const replica = this.#replicas.get(name);
    if (replica === undefined) return;
    replica.reachable = false;
    exclude(replica, why);
  }

  /** It failed a session: no reads until the poller has had an answer again. */
  replicaFailed(replica: Replica, why: string): void {
    exclude(replica, why);
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

  /** Whether any replica takes reads. */
  get anyEligible(): boolean {
    for (const replica of this.#replicas.values()) if (replica.eligible) return true;
    return false;
  }

  /** The eligible replica with the fewest sessions among those `accept` takes. */
  choose(accept: (replica: Replica) => boolean): Replica | undefined {
    let best: Replica | undefined;
    for (const replica of this.#replicas.values()) {
      if (!replica.eligible || !accept(replica)) continue;
      if (best === undefined || replica.sessions < best.sessions) best = replica;
    }
    return best;
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
    else {
      replica.eligible = true;
      replica.why = '';
    }
  }

  #newestCovered(sample: Sample): Round | undefined {
    return this.#rounds.findLast((round) => round.replId === sample.replId && round.offset <= sample.offset);
  }

  #forgetRounds(): void {
    this.#rounds = [];
    for (const replica of this.#replicas.values()) forget(replica);
  }
}

function refusal(sample: Sample): string {
  if (sample.role !== 'slave') return 'it says it is a primary, not a replica';
  return sample.syncing ? 'it is loading a full copy from its primary' : '';
}

function unknownReplica(name: string): Replica {
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
  };
}

function forget(replica: Replica): void {
  replica.covered = 0;
  replica.coveredAtMs = 0;
}

function exclude(replica: Replica, why: string): void {
  replica.eligible = false;
  replica.why = why;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10}s`;
}
