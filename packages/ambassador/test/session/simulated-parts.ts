/**
 * Servers of a simulation that each hold a part of the data: a Redis Cluster whose slots move key by key, or a server for
 * each key prefix. All share one history, which is the truth; what a server does not hold it refuses, or, where nothing
 * would redirect, answers and tells the world.
 */

import type { Random } from '@outrigger/core/clock';
import { slotOf } from '../../src/commands/slot.ts';
import type { Doubt, Realm, Shard } from '../../src/topology/realm.ts';
import { Topology } from '../../src/topology/topology.ts';
import type { Peer, SimulatedRedis } from './simulated-redis.ts';

interface Move {
  readonly to: SimulatedRedis;
  /** Keys that are there already. */
  readonly moved: Set<string>;
}

export interface PartsWorld {
  problem(text: string): void;
  now(): number;
}

/** What the simulation's clients use, so that they can be moved. */
export const keys = ['k0', 'k1', 'k2', '{k0}a', '{k0}b', 'list', 'x0', 'x1', 'x2'];

export class SimulatedParts {
  readonly realms: readonly Realm[];
  readonly clustered: boolean;
  /** How often a server said that a key is elsewhere, and in which word. */
  readonly said: Record<string, number> = {};
  /** Primaries, and who follows them. */
  readonly #redis: readonly SimulatedRedis[];
  readonly #followers: ReadonlyMap<SimulatedRedis, readonly SimulatedRedis[]>;
  readonly #shards: readonly Shard[];
  /** Shards that are known to give slots away. */
  readonly #moving = new Set<SimulatedRedis>();
  /** What the poller does next, shard by shard. */
  readonly #questions = new Map<SimulatedRedis, (() => void)[]>();
  readonly #random: Random;
  readonly #world: PartsWorld;
  readonly #owners = new Map<number, SimulatedRedis>();
  /** What the ambassador supposes. */
  readonly #believed = new Map<number, SimulatedRedis>();
  readonly #moves = new Map<number, Move>();
  /** The cluster is down for them. */
  readonly #down = new Set<SimulatedRedis>();
  /** Nobody knows whether they are primaries. */
  readonly #unsure = new Set<SimulatedRedis>();

  /** `followers`: how many each of `redis` has; they come behind all of them. */
  constructor(
    clustered: boolean,
    all: readonly SimulatedRedis[],
    followers: number,
    random: Random,
    world: PartsWorld,
  ) {
    this.clustered = clustered;
    const count = all.length / (followers + 1);
    const redis = all.slice(0, count);
    this.#redis = redis;
    this.#followers = new Map(
      redis.map((one, i) => [one, all.slice(count + i * followers, count + (i + 1) * followers)]),
    );
    this.#random = random;
    this.#world = world;
    const [first] = redis as [SimulatedRedis];
    for (const one of redis) {
      one.role = 'master';
      one.log = first.log;
    }
    for (const one of all)
      one.gate = (at, peer, keyed) => (clustered ? this.#cluster(at, peer, keyed) : this.#route(at, keyed));
    const shards = redis.map((one) => this.#shard(one));
    this.#shards = shards;
    this.realms = clustered
      ? [this.#realm('cluster', shards)]
      : shards.map((shard, i) => this.#realm(`route ${i}`, [shard]));
  }

  /** The realm of a key prefix: the number in it. */
  realmOf(key: Uint8Array | undefined): Realm {
    const at = this.clustered || key === undefined ? 0 : partOf(Buffer.from(key).toString('latin1'));
    return this.realms[at % this.realms.length] as Realm;
  }

  /** Something about who has what changes. */
  change(): void {
    const redis = this.#any(this.#redis);
    const slot = slotOf(Buffer.from(this.#any(keys)));
    const kinds = [
      () => this.#begin(slot, redis),
      () => this.#begin(slot, redis),
      () => this.#moveOn(slot),
      () => this.#moveOn(slot),
      () => this.#moveOn(slot),
      () => this.#finish(slot),
      () => this.#believe(slot, redis),
      () => this.#down.add(redis),
      () => this.#down.delete(redis),
      () => this.#down.clear(),
      () => this.#unsure.add(redis),
    ];
    if (this.clustered) this.#any(kinds)();
  }

  /** The poller has found out. */
  poll(): void {
    for (const redis of this.#unsure) this.#unsure.delete(redis);
    if (this.#random.next() < 0.2) for (const [slot, owner] of this.#owners) this.#believe(slot, owner);
    for (const giver of this.#moving) if (!this.#gives(giver)) this.#moving.delete(giver);
    for (const [i, redis] of this.#redis.entries()) this.#ask(redis, (this.#shards[i] as Shard).topology);
  }

  /** Whom a server follows; undefined: it is a primary. */
  masterOf(redis: SimulatedRedis): SimulatedRedis | undefined {
    return this.#redis.find((one) => this.#followers.get(one)?.includes(redis));
  }

  /** The poller does not hear of a replica; its name. */
  silent(): string | undefined {
    const replica = this.#any([...this.#followers.values()].flat());
    if (replica !== undefined) for (const { topology } of this.#shards) topology.replicaLost(replica.name, 'it does not answer'); // prettier-ignore
    return replica?.name;
  }

  /** A connection to a server could not be opened. */
  failed(name: string, why: string): void {
    for (const { topology } of this.#shards) {
      const replica = topology.replica(name);
      if (replica !== undefined) topology.replicaFailed(replica, why);
    }
  }

  calm(): void {
    this.#down.clear();
    for (const slot of [...this.#moves.keys()]) this.#finish(slot);
  }

  #any<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random.next() * list.length)] as T;
  }

  #owner(slot: number): SimulatedRedis {
    return this.#owners.get(slot) ?? (this.#redis[slot % this.#redis.length] as SimulatedRedis);
  }

  #begin(slot: number, to: SimulatedRedis): void {
    if (!this.#moves.has(slot) && to !== this.#owner(slot)) this.#moves.set(slot, { to, moved: new Set() });
  }

  #moveOn(slot: number): void {
    this.#moves.get(slot)?.moved.add(this.#any(keys.filter((key) => slotOf(Buffer.from(key)) === slot)));
  }

  #finish(slot: number): void {
    const move = this.#moves.get(slot);
    if (move === undefined) return;
    this.#owners.set(slot, move.to);
    this.#moves.delete(slot);
  }

  /** Some of its slots are on their way. */
  #gives(giver: SimulatedRedis): boolean {
    return [...this.#moves.keys()].some((slot) => this.#owner(slot) === giver);
  }

  #believe(slot: number, owner: SimulatedRedis): void {
    const before = this.#believedOf(slot);
    this.#believed.set(slot, owner);
    if (before === owner) return;
    this.#moving.add(before);
    this.#shards[this.#redis.indexOf(owner)]?.topology.tookOver();
  }

  #believedOf(slot: number): SimulatedRedis {
    return this.#believed.get(slot) ?? (this.#redis[slot % this.#redis.length] as SimulatedRedis);
  }

  /** One step of a round: a question leaves, or its answer comes. */
  #ask(redis: SimulatedRedis, topology: Topology): void {
    const followers = this.#followers.get(redis) ?? [];
    const questions = this.#questions.get(redis) ?? [];
    this.#questions.set(redis, questions);
    const next = questions.shift();
    if (next !== undefined || followers.length === 0) {
      next?.();
      return;
    }
    const round = topology.beginRound();
    const sentAt = this.#world.now();
    questions.push(() => {
      const sample = redis.sample();
      questions.push(() => {
        if (sample === undefined) topology.primaryLost('it does not answer');
        else topology.primaryAnswered(round, sentAt, sample);
        for (const follower of followers)
          questions.push(() => this.#askFollower(follower, topology, questions));
      });
    });
  }

  #askFollower(follower: SimulatedRedis, topology: Topology, questions: (() => void)[]): void {
    const sample = follower.sample();
    questions.push(() => {
      if (sample === undefined) topology.replicaLost(follower.name, 'it does not answer');
      else topology.replicaAnswered(follower.name, sample, this.#world.now());
    });
  }

  // ---- what servers say

  #cluster(at: SimulatedRedis, peer: Peer, keyed: readonly string[]): string | undefined {
    const answer = keyed.length === 0 ? undefined : this.#redirection(at, peer, keyed);
    const word = answer?.split(' ')[0] ?? 'own';
    this.said[word] = (this.said[word] ?? 0) + 1;
    return answer;
  }

  #redirection(at: SimulatedRedis, peer: Peer, keyed: readonly string[]): string | undefined {
    const slots = new Set(keyed.map((key) => slotOf(Buffer.from(key))));
    const [slot = 0] = slots;
    if (slots.size > 1) return "-CROSSSLOT Keys in request don't hash to the same slot\r\n";
    if (this.#down.has(at)) return '-CLUSTERDOWN The cluster is down\r\n';
    const owner = this.#owner(slot);
    const master = this.masterOf(at);
    // A replica knows nothing of keys that are on their way.
    if (master !== undefined && peer.readonly && owner === master) return undefined;
    const move = this.#moves.get(slot);
    const moved = keyed.filter((key) => move?.moved.has(key)).length;
    if (at === move?.to && peer.asking)
      return moved === keyed.length
        ? undefined
        : '-TRYAGAIN Multiple keys request during rehashing of slot\r\n';
    if (at !== owner) return `-MOVED ${slot} ${owner.name}\r\n`;
    if (move === undefined || moved === 0) return undefined;
    return moved < keyed.length
      ? '-TRYAGAIN Multiple keys request during rehashing of slot\r\n'
      : `-ASK ${slot} ${move.to.name}\r\n`;
  }

  /** Without a cluster nobody says that a key is elsewhere. */
  #route(at: SimulatedRedis, keyed: readonly string[]): undefined {
    for (const key of keyed) {
      if (this.#redis[partOf(key) % this.#redis.length] !== at)
        this.#world.problem(`${key} was asked for at ${at.name}`);
    }
  }

  // ---- what the ambassador sees

  #shard(redis: SimulatedRedis): Shard {
    const topology = new Topology(() => Number.POSITIVE_INFINITY, {
      random: this.#random,
      now: () => this.#world.now(),
    });
    const followers = this.#followers.get(redis) ?? [];
    topology.setServers(redis.name, followers.map(({ name }) => name)); // prettier-ignore
    const unsure = this.#unsure;
    const moving = this.#moving;
    return {
      name: redis.name,
      topology,
      get primary() {
        return unsure.has(redis) ? undefined : redis.server;
      },
      why: 'it is being asked',
      checking: false,
      busy: undefined,
      get moving() {
        return moving.has(redis);
      },
      server: (name) => [redis, ...followers].find((one) => one.name === name)?.server,
      needRound: () => {},
    };
  }

  #realm(name: string, shards: readonly Shard[]): Realm {
    return {
      name,
      clustered: this.clustered,
      shards,
      problem: '',
      shardOf: (slot) => {
        const believed = slot < 0 ? undefined : this.#believedOf(slot);
        return shards.find((shard) => shard.name === believed?.name) ?? shards[0];
      },
      serverAt: (address) => this.#named(address).server,
      doubt: (doubt) => this.#doubted(doubt),
      describe: () => ({}),
      close: () => {},
    };
  }

  #named(name: string): SimulatedRedis {
    return this.#redis.find((one) => one.name === name) as SimulatedRedis;
  }

  #doubted(doubt: Doubt): void {
    if (doubt.kind === 'moved') this.#believe(doubt.slot, this.#named(doubt.to));
    if (doubt.kind === 'asked') this.#moving.add(this.#named(doubt.server));
  }
}

function partOf(key: string): number {
  return Number(/\d/.exec(key)?.[0] ?? 0);
}
