/**
 * A realm whose primary Sentinel elects: sentinels are asked, and listened to, and what they say is verified (roles.ts).
 *
 * All of them are asked at once, so one that is down or slow costs nothing.
 */

import type { Timer } from '@outrigger/core/clock';
import { Dirty } from '@outrigger/core/lifecycle';
import { parseAddress } from '@outrigger/core/net';
import { serverAt } from '../upstream/server.ts';
import type { AmbassadorLimits } from '../daemon/limits.ts';
import type { Server } from '../upstream/server.ts';
import { paceMs } from './limits.ts';
import { uncounted } from './metrics.ts';
import { OneShardRealm } from './one-shard.ts';
import type { Realm, RealmEvents } from './realm.ts';
import type { RealmConfig, RealmDeps, SentinelSource } from './realm-options.ts';
import { SentinelEar } from './sentinel-ear.ts';
import { SentinelOpinion } from './sentinel-opinion.ts';
import type { Believed } from './sentinel-opinion.ts';
import { readEvent } from './sentinel-view.ts';
import type { Succession } from './sentinel-view.ts';
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
  readonly #limits: AmbassadorLimits;
  readonly #followed: readonly EndpointWatch[];
  readonly #realm: OneShardRealm;
  readonly #ears = new Map<string, SentinelEar>();
  readonly #opinion: SentinelOpinion;
  readonly #asks: Dirty;
  #placed: Believed | undefined;
  #problem = '';
  /** Who is to be the primary next: asked until it says that it is. */
  #told: Succession | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(config: Config, deps: RealmDeps, followed: readonly EndpointWatch[], realm: OneShardRealm) {
    this.#config = config;
    this.#deps = deps;
    this.#limits = deps.limits;
    this.#opinion = new SentinelOpinion(this.#limits.sentinelEpochHoldMs);
    this.#followed = followed;
    this.#realm = realm;
    this.#asks = new Dirty({
      clock: deps.clock,
      minIntervalMs: deps.limits.roundSpacingMs,
      run: () => {
        this.#gather();
        for (const ear of this.#ears.values()) void ear.ask();
      },
      onError: (error) => deps.log.error('asking the sentinels failed', { error }),
    });
  }

  /** Resolves when every sentinel has answered or failed. */
  async start(): Promise<void> {
    this.#gather();
    for (const ear of this.#ears.values()) void ear.listen();
    await Promise.all([...this.#ears.values()].map((ear) => ear.ask()));
    this.#decided();
    this.#keepTime();
  }

  /** Soon: at most once every `roundSpacingMs`, however often it is asked for. */
  ask(): void {
    this.#asks.mark();
  }

  close(): void {
    this.#closed = true;
    this.#asks.close();
    this.#timer?.cancel();
    for (const ear of this.#ears.values()) ear.close();
  }

  describe(): object {
    const sentinels = [...this.#ears].map(([sentinel, ear]) => {
      const word = this.#opinion.word(sentinel) ?? 'not yet asked';
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
    for (const name of this.#opinion.believed?.sentinels ?? []) {
      if (servers.size >= this.#limits.maxSentinels) break;
      if (!servers.has(name)) servers.set(name, at(name, tls));
    }
    for (const [name, ear] of this.#ears) {
      if (servers.has(name)) continue;
      ear.close();
      this.#ears.delete(name);
      this.#opinion.forget(name);
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
        this.#opinion.heard(server.name, word, this.#deps.clock.now());
        this.#decided();
      },
    });
  }

  #event(channel: string, message: string): void {
    const { metrics = uncounted } = this.#deps;
    const event = readEvent(channel, message, this.#config.master);
    if (event === undefined || this.#closed) return;
    metrics.sentinelEvent(event.name);
    if (event.told !== undefined) void this.#await(event.told);
    if (event.switched !== undefined) this.#switched(event.switched);
    this.#realm.shard.needRound();
    this.ask();
  }

  #switched(succession: Succession): void {
    const { log, clock } = this.#deps;
    if (!this.#opinion.switched(succession, clock.now())) return;
    log.info('sentinel names another primary', { server: succession.to });
    this.#decided();
  }

  /**
   * The heir is the primary as soon as it says so. Sentinel would tell up to a second later, and whatever the old one, if
   * it lives, acknowledges until then is lost.
   */
  async #await(told: Succession): Promise<void> {
    const { clock } = this.#deps;
    const untilMs = clock.now() + this.#limits.sentinelEpochHoldMs;
    this.#told = told;
    const pending = (): boolean => this.#told === told && this.#opinion.believed?.primary === told.from;
    while (!this.#closed && pending() && clock.now() < untilMs) {
      await this.#realm.look(told.to);
      if (this.#realm.shard.sample(told.to)?.role === 'master') {
        this.#switched(told);
        return;
      }
      await clock.sleep(this.#limits.electionPollMs);
    }
  }

  #decided(): void {
    this.#tell(this.#opinion.problem);
    const { believed } = this.#opinion;
    if (believed === undefined) {
      this.#place(undefined, []);
    } else if (!samePlace(this.#placed, believed)) {
      this.#placed = believed;
      this.#place(believed.primary, believed.replicas);
    }
  }

  #tell(silence: string): void {
    const services = this.#followed.map(({ problem }) => problem).filter((problem) => problem !== '');
    const problem = silence === '' ? '' : [...services, silence].join('; ');
    if (problem !== '' && this.#problem === '') {
      this.#deps.log.warn('no sentinel knows the primary', { master: this.#config.master, why: problem });
    }
    this.#problem = problem;
  }

  #place(primary: string | undefined, replicas: readonly string[]): void {
    const tls = this.#config.tls ?? this.#followed.some(({ servers }) => servers[0]?.tls === true);
    const names = new Set([...(primary === undefined ? [] : [primary]), ...replicas]);
    this.#realm.place({
      servers: [...names].map((name) => this.#realm.shard.server(name) ?? at(name, tls)),
      belief: { kind: 'named', name: primary, why: primary === undefined ? this.#problem : '' },
    });
  }
}

function samePlace(before: Believed | undefined, now: Believed): boolean {
  if (before === undefined || before.primary !== now.primary) return false;
  const names = new Set(before.replicas);
  return names.size === now.replicas.length && now.replicas.every((name) => names.has(name));
}

function at(name: string, tls: boolean): Server {
  return serverAt(parseAddress(name) as Server['address'], tls);
}
