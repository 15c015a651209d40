/** All watches of one resource that a daemon asked for together: a reflector per scope, one stream of changes out. */

import type { Clock, Timer } from '../../clock/index.ts';
import type { Logger } from '../../log/index.ts';
import { ShrinkHold } from '../hold/shrink-hold.ts';
import type { HeldGroup, HoldRule } from '../hold/shrink-hold.ts';
import type { WatchMetrics } from '../metrics.ts';
import { Reflector } from '../reflector/reflect.ts';
import type { ReflectOptions, ReflectorStatus, Scope } from '../reflector/reflect.ts';
import type { Project } from '../reflector/records.ts';
import type { Changes, Held } from '../reflector/types.ts';
import type { Section } from '../snapshot/format.ts';
import type { ResourceRef } from '../transport/path.ts';
import { scopeName } from './scopes.ts';

export interface WatchSpec<R> {
  /** A `Kind`, or what is needed of one. */
  readonly resource: ResourceRef;
  /** Default: what `--namespace` says. They must not overlap. */
  readonly scopes?: readonly Scope[];
  /** A server that does not serve the kind has none of it, instead of never being synced. */
  readonly optional?: boolean;
  /** What the daemon needs of an object, as plain JSON without secrets; undefined: nothing. */
  readonly project: Project<R>;
  /** Level-triggered receivers mark dirty here. What it throws is logged, and the same changes come again. */
  readonly onChanges: (changes: Changes<R>) => void;
  /** Makes removals that deserve distrust wait (`--shrink-hold`). */
  readonly hold?: HoldRule<R>;
  /** Kept in the snapshot. Default true. */
  readonly persist?: boolean;
}

export interface Watch {
  /** All scopes have been listed, or restored from the snapshot. */
  readonly synced: Promise<void>;
  /** Watches these from now on; what only the old ones had is deleted once the new ones are synced. */
  setScopes(scopes: readonly Scope[]): void;
  /** Ends it. Nothing is delivered any more. */
  close(): Promise<void>;
}

/** What a set needs from the source it belongs to. */
export interface WatchSetDeps extends Omit<
  ReflectOptions<never>,
  'resource' | 'scope' | 'optional' | 'project' | 'onChanges'
> {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: WatchMetrics;
  readonly shrinkHoldMs: number;
  /** The snapshot's section of that name, once. */
  readonly takeSection: (name: string) => Section | undefined;
  /** Something changed that a snapshot should hold. */
  readonly onSaveable: () => void;
}

export class WatchSet<R> implements Watch {
  readonly #spec: WatchSpec<R>;
  readonly #deps: WatchSetDeps;
  readonly #hold: ShrinkHold<R> | undefined;
  #reflectors = new Map<string, Reflector<R>>();
  /** Of scopes not watched any more, whose records stay until the new scopes are synced. */
  #retired = new Map<string, Reflector<R>>();
  #timer: Timer | undefined;
  #started = false;
  #closed = false;
  /** For those who wait for `synced`. */
  #syncing: PromiseWithResolvers<void> | undefined;

  constructor(spec: WatchSpec<R>, scopes: readonly Scope[], deps: WatchSetDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#hold = spec.hold === undefined ? undefined : new ShrinkHold(spec.hold, deps.shrinkHoldMs);
    for (const scope of scopes) this.#reflectors.set(scopeName(scope), this.#reflector(scope));
  }

  /** Of the scopes at the time it comes true, which may be others than now. */
  get synced(): Promise<void> {
    if (this.#closed || this.isSynced) return Promise.resolve();
    this.#syncing ??= Promise.withResolvers();
    return this.#syncing.promise;
  }
  get isSynced(): boolean {
    return [...this.#reflectors.values()].every(({ isSynced }) => isSynced);
  }
  get reflectors(): readonly Reflector<R>[] {
    return [...this.#reflectors.values()];
  }
  get resource(): string {
    return this.#spec.resource.resource;
  }
  /** Removals waiting. */
  get held(): number {
    return this.#hold?.size ?? 0;
  }

  status(): ReflectorStatus[] {
    return this.reflectors.map((reflector) => reflector.status());
  }

  heldGroups(): HeldGroup[] {
    return (this.#hold?.waiting() ?? []).map((group) => ({ resource: this.resource, ...group }));
  }

  /** Restores what the snapshot has and begins to watch. */
  start(): void {
    this.#started = true;
    for (const [name, reflector] of this.#reflectors) this.#begin(name, reflector);
  }

  setScopes(scopes: readonly Scope[]): void {
    if (this.#closed) return;
    const wanted = new Map(scopes.map((scope) => [scopeName(scope), scope]));
    for (const [name, reflector] of this.#reflectors) {
      if (wanted.has(name)) continue;
      this.#reflectors.delete(name);
      this.#retired.set(name, reflector);
      void reflector.stop();
    }
    for (const [name, scope] of wanted) {
      if (this.#reflectors.has(name)) continue;
      const reflector = this.#reflector(scope);
      this.#reflectors.set(name, reflector);
      if (this.#started) this.#begin(name, reflector);
    }
    void this.synced.then(() => {
      this.#forgetRetired();
      // What was not saved meanwhile, half of it being missing, can be now.
      this.#deps.onSaveable();
    });
    this.#checkSynced();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#syncing?.resolve();
    await Promise.all(this.reflectors.map((reflector) => reflector.stop()));
  }

  /** For the snapshot; undefined: not now. */
  sections(): Section[] | undefined {
    if (this.#spec.persist === false) return [];
    // Half a removal is not the last good state; the file of before is.
    if (this.held > 0) return undefined;
    return [...this.#reflectors].flatMap(([name, { holdings }]) =>
      holdings.revision === undefined
        ? []
        : [
            {
              name: this.#section(name),
              revision: holdings.revision,
              identity: holdings.identity,
              held: [...holdings.records.values()],
            },
          ],
    );
  }

  #reflector(scope: Scope): Reflector<R> {
    const { resource, optional, project } = this.#spec;
    const reflector = new Reflector<R>({
      ...this.#deps,
      resource,
      scope,
      ...(optional === undefined ? {} : { optional }),
      project,
      onChanges: (changes) => this.#receive(changes),
    });
    void reflector.synced.then(() => this.#checkSynced());
    return reflector;
  }

  #checkSynced(): void {
    if (!this.isSynced) return;
    this.#syncing?.resolve();
    this.#syncing = undefined;
  }

  #begin(name: string, reflector: Reflector<R>): void {
    const section = this.#spec.persist === false ? undefined : this.#deps.takeSection(this.#section(name));
    try {
      if (section !== undefined)
        reflector.restore(section.held as readonly Held<R>[], section.revision, section.identity);
    } catch (error) {
      this.#deps.metrics.snapshotErrors.add(1, 'unusable');
      this.#deps.log.error('records of the snapshot were not taken, starting without them', {
        section: name,
        error,
      });
    }
    reflector.start();
  }

  #section(name: string): string {
    const { group, version, resource } = this.#spec.resource;
    return `${group}/${version}/${resource}|${name}`;
  }

  #receive(changes: Changes<R>): void {
    if (this.#closed) return;
    const before = this.held;
    const seen = this.#hold?.apply(changes, this.#deps.clock.now()) ?? changes;
    this.#spec.onChanges(seen);
    if (this.held > before && changes.doubt !== undefined) this.#said(this.held - before, changes.doubt);
    this.#schedule();
    if (changes.cause !== 'snapshot') this.#deps.onSaveable();
  }

  #said(removals: number, doubt: NonNullable<Changes<R>['doubt']>): void {
    const { metrics, log, shrinkHoldMs } = this.#deps;
    metrics.holds.add(removals, this.resource, doubt);
    const groups = this.heldGroups().map(({ group, members }) => `${group} (${members.length})`);
    log.warn('removals wait, what would go stays in use', {
      resource: this.resource,
      doubt,
      removals,
      groups: groups.length > 10 ? [...groups.slice(0, 10), `and ${groups.length - 10} more`] : groups,
      shrinkHoldMs,
    });
  }

  #schedule(): void {
    this.#timer?.cancel();
    const at = this.#hold?.next();
    if (at === undefined) return;
    this.#timer = this.#deps.clock.setTimeout(() => this.#expire(), at - this.#deps.clock.now());
  }

  #expire(): void {
    const changes = this.#hold?.expire(this.#deps.clock.now());
    if (changes !== undefined && !this.#closed) {
      this.#deps.log.info('removals applied after their wait', {
        resource: this.resource,
        put: changes.put.length,
        deleted: changes.delete.length,
      });
      this.#spec.onChanges(changes);
      this.#deps.onSaveable();
    }
    this.#schedule();
  }

  #forgetRetired(): void {
    if (this.#closed || this.#retired.size === 0 || !this.isSynced) return;
    const gone: Held<R>[] = [];
    let revision = '0';
    for (const { holdings } of this.#retired.values()) {
      revision = holdings.revision ?? revision;
      for (const held of holdings.records.values()) if (!this.#has(held.key)) gone.push(held);
    }
    this.#retired = new Map();
    if (gone.length === 0) return;
    const identity = this.reflectors[0]?.holdings.identity;
    this.#receive({ put: [], delete: gone, revision, cause: 'relist', doubt: undefined, identity });
  }

  #has(key: string): boolean {
    return this.reflectors.some(({ holdings }) => holdings.records.has(key));
  }
}
