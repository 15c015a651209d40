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
  readonly #redis: readonly SimulatedRedis[];
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

  constructor(clustered: boolean, redis: readonly SimulatedRedis[], random: Random, world: PartsWorld) {
    this.clustered = clustered;
    this.#redis = redis;
    this.#random = random;
    this.#world = world;
    const [first] = redis as [SimulatedRedis];
    for (const one of redis) {
      one.role = 'master';
      one.log = first.log;
      one.gate = (at, peer, keyed) => (clustered ? this.#cluster(at, peer, keyed) : this.#route(at, keyed));
    }
    const shards = redis.map((one) => this.#shard(one));
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
      () => this.#believed.set(slot, redis),
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
    if (this.#random.next() < 0.2) for (const [slot, owner] of this.#owners) this.#believed.set(slot, owner);
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
    topology.setServers(redis.name, []);
    const unsure = this.#unsure;
    return {
      name: redis.name,
      topology,
      get primary() {
        return unsure.has(redis) ? undefined : redis.server;
      },
      why: 'it is being asked',
      checking: false,
      server: (name) => (name === redis.name ? redis.server : undefined),
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
        const believed =
          slot < 0 ? undefined : (this.#believed.get(slot) ?? this.#redis[slot % this.#redis.length]);
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
    if (doubt.kind === 'moved') this.#believed.set(doubt.slot, this.#named(doubt.to));
  }
}

function partOf(key: string): number {
  return Number(/\d/.exec(key)?.[0] ?? 0);
}
