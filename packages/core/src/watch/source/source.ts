/**
 * A daemon's view of the control service: connection, reflectors and snapshot as one object.
 *
 *     const source = await createSource(config, { role: 'proxy', version }, deps);
 *     source.watch({ resource: serviceKind, project, onChanges });
 *     await source.start();     // restores the snapshot, begins to watch
 *     await source.ready;       // listed or restored: traffic may come
 */

import { parseDuration } from '../../api/duration.ts';
import { OutriggerError } from '../../errors/index.ts';
import type { Deps, Health } from '../../lifecycle/index.ts';
import type { ControlConfig } from '../config.ts';
import { resolveConnection } from '../connection/connection.ts';
import type { HeldGroup } from '../hold/shrink-hold.ts';
import { ClusterIdentity } from '../identity.ts';
import { exposeState, WatchMetrics } from '../metrics.ts';
import type { ReflectorStatus } from '../reflector/reflect.ts';
import { unknownServer } from '../reflector/steps.ts';
import type { ServerTraits } from '../reflector/steps.ts';
import type { Section } from '../snapshot/format.ts';
import { Snapshotter } from '../snapshot/snapshotter.ts';
import { createApiClient } from '../transport/client.ts';
import type { ApiClient } from '../transport/client.ts';
import { scopesOfNamespaces } from './scopes.ts';
import { WatchSet } from './watch-set.ts';
import type { Watch, WatchSetDeps, WatchSpec } from './watch-set.ts';

export interface SourceOptions {
  /** Names the snapshot file and, with the version, our user agent: `proxy`. */
  readonly role: string;
  readonly version: string;
  /** Instead of the connection the configuration describes: for `up` and tests. */
  readonly client?: ApiClient;
}

export interface SourceStatus {
  /** The control URL in use. */
  readonly url: string;
  /** UID of the cluster's kube-system namespace. */
  readonly identity: string | undefined;
  readonly watches: readonly ReflectorStatus[];
  /** Groups (Services) with removals that wait. `untilMs` from now. */
  readonly held: readonly (Omit<HeldGroup, 'until'> & { readonly untilMs: number })[];
  readonly snapshot: { readonly file: string; readonly ageMs: number | undefined } | undefined;
}

export interface Source {
  /** For writes, Leases and single reads over the same connection. */
  readonly client: ApiClient;
  /** May be called before and after `start`; records of a later one come from the snapshot too. */
  watch<R>(spec: WatchSpec<R>): Watch;
  /** Loads the snapshot, hands its records over, begins to watch. Resolves before anything was listed. */
  start(): Promise<void>;
  /** After `start`: all watches that existed then are synced or restored. */
  readonly ready: Promise<void>;
  /** For `/debug` and `why`; nothing secret. */
  status(): SourceStatus;
  /** Not synced yet is unhealthy; a lost connection is not, because traffic goes on. */
  health(): Health;
  /** Part of a drain: writes the snapshot if it is behind. */
  save(): Promise<void>;
  close(): Promise<void>;
}

/** Throws what `resolveConnection` throws, and CONFIG_INVALID for a `shrinkHold` that is no duration. */
export async function createSource(
  config: ControlConfig,
  options: SourceOptions,
  deps: Deps,
): Promise<Source> {
  const userAgent = `outrigger-${options.role}/${options.version}`;
  const client =
    options.client ?? createApiClient(await resolveConnection(config, deps), { userAgent }, deps);
  return new ControlSource(config, options, client, deps);
}

class ControlSource implements Source {
  readonly client: ApiClient;
  readonly #config: ControlConfig;
  readonly #deps: Deps;
  readonly #identity: ClusterIdentity;
  readonly #metrics: WatchMetrics;
  readonly #traits = new Map<string, ServerTraits>();
  readonly #snapshotter: Snapshotter | undefined;
  readonly #setDeps: WatchSetDeps;
  readonly #ready = Promise.withResolvers<void>();
  #sets: WatchSet<never>[] = [];
  /** Of the snapshot loaded, not yet claimed by a watch. */
  #sections = new Map<string, Section>();
  #started = false;
  #isReady = false;
  /** Something was listed before everything was. */
  #isUnsaved = false;

  constructor(config: ControlConfig, options: SourceOptions, client: ApiClient, deps: Deps) {
    this.client = client;
    this.#config = config;
    this.#deps = deps;
    this.#identity = new ClusterIdentity(client, deps.log);
    this.#metrics = new WatchMetrics(deps.metrics);
    const { stateDir } = config;
    const { clock, log, random } = deps;
    if (stateDir !== undefined) {
      const sections = (): Section[] | undefined => this.#saveable();
      this.#snapshotter = new Snapshotter({
        stateDir,
        role: options.role,
        sections,
        metrics: this.#metrics,
        clock,
        log,
      });
    }
    this.#setDeps = {
      client,
      identify: () => this.#identity.check(),
      traits: (url) => this.#traitsOf(url),
      metrics: this.#metrics,
      clock,
      random,
      log,
      shrinkHoldMs: shrinkHoldOf(config),
      takeSection: (name) => this.#takeSection(name),
      onSaveable: () => this.#changed(),
    };
    exposeState(deps.metrics, clock, {
      observed: () => this.#observed(),
      waiting: () =>
        this.#sets.map((set) => [set.resource, set.held] as const).filter(([, held]) => held > 0),
      savedAt: () => this.#snapshotter?.savedAt,
    });
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  watch<R>(spec: WatchSpec<R>): Watch {
    const scopes =
      spec.scopes ?? (spec.resource.namespaced ? scopesOfNamespaces(this.#config.namespace) : [{}]);
    const set = new WatchSet<R>(spec, scopes, this.#setDeps);
    const listed = set as unknown as WatchSet<never>;
    this.#sets.push(listed);
    if (this.#started) set.start();
    const close = async (): Promise<void> => {
      this.#sets = this.#sets.filter((other) => other !== listed);
      await set.close();
    };
    return {
      get synced() {
        return set.synced;
      },
      setScopes: (changed) => set.setScopes(changed),
      close,
    };
  }

  async start(): Promise<void> {
    if (this.#started) return;
    const snapshot = await this.#snapshotter?.load();
    this.#sections = new Map(snapshot?.sections.map((section) => [section.name, section]));
    this.#started = true;
    for (const set of this.#sets) set.start();
    void Promise.all(this.#sets.map(({ synced }) => synced)).then(() => this.#becomeReady());
  }

  status(): SourceStatus {
    const now = this.#deps.clock.now();
    const savedAt = this.#snapshotter?.savedAt;
    return {
      url: this.client.url,
      identity: this.#identity.last?.identity,
      watches: this.#sets.flatMap((set) => set.status()),
      held: this.#sets
        .flatMap((set) => set.heldGroups())
        .map(({ until, ...group }) => ({ ...group, untilMs: until - now })),
      snapshot:
        this.#snapshotter === undefined
          ? undefined
          : { file: this.#snapshotter.file, ageMs: savedAt === undefined ? undefined : now - savedAt },
    };
  }

  health(): Health {
    const missing = this.#sets.filter(({ isSynced }) => !isSynced);
    const problems = missing.map((set) => {
      const problem = set.status().find((status) => status.problem !== undefined)?.problem;
      return [`watch ${set.resource}`, problem ?? 'not listed yet'] as const;
    });
    return { healthy: missing.length === 0, problems: Object.fromEntries(problems) };
  }

  async save(): Promise<void> {
    await this.#snapshotter?.save();
  }

  async close(): Promise<void> {
    this.#snapshotter?.close();
    const stopped = Promise.all(this.#sets.map((set) => set.close()));
    await this.client.close();
    await stopped;
  }

  #traitsOf(url: string): ServerTraits {
    const known = this.#traits.get(url) ?? unknownServer();
    this.#traits.set(url, known);
    return known;
  }

  #takeSection(name: string): Section | undefined {
    const section = this.#sections.get(name);
    this.#sections.delete(name);
    return section;
  }

  #becomeReady(): void {
    this.#isReady = true;
    if (this.#isUnsaved) this.#snapshotter?.mark();
    this.#ready.resolve();
  }

  #changed(): void {
    if (this.#isReady) this.#snapshotter?.mark();
    else this.#isUnsaved = true;
  }

  /** Sections nobody has claimed are kept: their watch may come later. */
  #saveable(): Section[] | undefined {
    // A restart from half a picture would wait for the other half: the file of before is better.
    if (this.#sets.some(({ isSynced }) => !isSynced)) return undefined;
    const sections: Section[] = [...this.#sections.values()];
    for (const set of this.#sets) {
      const own = set.sections();
      if (own === undefined) return undefined;
      sections.push(...own);
    }
    return sections;
  }

  *#observed(): Generator<
    Parameters<typeof exposeState>[2]['observed'] extends () => Iterable<infer O> ? O : never
  > {
    for (const set of this.#sets) {
      for (const { phase, holdings, heardAt, isSynced } of set.reflectors) {
        const watching = phase === 'watching';
        yield { resource: set.resource, heardAt, records: holdings.records.size, synced: isSynced, watching };
      }
    }
  }
}

function shrinkHoldOf(config: ControlConfig): number {
  const text = config.shrinkHold ?? '30s';
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new OutriggerError(`shrinkHold: ${JSON.stringify(text)} is not a duration`, {
    code: 'CONFIG_INVALID',
    target: text,
    hint: 'want a duration such as 30s, or 0',
  });
}
