/**
 * A simulated world: clients whose sessions share lines to a primary and replicas that follow it at their own pace.
 * Everything that happens is one of a few steps, drawn from a seed: bytes of clients and answers of servers cut anywhere,
 * connections lost at any point (what had reached the server may still be executed), servers that restart, load, lose
 * their primary, are demoted and promoted. What a step shows a client is checked at once (simulated-client.ts); what
 * servers execute is checked here.
 */

import { silentLogger } from '@outrigger/core/log';
import type { Random, Timer } from '@outrigger/core/clock';
import { CommandTable } from '../../src/commands/table.ts';
import { defaultLimits } from '../../src/daemon/limits.ts';
import { ScriptBook } from '../../src/locals/scripts.ts';
import type { EngineCounters } from '../../src/observe/counters.ts';
import type { SessionContext } from '../../src/session/ports.ts';
import { Budget } from '../../src/session/budget.ts';
import { Session } from '../../src/session/session.ts';
import { Topology } from '../../src/topology/topology.ts';
import type { Realm, Shard } from '../../src/topology/realm.ts';
import type { Line } from '../../src/upstream/line.ts';
import type { Server } from '../../src/upstream/server.ts';
import { Servers } from '../../src/upstream/servers.ts';
import { SimulatedClient } from './simulated-client.ts';
import type { ClientWorld } from './simulated-client.ts';
import { SimulatedParts } from './simulated-parts.ts';
import { script, SimulatedRedis } from './simulated-redis.ts';
import type { Effect, Peer } from './simulated-redis.ts';
import { SimulatedWire } from './simulated-wire.ts';

export interface Character {
  readonly clients: number;
  /** One primary with replicas; or as many primaries, each with a part of the keys: by slot, or by prefix. */
  readonly shape: 'replicas' | 'cluster' | 'routes';
  readonly replicas: number;
  /** Of a cluster: how many follow each primary. */
  readonly followers: number;
  /** `writeAcks`. */
  readonly acks: number;
  readonly consistency: 'session' | 'eventual';
  /** Commands each client sends, and how many before it waits for an answer. */
  readonly commands: number;
  readonly depth: number;
  /** How often something goes wrong. */
  readonly trouble: number;
  /** Whether a deposed primary's connections are closed at that moment, as Sentinel does. */
  readonly closesDeposed: boolean;
  /** How often others write, and how often a replica applies an effect. */
  readonly others: number;
  readonly pace: number;
}

const table = new CommandTable();
const limits = {
  ...defaultLimits,
  failFastMs: 5,
  handoverAfterMs: 5,
  handoverWaitMs: 5,
  handoverIntervalMs: 5,
  maxPipelined: 8,
  maxHeldBytes: 256,
  maxIdleLeases: 1,
};

export class World implements ClientWorld {
  readonly problems: string[] = [];
  /** Within this step a connection was lost with half an answer. */
  halfAnswer = false;
  /** The memory of what servers have sent. */
  readonly received = new WeakSet<ArrayBufferLike>();
  readonly #random: Random;
  readonly #character: Character;
  readonly #clients: SimulatedClient[];
  readonly #redis: SimulatedRedis[];
  readonly #parts: SimulatedParts | undefined;
  readonly #topology: Topology;
  readonly #servers: Servers;
  readonly #context: SessionContext;
  readonly #wires = new Set<SimulatedWire>();
  readonly #soon = new Set<Line>();
  readonly #timers = new Set<{ readonly at: number; readonly call: () => void }>();
  readonly #waiting = new Set<SimulatedClient>();
  readonly #effects = new Map<string, Effect>();
  readonly #executions = new Map<string, number>();
  /** Effects that as many replicas have had as were asked for. */
  readonly #replicated = new Set<Effect>();
  /** Session → the number of its last command that took effect. */
  readonly #last = new Map<string, number>();
  readonly #questions: (() => void)[] = [];
  /** Who is the primary, and who is believed to be. */
  #primary: SimulatedRedis;
  #named: SimulatedRedis;
  #known: Server | undefined;
  #heardRunId = '';
  #wantRound = true;
  #asking = false;
  #now = 0;
  #count = 0;

  constructor(random: Random, character: Character, counters: EngineCounters) {
    this.#random = random;
    this.#character = character;
    const count = (character.replicas + 1) * (character.followers + 1);
    const names = Array.from({ length: count }, (_, i) => i + 1);
    this.#redis = names.map((n) => new SimulatedRedis(n, (effect, at, by) => this.#took(effect, at, by)));
    for (const one of this.#redis) one.acks = (place) => this.#have(one, place);
    this.#primary = this.#named = this.#redis[0] as SimulatedRedis;
    this.#primary.role = 'master';
    const { shape } = character;
    this.#parts =
      shape === 'replicas'
        ? undefined
        : new SimulatedParts(shape === 'cluster', this.#redis, character.followers, random, {
            problem: (text) => this.problem(text),
            now: () => this.#now,
          });
    this.#topology = new Topology(() => Number.POSITIVE_INFINITY, { random, now: () => this.#now });
    this.#seat();
    this.#servers = new Servers({
      openWire: (server, identity, readonly, events) => {
        const at = this.#redis.find(({ name }) => name === server.name) as SimulatedRedis;
        if (readonly && shape !== 'cluster') this.problem('READONLY is for clusters');
        const wire = new SimulatedWire(
          at,
          events,
          identity,
          readonly,
          random,
          () => (this.halfAnswer = true),
          this.received,
        );
        this.#wires.add(wire);
        return wire;
      },
      soon: (line) => this.#soon.add(line),
      now: () => this.#now,
      limits,
      onLost: (line, refusal, was) => this.#lineLost(line, refusal.why, was),
      onErrorReply: () => {},
    });
    this.#context = this.#shared(counters);
    this.#clients = Array.from(
      { length: character.clients },
      (_, i) => new SimulatedClient(i + 1, character.commands, random, this),
    );
    for (const client of this.#clients) this.#begin(client);
  }

  /** Runs until every client has had all its answers, or gives up and says so. */
  run(): void {
    const { trouble } = this.#character;
    for (let steps = 0; this.problems.length === 0 && this.#clients.some(({ done }) => !done); steps++) {
      const calm = steps > 6_000;
      if (calm) this.#calm();
      if (steps > 40_000) {
        const stuck = this.#clients.filter(({ done }) => !done);
        for (const client of stuck)
          this.problem(
            `client ${client.id} is stuck: ${client.waitsFor}; held for ${client.session.waiting.reason}`,
          );
        return;
      }
      this.#step(calm ? 0 : trouble);
    }
    this.#calm();
    for (let i = 0; i < 3_000; i++) this.#step(0);
    this.#judge();
  }

  /** How often servers said that a key is elsewhere. */
  get redirections(): number {
    const { '-MOVED': moved = 0, '-ASK': ask = 0, '-TRYAGAIN': again = 0 } = this.#parts?.said ?? {};
    return moved + ask + again;
  }

  /** Messages that clients were sent. */
  get messages(): number {
    return this.#clients.reduce((sum, client) => sum + client.messages, 0);
  }

  /** Writes that were acknowledged, and those that too few had in time. */
  get acknowledged(): { yes: number; no: number } {
    const sum = { yes: 0, no: 0 };
    for (const { acknowledged } of this.#clients) {
      sum.yes += acknowledged.yes;
      sum.no += acknowledged.no;
    }
    return sum;
  }

  /** Reads that replicas have answered. */
  get replicaReads(): number {
    return this.#redis.reduce((sum, redis) => sum + redis.replicaReads, 0);
  }

  // ---- what clients ask of it

  get shape(): Character['shape'] {
    return this.#character.shape;
  }

  get consistent(): boolean {
    return this.#character.consistency === 'session';
  }

  problem(text: string): void {
    this.problems.push(`${text} (at ${Math.round(this.#now)} ms)`);
  }

  effect(value: string): Effect | undefined {
    return this.#effects.get(value);
  }

  executed(value: string): number {
    return this.#executions.get(value) ?? 0;
  }

  wasReplicated(value: string): boolean {
    return this.#character.acks === 0 || this.#replicated.has(this.effect(value) as Effect);
  }

  place(effect: Effect | undefined): number {
    return effect === undefined ? -1 : this.#primary.log.indexOf(effect);
  }

  after(delayMs: number, call: () => void): Timer {
    const timer = { at: this.#now + delayMs, call };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  now(): number {
    return this.#now;
  }

  watch(client: SimulatedClient, on: boolean): void {
    if (on) this.#waiting.add(client);
    else this.#waiting.delete(client);
  }

  // ---- what it is made of

  #shared(counters: EngineCounters): SessionContext {
    const { consistency } = this.#character;
    const shard = this.#shard();
    const realm: Realm = {
      name: 'default',
      clustered: false,
      shards: [shard],
      problem: '',
      shardOf: () => shard,
      serverAt: () => this.#primary.server,
      doubt: ({ kind, ...about }) => {
        const server = 'server' in about ? about.server : '';
        if (kind === 'readonly' && this.#known?.name === server) this.#known = undefined;
        this.#wantRound = true;
      },
      describe: () => ({}),
      close: () => {},
    };
    const policy = { readPolicy: 'preferReplica', consistency } as const;
    const scripts = new ScriptBook();
    scripts.learn(Buffer.from(script));
    const context = {
      table,
      live: { known: () => undefined, learn: () => Promise.reject(new Error('every command is known')) },
      budget: new Budget(
        () => limits,
        () => {},
      ),
      heavy: new Set(),
      routes: () => ({
        realmOf: (key: Uint8Array | undefined) => this.#parts?.realmOf(key) ?? realm,
        several: this.#parts?.clustered === false,
        policyOf: () => policy,
        all: this.#parts?.realms ?? [realm],
      }),
      servers: this.#servers,
      limits,
      counters,
      watch: { answered: () => {} },
      registry: { all: () => this.#clients.map(({ session }) => session.state), byId: () => undefined },
      auth: () => ({ required: false, check: () => 'ask-server' }),
      scripts,
      random: this.#random,
      log: silentLogger,
      failoverWaitMs: () => 60,
      allowNonAtomicMset: () => true,
      writeAcks: () => ({ replicas: this.#character.acks, timeoutMs: 10 }),
      refusal: () => undefined,
      mayPassUnseen: () => true,
      keepFromReuse: () => {},
      kill: () => {},
    };
    return context as unknown as SessionContext;
  }

  #shard(): Shard {
    const known = (): Server | undefined => this.#known;
    return {
      name: 'all',
      topology: this.#topology,
      get primary() {
        return known();
      },
      why: 'it is being asked',
      checking: false,
      busy: undefined,
      moving: false,
      server: (name) => this.#redis.find((one) => one.name === name)?.server,
      needRound: () => void (this.#wantRound = true),
    };
  }

  #begin(client: SimulatedClient): void {
    client.begin(new Session(client, this.#context, client.newState()));
  }

  // ---- steps

  #below(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  #any<T>(all: Iterable<T>): T | undefined {
    const list = [...all];
    return list[this.#below(list.length)];
  }

  #step(trouble: number): void {
    this.#now += this.#random.next();
    this.halfAnswer = false;
    this.#fire();
    const { others, pace, depth } = this.#character;
    if (this.#random.next() < trouble) this.#makeTrouble();
    if (this.#random.next() < others) this.#othersWrite();
    if (this.#random.next() < others) this.#othersPublish();
    if (this.#random.next() < pace) this.#follow(this.#any(this.#redis) as SimulatedRedis);
    const steps = [
      () => this.#clientActs(depth),
      () => this.#turn(),
      () => this.#any(this.#wires)?.serve(1 + this.#below(4)),
      () => this.#any(this.#wires)?.serve(1 + this.#below(4)),
      () => this.#any(this.#wires)?.deliver(),
      () => this.#any(this.#wires)?.deliver(),
      () => this.#poll(),
    ];
    steps[this.#below(steps.length)]?.();
    for (const wire of this.#wires) if (wire.over) this.#wires.delete(wire);
  }

  #fire(): void {
    for (const timer of this.#timers) {
      if (timer.at > this.#now) continue;
      this.#timers.delete(timer);
      timer.call();
    }
  }

  #follow(redis: SimulatedRedis): void {
    const master = this.#parts === undefined ? this.#primary : this.#parts.masterOf(redis);
    if (master === undefined || redis === master) return;
    redis.follow(master);
  }

  /** Replicas of a server that have what stands at that place of its history. */
  #have(master: SimulatedRedis, place: number): number {
    const have = this.#redis.filter((one) => {
      const follows = this.#parts === undefined ? this.#primary : this.#parts.masterOf(one);
      return one !== master && follows === master && one.replId === master.replId && one.log.length >= place;
    }).length;
    if (have >= this.#character.acks)
      for (const effect of master.log.slice(0, place)) this.#replicated.add(effect);
    return have;
  }

  #clientActs(depth: number): void {
    const client = this.#any(this.#clients) as SimulatedClient;
    if (client.over) this.#begin(client);
    client.send(depth);
  }

  #turn(): void {
    const lines = [...this.#soon];
    this.#soon.clear();
    for (const line of lines) line.turnEnded();
  }

  #othersWrite(): void {
    if (!this.#primary.up) return;
    const blocked = [...this.#wires].some(({ peer }) => peer?.blocked !== undefined);
    const key = blocked ? 'list' : `k${this.#below(3)}`;
    const value = `${key}|x.${this.#count++}`;
    const effect: Effect = {
      db: this.#parts?.clustered === true ? 0 : this.#below(2),
      key,
      kind: blocked ? 'push' : 'set',
      value,
    };
    this.#effects.set(value, effect);
    this.#primary.log.push(effect);
  }

  #othersPublish(): void {
    const channel = `c${this.#below(2)}`;
    for (const wire of this.#wires) wire.publish(channel);
  }

  // ---- the poller

  #poll(): void {
    if (this.#parts !== undefined) {
      this.#parts.poll();
      for (const client of [...this.#waiting]) client.session.onRealmChanged();
      return;
    }
    const next = this.#questions.shift();
    if (next !== undefined) {
      next();
      for (const client of [...this.#waiting]) client.session.onRealmChanged();
      return;
    }
    if (this.#asking || (!this.#wantRound && this.#random.next() < 0.9)) return;
    this.#asking = true;
    this.#wantRound = false;
    if (this.#named !== this.#primary) {
      this.#depose();
      this.#named = this.#primary;
      this.#seat();
    }
    const named = this.#named;
    const round = this.#topology.beginRound();
    const sentAt = this.#now;
    this.#questions.push(() => {
      const sample = named.sample();
      this.#questions.push(() => this.#heardPrimary(named, round, sentAt, sample));
    });
  }

  #heardPrimary(
    named: SimulatedRedis,
    round: number,
    sentAt: number,
    sample: ReturnType<SimulatedRedis['sample']>,
  ): void {
    if (sample === undefined || sample.role !== 'master') {
      this.#topology.primaryLost('it does not answer');
      this.#depose();
    } else {
      if (this.#heardRunId !== sample.runId) this.#depose();
      this.#heardRunId = sample.runId;
      this.#topology.primaryAnswered(round, sentAt, sample);
      this.#known = named.server;
    }
    for (const redis of this.#redis) {
      if (redis === named) continue;
      this.#questions.push(() => {
        const answer = redis.sample();
        this.#questions.push(() => {
          if (answer === undefined) this.#topology.replicaLost(redis.name, 'it does not answer');
          else this.#topology.replicaAnswered(redis.name, answer, this.#now);
        });
      });
    }
    this.#questions.push(() => (this.#asking = false));
  }

  #depose(): void {
    if (this.#known === undefined) return;
    const { name } = this.#known;
    this.#known = undefined;
    this.#servers.drop(name, 'it is not the primary any longer');
  }

  #seat(): void {
    const others = this.#redis.filter((one) => one !== this.#named);
    this.#topology.setServers(this.#named.name, others.map(({ name }) => name)); // prettier-ignore
  }

  #lineLost(line: Line, why: string, was: 'opening' | 'open'): void {
    this.#wantRound = true;
    if (was === 'opening') this.#parts?.failed(line.server.name, why);
    for (const replica of this.#topology.replicas) {
      if (replica.name === line.server.name && was === 'opening') this.#topology.replicaFailed(replica, why);
    }
  }

  // ---- trouble

  #makeTrouble(): void {
    const kinds = [
      () => this.#lose(this.#any(this.#wires)),
      () => this.#lose(this.#any(this.#wires)),
      () => this.#any(this.#redis)?.up === true && this.#restart(this.#any(this.#redis) as SimulatedRedis),
      () => this.#comesBack(),
      () => this.#comesBack(),
      () => this.#promote(),
      () => this.#toggle('loading'),
      () => this.#toggle('cutOff'),
      () => this.#mayNotBegin(),
      () => this.#forgetScripts(),
      () => this.#leave(),
      () => this.#silent(),
      () => this.#outOfSight(),
      () => this.#outOfSight(),
      () => this.#any(this.#clients)?.drain(),
    ];
    if (this.#parts?.clustered === true && this.#random.next() < 0.7) {
      this.#parts.change();
      return;
    }
    kinds[this.#below(kinds.length)]?.();
  }

  #lose(wire: SimulatedWire | undefined): void {
    if (wire === undefined) return;
    // What had reached the server may still be executed.
    if (wire.open && this.#random.next() < 0.5) wire.serve(this.#below(6));
    wire.lose('ECONNRESET');
  }

  #loseAll(redis: SimulatedRedis): void {
    for (const wire of [...this.#wires]) if (wire.redis === redis) this.#lose(wire);
  }

  #restart(redis: SimulatedRedis): void {
    this.#loseAll(redis);
    redis.up = this.#random.next() < 0.5;
    redis.runId = `${redis.name}.${++this.#count}`;
    redis.scripts = new Set();
    // A replica comes back with what its last snapshot held.
    if (redis.role === 'slave') redis.log = redis.log.slice(0, this.#below(redis.log.length + 1));
    else if (this.#parts === undefined) {
      redis.replId = `history ${++this.#count}`;
      redis.previousReplId = undefined;
    }
  }

  #comesBack(): void {
    for (const redis of this.#redis) redis.up = true;
  }

  #promote(): void {
    if (this.#parts !== undefined) return;
    const old = this.#primary;
    const next = this.#any(this.#redis.filter((one) => one !== old && one.up && one.log.length > 0));
    if (next === undefined || next.replId !== old.replId) return;
    old.role = 'slave';
    next.role = 'master';
    next.cutOff = false;
    next.previousReplId = next.replId;
    next.replId = `history ${++this.#count}`;
    this.#primary = next;
    // Blocked clients are sent away when their server becomes a replica.
    for (const wire of [...this.#wires])
      if (wire.redis === old && wire.peer?.blocked !== undefined) this.#lose(wire);
    if (this.#character.closesDeposed) this.#loseAll(old);
    else if (this.#random.next() < 0.5) old.follow(next);
  }

  #toggle(what: 'loading' | 'cutOff'): void {
    const redis = this.#any(this.#redis) as SimulatedRedis;
    if (what === 'loading' || redis.role === 'slave') redis[what] = !redis[what];
  }

  #mayNotBegin(): void {
    const redis = this.#any(this.#redis) as SimulatedRedis;
    redis.noMulti = !redis.noMulti;
  }

  #forgetScripts(): void {
    for (const redis of this.#redis) redis.scripts.clear();
  }

  #leave(): void {
    const client = this.#any(this.#clients) as SimulatedClient;
    if (!client.over && this.#random.next() < 0.3) client.leave();
  }

  #silent(): void {
    if (this.#parts !== undefined) {
      const name = this.#parts.silent();
      if (name !== undefined) this.#servers.drop(name, 'it does not answer');
      return;
    }
    const replica = this.#any(this.#redis.filter((one) => one !== this.#named));
    if (replica === undefined) return;
    this.#topology.replicaLost(replica.name, 'it does not answer');
    this.#servers.drop(replica.name, 'it does not answer');
  }

  /** The poller has not heard of it: what it owes it may still answer. */
  #outOfSight(): void {
    this.#parts?.silent();
    if (this.#parts !== undefined) return;
    const replica = this.#any(this.#redis.filter((one) => one !== this.#named));
    if (replica !== undefined) this.#topology.replicaLost(replica.name, 'it does not answer');
  }

  #calm(): void {
    this.#parts?.calm();
    for (const redis of this.#redis) {
      redis.up = true;
      redis.loading = redis.cutOff = redis.noMulti = false;
    }
  }

  // ---- what servers execute

  #took(effect: Effect, at: SimulatedRedis, by: Peer): void {
    const { value } = effect;
    if (this.#parts === undefined && at !== this.#primary)
      this.problem(`${value} took effect at ${at.name}, which is not the primary`);
    if (at.role === 'slave') this.problem(`${value} took effect at a replica`);
    if (by.openedAs === 'slave') this.problem(`${value} was sent to a server that had said it is a replica`);
    this.#effects.set(value, effect);
    const times = this.executed(value) + 1;
    this.#executions.set(value, times);
    if (effect.kind === 'pop') return;
    if (times > 1) this.problem(`${value} was executed ${times} times`);
    const [, session = '', number] = /\|(\d+\.\d+)\.(\d+)$/.exec(value) ?? [];
    const last = this.#last.get(session) ?? 0;
    if (Number(number) < last) this.problem(`${value} took effect after ${session}.${last}`);
    this.#last.set(session, Number(number));
  }

  /** The end: nothing is under way, and what was refused has not been done. */
  #judge(): void {
    let lent = 0;
    for (const { server, outstanding, leases } of this.#servers.counts()) {
      if (outstanding > 0) this.problem(`${server} owes ${outstanding} answers in the end`);
      lent += leases;
    }
    // A subscriber that has changed its connection in another way as well keeps it; so does who watches without MULTI.
    const kept = this.#clients.filter(({ over, session }) => {
      const { pins } = session.state;
      return !over && (pins.has('subscribe') || pins.has('watch'));
    });
    if (lent !== kept.length)
      this.problem(`${lent} connections are lent in the end, ${kept.length} are kept`);
    for (const client of this.#clients) {
      const { outstanding, bufferedBytes } = client.session.facts();
      if (!client.over && outstanding + bufferedBytes > 0)
        this.problem(
          `client ${client.id} is owed ${outstanding} answers and has ${bufferedBytes} bytes in the end`,
        );
      for (const value of client.refused) {
        if (this.executed(value) > 0) this.problem(`${value} was refused, and executed`);
      }
    }
  }
}
