/** A realm of one shard, for every source of servers but a cluster. */

import { parseAddress } from '@outrigger/core/net';
import { serverAt } from '../upstream/server.ts';
import type { Server } from '../upstream/server.ts';
import { askedShard } from './asked-shard.ts';
import type { AskedShard } from './asked-shard.ts';
import { describeShard } from './describe.ts';
import { Links } from './links.ts';
import type { Doubt, Realm, RealmEvents } from './realm.ts';
import type { RealmConfig, RealmDeps } from './realm-options.ts';
import type { Belief } from './roles.ts';
import { contradicted } from './shard.ts';
import type { LiveShard } from './shard.ts';

/** Knows which servers there are, and who is meant to be the primary. */
export interface Place {
  readonly servers: readonly Server[];
  readonly belief: Belief;
}

export class OneShardRealm implements Realm {
  readonly name: string;
  readonly clustered = false;
  readonly shards: readonly LiveShard[];
  readonly #asked: AskedShard;
  readonly #links: Links;
  readonly #now: () => number;
  readonly #closing: (() => void)[] = [];
  /** Asks whoever knows the servers again; nothing where that is not a question. */
  onDoubt: () => void = () => {};
  /** More for `describe`. */
  about: () => object = () => ({});

  constructor(config: RealmConfig, deps: RealmDeps, events: RealmEvents) {
    this.name = config.name;
    this.#now = () => deps.clock.now();
    this.#links = new Links(deps, (server) => {
      this.shard.ended(server);
    });
    const onClaim = (): void => this.onDoubt();
    this.#asked = askedShard(config.name, { config, deps, events, links: this.#links, onClaim });
    this.shards = [this.#asked.shard];
  }

  get shard(): LiveShard {
    return this.#asked.shard;
  }

  get problem(): string {
    return this.shard.why;
  }

  place({ servers, belief }: Place): void {
    this.shard.place(servers, belief);
    this.#links.keep(new Set(servers.map(({ name }) => name)));
  }

  start(): Promise<void> {
    return this.#asked.rounds.start();
  }

  /** Asks one server now; resolves when it has answered or failed. */
  async look(name: string): Promise<void> {
    const server = this.shard.server(name);
    if (server !== undefined) await this.#asked.rounds.look(server);
  }

  shardOf(): LiveShard {
    return this.shard;
  }

  serverAt(address: string): Server {
    const known = this.shard.server(address);
    if (known !== undefined) return known;
    const tls = this.shard.servers.some((server) => server.tls);
    return serverAt(parseAddress(address) as Server['address'], tls);
  }

  doubt(doubt: Doubt): void {
    if (doubt.kind === 'readonly') this.shard.suspect(doubt.server, contradicted);
    this.shard.needRound();
    if (doubt.kind !== 'moved') this.onDoubt();
  }

  describe(): object {
    return {
      name: this.name,
      clustered: false,
      ...this.about(),
      shards: [describeShard(this.shard, this.#now())],
    };
  }

  /** Runs with `close`. */
  closing(step: () => void): void {
    this.#closing.push(step);
  }

  close(): void {
    for (const step of this.#closing) step();
    this.#asked.rounds.close();
    this.#links.close();
  }
}
