/** The reflector's sockets and timers: carries out the steps that `core.ts` decides on, for ever. */

import type { Clock, Random, Timer } from '../../clock/index.ts';
import type { Logger } from '../../log/index.ts';
import type { Identity } from '../identity.ts';
import type { WatchMetrics } from '../metrics.ts';
import type { ApiClient } from '../transport/client.ts';
import { resourcePath } from '../transport/path.ts';
import type { Query, ResourceRef } from '../transport/path.ts';
import { ReflectorCore } from './core.ts';
import type { Phase } from './core.ts';
import { failureOf } from './failure.ts';
import type { Failure } from './failure.ts';
import type { Project } from './records.ts';
import type { Outcome, ServerTraits, Step } from './steps.ts';
import type { ApiObject, Changes, Held } from './types.ts';

/** Which objects of a resource: the narrower, the less every change costs. */
export interface Scope {
  readonly namespace?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface ReflectOptions<R> {
  readonly client: ApiClient;
  readonly resource: ResourceRef;
  readonly scope: Scope;
  /** 404 means that there are none: for kinds that a cluster need not serve. */
  readonly optional?: boolean;
  readonly project: Project<R>;
  /** Must be quick; what it throws is logged, and the same changes come again. */
  readonly onChanges: (changes: Changes<R>) => void;
  readonly identify: () => Promise<Identity>;
  /** What is known of the server at a URL. */
  readonly traits: (url: string) => ServerTraits;
  readonly metrics: WatchMetrics;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface ReflectorStatus {
  readonly resource: string;
  readonly scope: Scope;
  readonly phase: Phase | 'stopped';
  readonly records: number;
  readonly revision: string | undefined;
  readonly identity: string | undefined;
  /** Restored, and not yet listed since. */
  readonly fromSnapshot: boolean;
  /** Since the last line of a watch or answer to a list; undefined: none yet. */
  readonly ageMs: number | undefined;
  /** The failure that is not over yet. */
  readonly problem: string | undefined;
}

export class Reflector<R> {
  readonly #options: ReflectOptions<R>;
  readonly #core: ReflectorCore<R>;
  readonly #stop = new AbortController();
  readonly #synced = Promise.withResolvers<void>();
  #isSynced = false;
  #failing: Failure | undefined;
  #heardAt: number | undefined;
  #running: Promise<void> | undefined;

  constructor(options: ReflectOptions<R>) {
    this.#options = options;
    const { project, random, traits, metrics, resource, optional } = options;
    this.#core = new ReflectorCore<R>({
      project,
      random,
      traits,
      ...(optional === undefined ? {} : { optional }),
      deliver: (changes) => this.#deliver(changes),
      onFailure: (failure, delayMs) => this.#failed(failure, delayMs),
      onEvent: (type) => metrics.events.add(1, resource.resource, type),
    });
  }

  /** The first complete list has been handed over, or a snapshot. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }
  get isSynced(): boolean {
    return this.#isSynced;
  }
  get heardAt(): number | undefined {
    return this.#heardAt;
  }
  get phase(): Phase {
    return this.#core.phase;
  }
  get holdings(): ReflectorCore<R>['holdings'] {
    return this.#core.holdings;
  }

  /** To be called before `start`, if at all. */
  restore(held: readonly Held<R>[], revision: string, identity: string | undefined): void {
    this.#core.restore(held, revision, identity);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends the watch; resolves when nothing is under way any more. What was held is forgotten by nobody but the caller. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('the watch was stopped'));
    await this.#running;
  }

  status(): ReflectorStatus {
    const { clock, resource, scope } = this.#options;
    const { phase, listed } = this.#core;
    const { records, revision, identity } = this.#core.holdings;
    return {
      resource: resource.resource,
      scope,
      phase: this.#stop.signal.aborted ? 'stopped' : phase,
      records: records.size,
      revision,
      identity,
      fromSnapshot: this.#isSynced && !listed,
      ageMs: this.#heardAt === undefined ? undefined : clock.now() - this.#heardAt,
      problem: this.#failing?.message,
    };
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    let step = this.#core.begin();
    while (!signal.aborted) {
      const outcome = await this.#carryOut(step);
      if (signal.aborted) return;
      step = this.#core.next(outcome, clock.now());
    }
  }

  /** Never rejects: everything that goes wrong is an outcome. */
  async #carryOut(step: Step): Promise<Outcome> {
    try {
      switch (step.do) {
        case 'identify':
          return { result: 'identified', ...(await orAborted(this.#options.identify(), this.#stop.signal)) };
        case 'list':
          return await this.#list(step);
        case 'watch':
          return await this.#watch(step);
        case 'wait':
          await this.#options.clock.sleep(step.delayMs, this.#stop.signal);
          return { result: 'waited' };
      }
    } catch (error) {
      return { result: 'failed', failure: failureOf(error, this.#options.client.movedOn(error)) };
    }
  }

  async #list(step: Extract<Step, { do: 'list' }>): Promise<Outcome> {
    const list = await this.#options.client.request<ObjectList>({
      path: this.#path(),
      query: {
        ...this.#selectors(),
        limit: step.limit === 0 ? undefined : step.limit,
        continue: step.continue,
      },
      signal: this.#stop.signal,
      at: step.at,
    });
    this.#heard();
    const { resourceVersion, continue: more } = list.metadata ?? {};
    if (!Array.isArray(list.items) || resourceVersion === undefined) {
      return {
        result: 'failed',
        failure: { reason: 'protocol', message: 'the answer is not a list of objects' },
      };
    }
    return {
      result: 'page',
      items: list.items,
      revision: resourceVersion,
      continue: more === '' ? undefined : more,
    };
  }

  async #watch(step: Extract<Step, { do: 'watch' }>): Promise<Outcome> {
    const { clock, client } = this.#options;
    const cut = new AbortController();
    const signal = AbortSignal.any([cut.signal, this.#stop.signal]);
    let failure: Failure | undefined;
    const end = (why: Failure): void => {
      failure = why;
      cut.abort(new Error(why.message));
    };
    const liveness = new Liveness(
      clock,
      () => this.#core.silentAt(),
      () => end(silence),
    );
    try {
      await client.stream({
        path: this.#path(),
        query: watchQuery(step, this.#selectors()),
        signal,
        at: step.at,
        onOpen: () => {
          this.#heard();
          this.#core.opened(clock.now());
          liveness.look();
          if (step.revision !== undefined) this.#healthy();
        },
        onLines: (lines) => {
          this.#heard();
          const problem = this.#core.lines(lines, clock.now());
          liveness.look();
          if (problem !== undefined) end(problem);
          else if (this.#core.phase === 'watching') this.#healthy();
        },
      });
      return failure === undefined ? { result: 'ended' } : { result: 'failed', failure };
    } catch (error) {
      return { result: 'failed', failure: failure ?? failureOf(error, client.movedOn(error)) };
    } finally {
      liveness.stop();
    }
  }

  #path(): string {
    const { resource, scope } = this.#options;
    return resourcePath(resource, scope.namespace === undefined ? {} : { namespace: scope.namespace });
  }

  #selectors(): Query {
    const { fieldSelector, labelSelector } = this.#options.scope;
    return { fieldSelector, labelSelector };
  }

  #deliver(changes: Changes<R>): void {
    const { metrics, resource } = this.#options;
    this.#options.onChanges(changes);
    metrics.changes.add(changes.put.length, resource.resource, changes.cause, 'put');
    metrics.changes.add(changes.delete.length, resource.resource, changes.cause, 'delete');
    if (changes.cause === 'list' || changes.cause === 'relist') this.#listed(changes);
    if (this.#isSynced) return;
    this.#isSynced = true;
    this.#synced.resolve();
  }

  #listed(changes: Changes<R>): void {
    const { metrics, resource, log } = this.#options;
    metrics.lists.add(1, resource.resource, changes.doubt ?? 'none');
    const fields = {
      ...this.#where(),
      put: changes.put.length,
      deleted: changes.delete.length,
      revision: changes.revision,
    };
    if (changes.doubt === undefined) log.debug('listed', { ...fields, cause: changes.cause });
    else log.info('listed again after a gap', { ...fields, doubt: changes.doubt });
  }

  /** One line per change of what is wrong, not one per try. */
  #failed(failure: Failure, delayMs: number): void {
    const { metrics, resource, log, client } = this.#options;
    metrics.reconnects.add(1, resource.resource, failure.reason);
    const known = this.#failing?.reason === failure.reason;
    this.#failing = failure;
    if (known || failure.reason === 'expired') return;
    const level = failure.reason === 'consumer' ? 'error' : 'warn';
    log[level]('watch interrupted, what is known stays in use', {
      ...this.#where(),
      reason: failure.reason,
      problem: failure.message,
      url: client.url,
      retryInMs: Math.round(delayMs),
    });
  }

  #heard(): void {
    this.#heardAt = this.#options.clock.now();
  }

  #healthy(): void {
    if (this.#failing === undefined) return;
    const { log, client } = this.#options;
    log.info('watch works again', { ...this.#where(), after: this.#failing.reason, url: client.url });
    this.#failing = undefined;
  }

  #where(): Record<string, unknown> {
    return { resource: this.#options.resource.resource, ...this.#options.scope };
  }
}

interface ObjectList {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly ApiObject[];
}

const silence: Failure = { reason: 'silent', message: 'the watch gave no sign of life for too long' };

function watchQuery(step: Extract<Step, { do: 'watch' }>, selectors: Query): Query {
  const common = { ...selectors, watch: 1, allowWatchBookmarks: true, timeoutSeconds: step.timeoutSeconds };
  return step.revision === undefined
    ? { ...common, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
    : { ...common, resourceVersion: step.revision };
}

/** The promise, or the signal's reason if that comes first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
  });
}

/** One timer for a deadline that moves with every line: moving it later costs nothing until the timer fires. */
class Liveness {
  readonly #clock: Clock;
  readonly #deadline: () => number;
  readonly #onSilent: () => void;
  #timer: Timer | undefined;
  #due = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, deadline: () => number, onSilent: () => void) {
    this.#clock = clock;
    this.#deadline = deadline;
    this.#onSilent = onSilent;
  }

  /** To be called when the deadline may be earlier than before. */
  look(): void {
    const deadline = this.#deadline();
    if (deadline >= this.#due) return;
    this.#timer?.cancel();
    this.#due = deadline;
    this.#timer = this.#clock.setTimeout(() => this.#fired(), deadline - this.#clock.now());
  }

  stop(): void {
    this.#timer?.cancel();
    // A late line must not start it again.
    this.#due = Number.NEGATIVE_INFINITY;
  }

  #fired(): void {
    this.#due = Number.POSITIVE_INFINITY;
    if (this.#deadline() <= this.#clock.now()) this.#onSilent();
    else this.look();
  }
}
