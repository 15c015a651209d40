/**
 * A realm that is a Redis Cluster: a shard for each primary, and a table that says which shard serves a slot.
 *
 * The table follows the newest view of a few nodes (cluster-view.ts). A redirection is applied at once, since whoever sent
 * it knows, and confirmed by asking. Who is a shard's primary is what the view says and that server confirms (roles.ts).
 */

import type { Timer } from '@outrigger/core/clock';
import { Dirty } from '@outrigger/core/lifecycle';
import { parseAddress } from '@outrigger/core/net';
import { serverAt } from '../upstream/server.ts';
import type { AmbassadorLimits } from '../daemon/limits.ts';
import type { Server } from '../upstream/server.ts';
import { askedShard } from './asked-shard.ts';
import type { AskedShard } from './asked-shard.ts';
import { matchShards } from './cluster-match.ts';
import type { Before } from './cluster-match.ts';
import { askForView } from './cluster-ask.ts';
import type { ClusterNode, ClusterView, NodeGroup } from './cluster-view.ts';
import { describeShard } from './describe.ts';
import { Links } from './links.ts';
import { paceMs } from './limits.ts';
import { uncounted } from './metrics.ts';
import type { TopologyMetrics } from './metrics.ts';
import { Moves } from './moves.ts';
import type { Doubt, Realm, RealmEvents } from './realm.ts';
import type { ClusterSource, RealmConfig, RealmDeps } from './realm-options.ts';
import { contradicted } from './shard.ts';
import type { LiveShard } from './shard.ts';
import { SlotTable } from './slot-table.ts';
import { followAll } from './source.ts';
import type { EndpointWatch } from './source.ts';

type Config = RealmConfig & ClusterSource;

export async function openCluster(config: Config, deps: RealmDeps, events: RealmEvents): Promise<Realm> {
  const followed = await followAll(config.seeds, deps.watchService, () => {});
  const realm = new ClusterRealm(config, deps, events, followed);
  await realm.start();
  return realm;
}

/** A shard and the nodes it was last seen to have. */
interface Held extends Before, AskedShard {
  primary: ClusterNode;
  nodes: ReadonlySet<string>;
  /** Resolves when all its servers have been asked; undefined before anybody began. */
  begun: Promise<void> | undefined;
}

class ClusterRealm implements Realm {
  readonly name: string;
  readonly clustered = true;
  readonly #config: Config;
  readonly #deps: RealmDeps;
  readonly #events: RealmEvents;
  readonly #metrics: TopologyMetrics;
  readonly #limits: AmbassadorLimits;
  readonly #followed: readonly EndpointWatch[];
  readonly #links: Links;
  readonly #looks: Dirty;
  readonly #moves: Moves<Held>;
  readonly #table = new SlotTable<Held>();
  #held: Held[] = [];
  #shards: readonly LiveShard[] = [];
  /** Nodes that are likely to know best: asked first. */
  #informed = new Map<string, Server>();
  #view: { readonly node: string; readonly epoch: number; readonly ok: boolean } | undefined;
  #unservedSinceMs: number | undefined;
  #problem = 'no node has been asked yet';
  #timer: Timer | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(config: Config, deps: RealmDeps, events: RealmEvents, followed: readonly EndpointWatch[]) {
    this.name = config.name;
    this.#config = config;
    this.#deps = deps;
    this.#events = events;
    this.#metrics = deps.metrics ?? uncounted;
    this.#limits = deps.limits;
    this.#followed = followed;
    this.#links = new Links(deps, (server) => this.#ended(server));
    this.#looks = new Dirty({
      clock: deps.clock,
      minIntervalMs: this.#limits.roundSpacingMs,
      run: () => this.#look(),
      onError: (error) => deps.log.error('asking for the slots failed', { error }),
    });
    this.#moves = new Moves({
      ...deps,
      givers: () => this.#held,
      ask: async (server) => String(await this.#links.to(server).call('CLUSTER', 'NODES')),
      lacks: (held, { ranges }) => this.#table.overlap(held, ranges) < sizeOf(this.#table.rangesOf(held)),
      onLack: () => this.#looks.mark(),
    });
  }

  get shards(): readonly LiveShard[] {
    return this.#shards;
  }

  get problem(): string {
    return this.#problem;
  }

  /** Resolves when the slots are known or no node has told, and every server has been asked once. */
  async start(): Promise<void> {
    await this.#look();
    await Promise.all(this.#held.map(begin));
    await this.#moves.start();
    this.#keepTime();
  }

  shardOf(slot: number): LiveShard | undefined {
    return slot < 0 ? this.#any() : this.#table.get(slot)?.shard;
  }

  serverAt(address: string): Server {
    for (const shard of this.#shards) {
      const known = shard.server(address);
      if (known !== undefined) return known;
    }
    return serverAt(parseAddress(address) as Server['address'], this.#tls);
  }

  doubt(doubt: Doubt): void {
    if (this.#closed) return;
    if (doubt.kind === 'moved') {
      this.#moved(doubt.slot, doubt.to);
      return;
    }
    if (doubt.kind === 'asked') {
      for (const held of this.#held)
        if (held.shard.server(doubt.server) !== undefined) this.#moves.seen(held);
      return;
    }
    for (const shard of this.#shards) {
      if (shard.server(doubt.server) === undefined) continue;
      if (doubt.kind === 'readonly') shard.suspect(doubt.server, contradicted);
      shard.needRound();
    }
    this.#looks.mark();
  }

  describe(): object {
    const { clock } = this.#deps;
    return {
      name: this.name,
      clustered: true,
      problem: this.#problem,
      view: this.#view ?? null,
      unserved: this.#table.unserved,
      shards: this.#held.map((held) => ({
        ...describeShard(held.shard, clock.now()),
        slots: this.#table.rangesOf(held).map(({ first, last }) => `${first}-${last}`),
      })),
    };
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#looks.close();
    this.#moves.close();
    for (const one of this.#followed) one.close();
    for (const { rounds } of this.#held) rounds.close();
    this.#links.close();
  }

  get #tls(): boolean {
    return this.#followed.some(({ servers }) => servers.some((server) => server.tls));
  }

  /** For a command without a key: always the same, so that what one server alone knows is asked where it was told. */
  #any(): LiveShard | undefined {
    const byName = this.#shards.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return byName.find((shard) => shard.primary !== undefined) ?? byName[0];
  }

  #ended(server: string): void {
    for (const shard of this.#shards) if (shard.server(server) !== undefined) shard.ended(server);
    this.#looks.mark();
  }

  #moved(slot: number, to: string): void {
    const told = to.startsWith(':') ? this.#sameHost(slot, to) : to;
    const server = this.serverAt(told);
    const held =
      this.#held.find(({ shard }) => shard.server(server.name) !== undefined) ?? this.#stranger(server);
    if (held === undefined) return;
    const { belief, servers, primary } = held.shard;
    const meant = belief.kind === 'named' && belief.name === server.name;
    const before = this.#table.get(slot);
    const known = before === held;
    if (meant && known) return;
    this.#metrics.redirected();
    this.#table.set(slot, held);
    if (!known) held.shard.topology.tookOver();
    if (!known && before !== undefined) this.#moves.seen(before);
    // Within a shard it means a failover, or old news: its primary knows, so nothing is sent to it until it has told.
    if (!meant && primary !== undefined) held.shard.suspect(primary.name, 'may have lost its slots');
    else if (!meant) held.shard.place(servers, { kind: 'named', name: server.name, why: '' });
    this.#informed.set(server.name, server);
    this.#events.changed();
    this.#looks.mark();
  }

  /** A node that does not know its own host names its port alone: the host is the one that was asked. */
  #sameHost(slot: number, to: string): string {
    const address = this.#table.get(slot)?.shard.servers[0]?.address;
    return address?.kind === 'tcp'
      ? `${address.host.includes(':') ? `[${address.host}]` : address.host}${to}`
      : to;
  }

  /** A node nobody has spoken of: a shard until the slots have been looked at. */
  #stranger(server: Server): Held | undefined {
    const held = this.#hold({ id: server.name, name: server.name });
    if (held === undefined) return undefined;
    held.shard.place([server], { kind: 'named', name: server.name, why: '' });
    this.#refill(this.#held);
    void begin(held);
    return held;
  }

  #hold(primary: ClusterNode): Held | undefined {
    if (this.#held.length >= this.#limits.maxShards) {
      this.#deps.log.error('a shard is not used: there are too many', { primary: primary.name });
      return undefined;
    }
    const context = {
      config: this.#config,
      deps: this.#deps,
      events: this.#events,
      links: this.#links,
      onClaim: () => this.#looks.mark(),
    };
    const held: Held = {
      ...askedShard(primary.id.slice(0, 12), context),
      primary,
      nodes: new Set([primary.id]),
      begun: undefined,
      slotsIn: ({ ranges }) => this.#table.overlap(held, ranges),
    };
    this.#held.push(held);
    return held;
  }

  #keepTime(): void {
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#keepTimeIn(this.#paceMs());
  }

  /** Then, or sooner if that has been settled already. */
  #keepTimeIn(delayMs: number): void {
    const { clock } = this.#deps;
    if (this.#closed || this.#dueMs <= clock.now() + delayMs) return;
    this.#timer?.cancel();
    this.#dueMs = clock.now() + delayMs;
    this.#timer = clock.setTimeout(() => {
      this.#looks.mark();
      this.#keepTime();
    }, delayMs);
  }

  /** As often as something is missing for a shorter time. */
  #paceMs(): number {
    const now = this.#deps.clock.now();
    const absent = this.#shards.flatMap((shard) => shard.absentMs(now) ?? []);
    if (this.#unservedSinceMs !== undefined) absent.push(now - this.#unservedSinceMs);
    const least = absent.length === 0 ? undefined : Math.min(...absent);
    return paceMs(least, this.#limits.slotRefreshMs, this.#limits);
  }

  async #look(): Promise<void> {
    const informed = [...this.#informed.values()];
    this.#informed = new Map();
    const { view, failures } = await askForView(this.#witnesses(informed), {
      atOnce: this.#limits.slotViews,
      link: (server) => this.#links.to(server),
    });
    if (this.#closed) return;
    this.#metrics.slotRefresh(view === undefined ? 'failed' : 'applied');
    if (view === undefined) this.#tell([...this.#problems(), ...failures].join('; '));
    else this.#apply(view);
    const { clock } = this.#deps;
    if (this.#table.unserved === 0) this.#unservedSinceMs = undefined;
    else this.#unservedSinceMs ??= clock.now();
    this.#keepTimeIn(this.#paceMs());
  }

  /** Who may know best, who answers, then anybody. */
  #witnesses(informed: readonly Server[]): Server[] {
    const members = this.#shards.flatMap((shard) =>
      shard.servers.map((server) => ({ server, up: shard.sample(server.name) !== undefined })),
    );
    const up = shuffled(
      members.filter((member) => member.up),
      () => this.#deps.random.next(),
    );
    const seeds = this.#followed.flatMap(({ servers }) => servers);
    const down = members.filter((member) => !member.up);
    const named = (list: typeof members): Server[] => list.map(({ server }) => server);
    const order = [...informed, ...named(up), ...seeds, ...named(down)];
    return [...new Map(order.map((server) => [server.name, server])).values()];
  }

  #problems(): string[] {
    return this.#followed.map(({ problem }) => problem).filter((problem) => problem !== '');
  }

  #apply(view: ClusterView): void {
    this.#view = { node: view.node, epoch: view.epoch, ok: view.ok };
    const pairs = matchShards(this.#held, view.groups);
    const kept = new Set(pairs.values());
    for (const held of this.#held) if (!kept.has(held)) this.#drop(held);
    this.#held = [...kept];
    for (const group of view.groups) {
      const held = pairs.get(group) ?? this.#hold(group.primary);
      if (held !== undefined) pairs.set(group, held);
    }
    for (const [{ ranges }, held] of pairs) {
      const stay = this.#table.overlap(held, ranges);
      if (stay < sizeOf(ranges)) held.shard.topology.tookOver();
      if (stay < sizeOf(this.#table.rangesOf(held))) this.#moves.seen(held);
    }
    this.#table.replace([...pairs].map(([group, held]) => [held, group.ranges]));
    this.#refill(this.#held);
    this.#tell(this.#table.unserved === 0 ? '' : `${this.#table.unserved} slots are served by nobody`);
    for (const [group, held] of pairs) this.#place(held, group);
    this.#links.keep(new Set(this.#shards.flatMap((shard) => shard.servers.map(({ name }) => name))));
    this.#events.changed();
    for (const held of this.#held) void begin(held);
  }

  #place(held: Held, { primary, replicas }: NodeGroup): void {
    const nodes = [primary, ...replicas];
    const { belief, servers } = held.shard;
    held.primary = primary;
    held.nodes = new Set(nodes.map(({ id }) => id));
    const names = new Set(nodes.map(({ name }) => name));
    const same = belief.kind === 'named' && belief.name === primary.name;
    if (same && servers.length === names.size && servers.every(({ name }) => names.has(name))) return;
    held.shard.place(
      [...names].map((name) => held.shard.server(name) ?? this.serverAt(name)),
      { kind: 'named', name: primary.name, why: '' },
    );
  }

  #drop(held: Held): void {
    held.rounds.close();
    held.shard.close();
  }

  #refill(held: readonly Held[]): void {
    this.#shards = held.map(({ shard }) => shard);
  }

  #tell(problem: string): void {
    if (problem !== '' && problem !== this.#problem) {
      this.#deps.log.warn('the cluster is not whole', { why: problem });
    }
    this.#problem = problem;
  }
}

function begin(held: Held): Promise<void> {
  held.begun ??= held.rounds.start();
  return held.begun;
}

/** So that not the same nodes are asked each time. */
function shuffled<T>(items: readonly T[], next: () => number): T[] {
  return items
    .map((item) => ({ item, at: next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function sizeOf(ranges: NodeGroup['ranges']): number {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}
