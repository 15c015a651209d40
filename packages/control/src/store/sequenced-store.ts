/**
 * The store: one sequence of transactions over a timeline in memory and a journal that makes them durable.
 *
 * Transactions gather while a commit is under way. Then they are decided one after another on a stage, the journal gets
 * all their rows at once, and only when it says they are durable do they become visible, wake the watchers and get
 * their answers. So the order decided, the order stored and the order watched are one; a failing disk loses a whole
 * stage that nobody has seen; and the cost of an fsync is shared by all who wait for it.
 */

import { nextTurn } from '@outrigger/core/clock';
import type { Clock, Timer } from '@outrigger/core/clock';
import { Compaction } from './compaction.ts';
import { closedError, readOnlyError } from './errors.ts';
import type { Journal } from './journal.ts';
import type { StoreLimits } from './limits.ts';
import { Reader } from './reader.ts';
import { Stage } from './stage.ts';
import type { Verdict } from './stage.ts';
import { emptyStats } from './stats.ts';
import type { StoreObserver, StoreStats } from './stats.ts';
import type {
  Compare,
  Key,
  Operation,
  RangeOptions,
  RangeResult,
  Store,
  StoreBatch,
  StoreStatus,
  TxnResult,
} from './store.ts';
import type { Timeline } from './timeline.ts';
import { TxnQueue } from './txn-queue.ts';
import type { PendingTxn } from './txn-queue.ts';

export interface SequencedStoreOptions {
  readonly epoch: string;
  readonly timeline: Timeline;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly limits: StoreLimits;
  readonly observer?: StoreObserver | undefined;
  /** Rows found at the start that compaction had already forgotten. */
  readonly garbage?: readonly number[];
}

/** How often history is checked for age, and a disk that took no writes is tried again. */
const tickMs = 1_000;
/** Writers answered before other work gets a turn: what they do next, such as writing a response, runs at once. */
const answersPerTurn = 8;

interface Decided {
  readonly txn: PendingTxn;
  readonly verdict: Verdict;
}

export class SequencedStore implements Store {
  readonly epoch: string;
  readonly #timeline: Timeline;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #limits: StoreLimits;
  readonly #observer: StoreObserver;
  readonly #stats = emptyStats();
  readonly #queue: TxnQueue;
  readonly #compaction: Compaction;
  readonly #reader: Reader;
  #scheduled = false;
  #committing: Promise<void> | undefined;
  /** The next commit happens even without writes: to remove garbage, or to see whether the disk takes writes again. */
  #urged = false;
  #timer: Timer | undefined;
  /** Ticks since the last write. */
  #quietTicks = 0;
  #readOnlyReason: string | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SequencedStoreOptions) {
    const { timeline, journal, clock, limits } = options;
    this.epoch = options.epoch;
    this.#timeline = timeline;
    this.#journal = journal;
    this.#clock = clock;
    this.#limits = limits;
    this.#observer = options.observer ?? {};
    this.#queue = new TxnQueue(limits);
    this.#compaction = new Compaction(timeline, limits, clock, options.garbage ?? []);
    this.#reader = new Reader({ timeline, compaction: this.#compaction, journal, stats: this.#stats });
    this.#compaction.mark();
    this.#arm();
  }

  /** Counters since the start and sizes as they are now. */
  get stats(): Readonly<StoreStats> {
    this.#stats.pendingBytes = this.#queue.bytes;
    this.#stats.garbage = this.#compaction.garbage;
    this.#stats.historyChanges = this.#timeline.changes;
    this.#stats.historyBytes = this.#timeline.historyBytes;
    this.#stats.walBytes = this.#journal.walBytes;
    return this.#stats;
  }

  range(prefix: Key, options?: RangeOptions): Promise<RangeResult> {
    return this.#reader.range(prefix, options);
  }

  watch(after: number, signal: AbortSignal): AsyncIterable<readonly StoreBatch[]> {
    return this.#reader.watch(after, signal);
  }

  async txn(compare: readonly Compare[], operations: readonly Operation[]): Promise<TxnResult> {
    this.#checkOpen();
    const result = this.#queue.add(compare, operations);
    this.#schedule();
    return result;
  }

  async compact(before: number): Promise<void> {
    this.#checkOpen();
    const done = this.#compaction.request(Math.min(before, this.#timeline.revision));
    this.#urged = true;
    this.#schedule();
    return done;
  }

  status(): StoreStatus {
    const { revision, compacted, keys, liveBytes, historyBytes } = this.#timeline;
    return {
      revision,
      compactedRevision: compacted,
      sizeBytes: this.#journal.sizeBytes ?? liveBytes + historyBytes,
      keys,
      readOnlyReason: this.#closing === undefined ? this.#readOnlyReason : closedError().message,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#timer?.cancel();
    await this.#committing;
    for (let txn = this.#queue.next(); txn !== undefined; txn = this.#queue.next()) txn.reject(closedError());
    this.#compaction.fail(closedError());
    this.#reader.close();
    await this.#journal.close();
  }

  /** Commits at the end of this turn of the event loop, so that everyone who is about to write shares the commit. */
  #schedule(): void {
    if (this.#scheduled || this.#committing !== undefined) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#closing !== undefined) return;
      this.#committing = this.#commit().then(() => {
        this.#committing = undefined;
        if (this.#queue.size > 0 || this.#urged) this.#schedule();
      });
    });
  }

  async #commit(): Promise<void> {
    this.#compaction.sweep(this.#queue.size);
    const { stage, decided } = this.#decide();
    const garbage = this.#compaction.nextGarbage(stage.rows.length);
    if (stage.rows.length > 0 || this.#urged) await this.#write(stage, garbage, decided);
    else this.#settle(decided);
    this.#urged &&= this.#compaction.pending && this.#readOnlyReason === undefined;
  }

  /** Decides what waits, up to the limits of one group. Refusals that no fsync can change are answered at once. */
  #decide(): { stage: Stage; decided: Decided[] } {
    const stage = new Stage(this.#timeline);
    const decided: Decided[] = [];
    while (decided.length < this.#limits.groupTxns && stage.bytes < this.#limits.groupBytes) {
      const txn = this.#queue.next();
      if (txn === undefined) break;
      const verdict = stage.decide(txn.compare, txn.operations);
      if (verdict.type === 'conflict' && !verdict.uncertain) this.#settle([{ txn, verdict }]);
      else decided.push({ txn, verdict });
    }
    return { stage, decided };
  }

  async #write(stage: Stage, garbage: readonly number[], decided: readonly Decided[]): Promise<void> {
    const started = this.#clock.now();
    const { compacted } = this.#timeline;
    let removed: number;
    try {
      removed = await this.#journal.append({ rows: stage.rows, garbage, compacted });
    } catch (error) {
      this.#refuse(decided, readOnlyError(this.#journal.target, error));
      return;
    }
    this.#accept();
    stage.apply();
    this.#stats.rowsRemoved += removed;
    this.#compaction.removed(removed);
    this.#compaction.mark();
    this.#arm();
    this.#reader.wake();
    if (stage.rows.length > 0) {
      this.#stats.commits++;
      const durationMs = this.#clock.now() - started;
      const { bytes } = stage;
      this.#observer.commit?.({ durationMs, txns: decided.length, rows: stage.rows.length, bytes });
    }
    await this.#answer(decided);
  }

  async #answer(decided: readonly Decided[]): Promise<void> {
    for (let next = 0; ;) {
      this.#settle(decided.slice(next, next + answersPerTurn));
      next += answersPerTurn;
      if (next >= decided.length) return;
      await nextTurn();
    }
  }

  #settle(decided: readonly Decided[]): void {
    for (const { txn, verdict } of decided) {
      this.#queue.settled(txn);
      if (verdict.type === 'conflict') {
        this.#stats.conflicts++;
        txn.resolve({ ok: false, failed: verdict.failed, found: verdict.found });
      } else {
        this.#stats.txns++;
        txn.resolve({ ok: true, revision: verdict.revision });
      }
    }
  }

  #refuse(decided: readonly Decided[], error: Error): void {
    this.#stats.refused += decided.length;
    for (const { txn } of decided) {
      this.#queue.settled(txn);
      txn.reject(error);
    }
    this.#compaction.fail(error);
    if (this.#readOnlyReason !== error.message) this.#observer.readOnly?.(error.message);
    this.#readOnlyReason = error.message;
    this.#arm();
  }

  #accept(): void {
    if (this.#readOnlyReason === undefined) return;
    this.#readOnlyReason = undefined;
    this.#observer.readOnly?.(undefined);
  }

  #arm(): void {
    this.#quietTicks = 0;
    this.#timer ??= this.#clock.setTimeout(() => this.#tick(), tickMs);
  }

  /** Once a second while there is anything to do: lets history expire, tries a refusing disk, lets the journal rest. */
  #tick(): void {
    this.#timer = undefined;
    if (this.#closing !== undefined) return;
    this.#compaction.mark();
    this.#compaction.sweep(0);
    const restless = this.#readOnlyReason !== undefined || this.#compaction.pending;
    if (restless) {
      this.#urged = true;
      this.#schedule();
    } else if (++this.#quietTicks === 2) this.#journal.idle();
    if (restless || this.#quietTicks < 2 || this.#timeline.changes > 0)
      this.#timer ??= this.#clock.setTimeout(() => this.#tick(), tickMs);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw closedError();
  }
}
