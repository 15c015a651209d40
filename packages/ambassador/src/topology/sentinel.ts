/**
 * A realm whose primary Sentinel elects: sentinels are asked, and listened to, and what they say is verified (roles.ts).
 *
 * All of them are asked at once, so one that is down or slow costs nothing. An event says at once what a question would
 * say soon; it is believed until the sentinels have been asked, which it also causes. With no sentinel left the last word
 * stands: the servers are still there.
 */

import type { Timer } from '@outrigger/core/clock';
import { parseAddress } from '@outrigger/core/net';
import { serverAt } from '../upstream/server.ts';
import type { Server } from '../upstream/server.ts';
import { defaultTopologyLimits, paceMs } from './limits.ts';
import type { TopologyLimits } from './limits.ts';
import { uncounted } from './metrics.ts';
import { OneShardRealm } from './one-shard.ts';
import type { Realm, RealmEvents } from './realm.ts';
import type { RealmConfig, RealmDeps, SentinelSource } from './realm-options.ts';
import { SentinelEar } from './sentinel-ear.ts';
import { chooseView, readEvent } from './sentinel-view.ts';
import type { SentinelView } from './sentinel-view.ts';
import { followAll } from './source.ts';
import type { EndpointWatch } from './source.ts';

type Config = RealmConfig & SentinelSource;

export async function openSentinel(config: Config, deps: RealmDeps, events: RealmEvents): Promise<Realm> {
  const realm = new OneShardRealm(config, deps, events);
  let opened = false;
  const followed = await followAll(config.sentinels, deps.watchService, () => {
    if (opened) watch.ask();
  });
  const watch = new SentinelWatch(config, deps, followed, realm);
  opened = true;
  realm.onDoubt = () => watch.ask();
  realm.about = () => watch.describe();
  realm.closing(() => {
    for (const one of followed) one.close();
    watch.close();
  });
  await watch.start();
  await realm.start();
  return realm;
}

class SentinelWatch {
  readonly #config: Config;
  readonly #deps: RealmDeps;
  readonly #limits: RealmDeps['limits'] & TopologyLimits;
  readonly #followed: readonly EndpointWatch[];
  readonly #realm: OneShardRealm;
  readonly #ears = new Map<string, SentinelEar>();
  readonly #words = new Map<string, SentinelView | string>();
  #believed: { readonly primary: string; readonly replicas: readonly string[] } | undefined;
  #known: readonly string[] = [];
  #problem = '';
  /** The newest epoch heard of, and when. Sentinels that have not heard of it yet name the primary of before. */
  #epoch = { number: 0, heardMs: 0 };
  #timer: Timer | undefined;
  #closed = false;

  constructor(config: Config, deps: RealmDeps, followed: readonly EndpointWatch[], realm: OneShardRealm) {
    this.#config = config;
    this.#deps = deps;
    this.#limits = { ...defaultTopologyLimits, ...deps.limits };
    this.#followed = followed;
    this.#realm = realm;
  }

  /** Resolves when every sentinel has answered or failed. */
  async start(): Promise<void> {
    this.#gather();
    for (const ear of this.#ears.values()) void ear.listen();
    await Promise.all([...this.#ears.values()].map((ear) => ear.ask()));
    this.#decide();
    this.#keepTime();
  }

  ask(): void {
    this.#gather();
    for (const ear of this.#ears.values()) void ear.ask();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const ear of this.#ears.values()) ear.close();
  }

  describe(): object {
    const sentinels = [...this.#ears].map(([sentinel, ear]) => {
      const word = this.#words.get(sentinel) ?? 'not yet asked';
      const said =
        typeof word === 'string'
          ? { says: null, why: word }
          : { says: word.primary, why: '', epoch: word.epoch, leads: word.leads };
      return { sentinel, listening: ear.listening, ...said };
    });
    return { master: this.#config.master, problem: this.#problem, sentinels };
  }

  #keepTime(): void {
    if (this.#closed) return;
    const { clock } = this.#deps;
    const absentMs = this.#realm.shard.absentMs(clock.now());
    const delay = paceMs(absentMs, this.#limits.sentinelPollMs, this.#limits);
    this.#timer = clock.setTimeout(() => {
      this.ask();
      for (const ear of this.#ears.values()) void ear.listen();
      this.#keepTime();
    }, delay);
  }

  /** Those that are configured, and those they know of. */
  #gather(): void {
    const configured = this.#followed.flatMap((one) => one.servers);
    const servers = new Map(configured.map((server) => [server.name, server]));
    const tls = configured.some((server) => server.tls);
    for (const name of this.#known) {
      if (servers.size >= this.#limits.maxSentinels) break;
      if (!servers.has(name)) servers.set(name, at(name, tls));
    }
    for (const [name, ear] of this.#ears) {
      if (servers.has(name)) continue;
      ear.close();
      this.#ears.delete(name);
      this.#words.delete(name);
    }
    for (const [name, server] of servers) if (!this.#ears.has(name)) this.#ears.set(name, this.#ear(server));
  }

  #ear(server: Server): SentinelEar {
    const { master, sentinelCredentials = () => undefined } = this.#config;
    return new SentinelEar(server, {
      ...this.#deps,
      limits: this.#limits,
      credentials: sentinelCredentials,
      master,
      onEvent: (channel, message) => this.#event(channel, message),
      onWord: (word) => {
        if (!this.#ears.has(server.name)) return;
        this.#words.set(server.name, word);
        this.#decide();
      },
    });
  }

  #event(channel: string, message: string): void {
    const { metrics = uncounted, log, clock } = this.#deps;
    const event = readEvent(channel, message, this.#config.master);
    if (event === undefined || this.#closed) return;
    metrics.sentinelEvent(event.name);
    const { switched } = event;
    // Any other is old news: questions have told more already.
    if (switched !== undefined && switched.from === this.#believed?.primary) {
      log.info('sentinel names another primary', { server: switched.to });
      this.#epoch = { number: this.#epoch.number + 1, heardMs: clock.now() };
      this.#place(switched.to, this.#believed.replicas);
    }
    this.#realm.shard.needRound();
    this.ask();
  }

  #decide(): void {
    const views = [...this.#words.values()].filter((word) => typeof word !== 'string');
    this.#tell(views.length === 0 ? this.#silence() : '');
    const view = chooseView(this.#newest(views));
    if (view !== undefined) {
      this.#epoch = { number: view.epoch, heardMs: this.#deps.clock.now() };
      this.#known = view.sentinels;
      this.#place(view.primary, view.replicas);
    } else if (this.#believed === undefined) this.#place(undefined, []);
  }

  /** Those that know the newest epoch; all, when nobody has known it for a while: it was reset. */
  #newest(views: readonly SentinelView[]): readonly SentinelView[] {
    const { number, heardMs } = this.#epoch;
    const held = this.#deps.clock.now() - heardMs < this.#limits.sentinelEpochHoldMs;
    return held ? views.filter(({ epoch }) => epoch >= number) : views;
  }

  #silence(): string {
    const words = [...this.#words].map(([sentinel, word]) => `sentinel ${sentinel}: ${String(word)}`);
    const problems = this.#followed.map(({ problem }) => problem).filter((problem) => problem !== '');
    return [...problems, ...words].join('; ') || 'no sentinel has been asked yet';
  }

  #tell(problem: string): void {
    if (problem !== '' && this.#problem === '') {
      this.#deps.log.warn('no sentinel knows the primary', { master: this.#config.master, why: problem });
    }
    this.#problem = problem;
  }

  #place(primary: string | undefined, replicas: readonly string[]): void {
    if (primary !== undefined) {
      const same = this.#believed?.primary === primary && sameNames(this.#believed.replicas, replicas);
      if (same) return;
      this.#believed = { primary, replicas };
    }
    const tls = this.#config.tls ?? this.#followed.some(({ servers }) => servers[0]?.tls === true);
    const names = new Set([...(primary === undefined ? [] : [primary]), ...replicas]);
    this.#realm.place({
      servers: [...names].map((name) => this.#realm.shard.server(name) ?? at(name, tls)),
      belief: { kind: 'named', name: primary, why: primary === undefined ? this.#problem : '' },
    });
  }
}

function sameNames(before: readonly string[], now: readonly string[]): boolean {
  const names = new Set(before);
  return names.size === now.length && now.every((name) => names.has(name));
}

function at(name: string, tls: boolean): Server {
  return serverAt(parseAddress(name) as Server['address'], tls);
}
