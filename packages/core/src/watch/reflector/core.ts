/**
 * The decisions of a reflector: list, then watch, for ever, whatever the server and the network do.
 *
 * It has no sockets and no timers. It says which step to take, is told how the step went and which events came, and
 * hands over batches of changes. Three things make it more than a loop:
 *
 * - Before every list and every watch the cluster is identified. A server that was restarted with another store, or
 *   another server behind the same name, would otherwise be resumed at a revision that means nothing there; a revision
 *   in its future gives a stream that is silent until it is reached and then has a gap.
 * - What was held stays held until a complete new list says otherwise; the difference is one batch, which carries why
 *   its removals may deserve distrust.
 * - A batch counts as taken once the receiver has returned (holdings.ts).
 */

import type { Random } from '../../clock/index.ts';
import { OutriggerError } from '../../errors/index.ts';
import { ApiError } from '../../api/status.ts';
import { Backoff } from './backoff.ts';
import { failureOf, failureOfStatus } from './failure.ts';
import type { Failure, FailureReason } from './failure.ts';
import { Holdings } from './holdings.ts';
import type { Records } from './holdings.ts';
import { keyOf, parseEvent, revisionOf } from './records.ts';
import type { Project } from './records.ts';
import { isOlder } from './revision.ts';
import type { Outcome, ServerTraits, Step } from './steps.ts';
import type { ApiObject, Changes, Doubt, Held, WatchEvent } from './types.ts';

export interface CoreOptions<R> {
  readonly project: Project<R>;
  /** Takes a batch; may throw, which means that it has not taken it. */
  readonly deliver: (changes: Changes<R>) => void;
  /** Told of every failure with the wait that follows it. */
  readonly onFailure: (failure: Failure, delayMs: number) => void;
  readonly onEvent: (type: string) => void;
  readonly traits: (url: string) => ServerTraits;
  readonly random: Random;
  /** A server that does not serve the kind (404) has none of it: own kinds on a cluster without their CRDs. */
  readonly optional?: boolean;
}

export type Phase = State<unknown>['phase'];

/** Objects per page of a list. Larger pages are fewer requests and longer pauses to decode them. */
const pageSize = 500;
/** A watch is ended by the server after this many seconds, plus up to as many again by chance. */
const leastTimeoutSeconds = 300;
/** How much later than asked a server may end a watch. */
const timeoutGraceMs = 30_000;
/** Bookmarks come about every 60 s: two and a half of them missing is a dead stream. */
const bookmarkSilenceMs = 150_000;
/** Initial events begin at once; a server that does not know watch-list sends none, or never says that they are all. */
const initialSilenceMs = 10_000;
/** A watch that ends before this without a line is a failure, or we would spin. */
const veryShortMs = 1_000;
/** An expired revision is listed anew at once, unless it was only this long ago: some servers go round in circles. */
const expiredAgainMs = 10_000;
const initialEventsEnd = 'k8s.io/initial-events-end';

type State<R> =
  | { readonly phase: 'identifying' }
  /** A list in pages; `staged` holds the pages so far. */
  | { readonly phase: 'listing'; readonly url: string; readonly staged: Records<R>; readonly limit: number }
  /** A watch-list whose initial events have not all come. */
  | {
      readonly phase: 'streaming';
      readonly url: string;
      readonly staged: Records<R>;
      heardAt: number;
      readonly endsAt: number;
    }
  | {
      readonly phase: 'watching';
      readonly url: string;
      readonly openedAt: number;
      heardAt: number;
      lines: number;
      readonly endsAt: number;
    }
  | { readonly phase: 'waiting'; readonly failure: Failure; readonly until: number };

/** After these a list may lack what is only not there yet. The others are answers of a server in order. */
const breaks: ReadonlySet<FailureReason> = new Set<FailureReason>([
  'unreachable',
  'timeout',
  'broken',
  'silent',
  'server-error',
  'protocol',
]);

export class ReflectorCore<R> {
  readonly #options: CoreOptions<R>;
  readonly #holdings: Holdings<R>;
  readonly #backoff: Backoff;
  #state: State<R> = { phase: 'identifying' };
  /** Of the cluster that answers now. */
  #answering: string | undefined;
  #mustList = true;
  #broken = false;
  #listed = false;
  #expiredAt = Number.NEGATIVE_INFINITY;

  constructor(options: CoreOptions<R>) {
    this.#options = options;
    this.#holdings = new Holdings(options.project, options.deliver);
    this.#backoff = new Backoff(options.random);
  }

  get phase(): Phase {
    return this.#state.phase;
  }
  get holdings(): Pick<Holdings<R>, 'records' | 'revision' | 'identity'> {
    return this.#holdings;
  }
  /** A complete list has come in the life of this process. */
  get listed(): boolean {
    return this.#listed;
  }

  /** Starts from a snapshot: to be called before the first step. May throw what the receiver throws. */
  restore(held: readonly Held<R>[], revision: string, identity: string | undefined): void {
    this.#holdings.restore(held, revision, identity);
    this.#broken = true;
  }

  begin(): Step {
    return this.#identify();
  }

  /** The one place of all transitions. */
  next(outcome: Outcome, now: number): Step {
    const state = this.#state;
    if (outcome.result === 'failed' && outcome.failure.reason === 'moved') return this.#identify();
    switch (state.phase) {
      case 'identifying':
        if (outcome.result === 'identified') return this.#identified(outcome, now);
        if (outcome.result === 'failed') return this.#fail(outcome.failure, now);
        break;
      case 'listing':
        if (outcome.result === 'page') return this.#page(state, outcome, now);
        if (outcome.result === 'failed') return this.#listFailed(state, outcome.failure, now);
        break;
      case 'streaming':
        if (outcome.result === 'ended') return this.#withoutWatchList(state.url);
        if (outcome.result === 'failed') return this.#streamFailed(state, outcome.failure, now);
        break;
      case 'watching':
        if (outcome.result === 'ended') return this.#ended(state, now);
        if (outcome.result === 'failed') return this.#watchFailed(outcome.failure, now);
        break;
      case 'waiting':
        if (outcome.result === 'waited') return this.#identify();
        break;
    }
    throw new OutriggerError(`a reflector was told "${outcome.result}" while ${state.phase}`, {
      code: 'WATCH_INVARIANT',
    });
  }

  /** The server has accepted the watch: silence counts from here. */
  opened(now: number): void {
    const state = this.#state;
    if (state.phase === 'streaming' || state.phase === 'watching') state.heardAt = now;
  }

  /** Takes the lines of a watch that came together. A failure means: end the stream, and tell `next`. */
  lines(lines: readonly string[], now: number): Failure | undefined {
    let failure: Failure | undefined;
    try {
      for (const line of lines) {
        failure = this.#event(parseEvent(line), now);
        if (failure !== undefined) break;
      }
    } catch (error) {
      failure = failureOf(error);
    }
    return this.#holdings.flush(this.#answering) ?? failure;
  }

  /** When to give up the stream that is open now, as `failed` with the reason `silent`, unless a line comes before. */
  silentAt(): number {
    const state = this.#state;
    if (state.phase === 'streaming') return state.heardAt + initialSilenceMs;
    if (state.phase !== 'watching') return Number.POSITIVE_INFINITY;
    const { bookmarks } = this.#options.traits(state.url);
    return Math.min(state.endsAt, bookmarks ? state.heardAt + bookmarkSilenceMs : Number.POSITIVE_INFINITY);
  }

  #identify(): Step {
    this.#state = { phase: 'identifying' };
    return { do: 'identify' };
  }

  #identified(outcome: Extract<Outcome, { result: 'identified' }>, now: number): Step {
    this.#answering = outcome.identity;
    if (this.#otherCluster() || isOlder(outcome.revision, this.#holdings.revision)) this.#mustList = true;
    if (!this.#mustList) return this.#watch(outcome.url, now);
    if (this.#options.traits(outcome.url).watchList) return this.#streamList(outcome.url, now);
    return this.#list(outcome.url, pageSize);
  }

  #otherCluster(): boolean {
    const { identity } = this.#holdings;
    return identity !== undefined && this.#answering !== undefined && identity !== this.#answering;
  }

  #list(url: string, limit: number): Step {
    this.#state = { phase: 'listing', url, staged: new Map(), limit };
    return { do: 'list', at: url, limit, continue: undefined };
  }

  #streamList(url: string, now: number): Step {
    const timeoutSeconds = this.#timeoutSeconds();
    this.#state = {
      phase: 'streaming',
      url,
      staged: new Map(),
      heardAt: now,
      endsAt: endOf(timeoutSeconds, now),
    };
    return { do: 'watch', at: url, revision: undefined, timeoutSeconds };
  }

  #watch(url: string, now: number): Step {
    const timeoutSeconds = this.#timeoutSeconds();
    this.#state = {
      phase: 'watching',
      url,
      openedAt: now,
      heardAt: now,
      lines: 0,
      endsAt: endOf(timeoutSeconds, now),
    };
    return { do: 'watch', at: url, revision: this.#holdings.revision, timeoutSeconds };
  }

  #timeoutSeconds(): number {
    return Math.round(leastTimeoutSeconds * (1 + this.#options.random.next()));
  }

  #page(
    state: Extract<State<R>, { phase: 'listing' }>,
    page: Extract<Outcome, { result: 'page' }>,
    now: number,
  ): Step {
    try {
      for (const item of page.items) this.#holdings.stage(state.staged, item);
    } catch (error) {
      return this.#fail(failureOf(error), now);
    }
    if (page.continue !== undefined)
      return { do: 'list', at: state.url, limit: state.limit, continue: page.continue };
    const failure = this.#replace(state.staged, page.revision);
    return failure === undefined ? this.#watch(state.url, now) : this.#fail(failure, now);
  }

  #replace(staged: Records<R>, revision: string): Failure | undefined {
    const failure = this.#holdings.replace(staged, revision, this.#doubt(revision), this.#answering);
    if (failure !== undefined) return failure;
    this.#mustList = false;
    this.#broken = false;
    this.#listed = true;
    return undefined;
  }

  #doubt(revision: string): Doubt | undefined {
    if (this.#holdings.revision === undefined) return undefined;
    if (this.#otherCluster()) return 'identity-changed';
    if (isOlder(revision, this.#holdings.revision)) return 'revision-went-back';
    return this.#broken ? 'broken-watch' : undefined;
  }

  #event(event: WatchEvent, now: number): Failure | undefined {
    const state = this.#state;
    if (state.phase !== 'streaming' && state.phase !== 'watching') return undefined;
    state.heardAt = now;
    if (state.phase === 'watching') state.lines += 1;
    this.#options.onEvent(event.type);
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        if (state.phase === 'streaming') this.#holdings.stage(state.staged, event.object);
        else this.#holdings.note(event.object, false);
        return undefined;
      case 'DELETED':
        if (state.phase === 'streaming') state.staged.delete(keyOf(event.object));
        else this.#holdings.note(event.object, true);
        return undefined;
      case 'BOOKMARK':
        return this.#bookmark(state, event.object, now);
      case 'ERROR':
        return failureOfStatus(ApiError.fromStatus(event.object, 500));
      default:
        return {
          reason: 'protocol',
          message: `a watch event of the unknown type ${JSON.stringify(event.type)} came`,
        };
    }
  }

  #bookmark(
    state: Extract<State<R>, { phase: 'streaming' | 'watching' }>,
    object: ApiObject,
    now: number,
  ): Failure | undefined {
    const revision = revisionOf(object);
    if (state.phase === 'watching') {
      this.#options.traits(state.url).bookmarks = true;
      this.#holdings.advance(revision);
      return undefined;
    }
    if (object.metadata?.annotations?.[initialEventsEnd] !== 'true') return undefined;
    const failure = this.#replace(state.staged, revision);
    const { url, endsAt } = state;
    if (failure === undefined)
      this.#state = { phase: 'watching', url, openedAt: now, heardAt: now, lines: 1, endsAt };
    return failure;
  }

  #ended(state: Extract<State<R>, { phase: 'watching' }>, now: number): Step {
    if (state.lines > 0 || now - state.openedAt >= veryShortMs) return this.#identify();
    return this.#fail({ reason: 'very-short', message: 'the watch ended at once and without an event' }, now);
  }

  #listFailed(state: Extract<State<R>, { phase: 'listing' }>, failure: Failure, now: number): Step {
    // History was compacted between two pages: once more, in one page.
    if (failure.reason === 'expired' && state.limit > 0) return this.#list(state.url, 0);
    return this.#fail(this.#absent(failure), now);
  }

  #streamFailed(state: Extract<State<R>, { phase: 'streaming' }>, failure: Failure, now: number): Step {
    if (failure.reason === 'refused' || failure.reason === 'silent') return this.#withoutWatchList(state.url);
    return this.#fail(this.#absent(failure), now);
  }

  /** Nothing is there, and we ask again later: the kind may come to be served. */
  #absent(failure: Failure): Failure {
    if (this.#options.optional !== true || failure.reason !== 'not-found') return failure;
    const refused = this.#replace(new Map(), '0');
    this.#mustList = true;
    return refused ?? failure;
  }

  #withoutWatchList(url: string): Step {
    this.#options.traits(url).watchList = false;
    return this.#list(url, pageSize);
  }

  #watchFailed(failure: Failure, now: number): Step {
    if (['expired', 'refused', 'protocol'].includes(failure.reason)) this.#mustList = true;
    if (failure.reason === 'expired' && now - this.#expiredAt >= expiredAgainMs) {
      this.#expiredAt = now;
      this.#options.onFailure(failure, 0);
      return this.#identify();
    }
    return this.#fail(failure, now);
  }

  #fail(failure: Failure, now: number): Step {
    if (breaks.has(failure.reason)) this.#broken = true;
    const { retryAfterMs } = failure;
    const delayMs = this.#backoff.next(now, { failover: failure.failover ?? false, retryAfterMs });
    this.#state = { phase: 'waiting', failure, until: now + delayMs };
    this.#options.onFailure(failure, delayMs);
    return { do: 'wait', delayMs };
  }
}

function endOf(timeoutSeconds: number, now: number): number {
  return now + timeoutSeconds * 1_000 + timeoutGraceMs;
}
