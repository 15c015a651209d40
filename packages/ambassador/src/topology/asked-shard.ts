/** A shard that is asked: its decisions (shard.ts), its proofs (topology.ts) and its rounds (rounds.ts), put together. */

import type { Links } from './links.ts';
import { uncounted } from './metrics.ts';
import type { RealmEvents } from './realm.ts';
import type { RealmConfig, RealmDeps } from './realm-options.ts';
import { Rounds } from './rounds.ts';
import { LiveShard } from './shard.ts';
import { Topology } from './topology.ts';

export interface AskedShard {
  readonly shard: LiveShard;
  readonly rounds: Rounds;
}

export interface ShardContext {
  readonly config: Pick<RealmConfig, 'maxLagMs'>;
  readonly deps: RealmDeps;
  readonly events: RealmEvents;
  readonly links: Links;
  readonly onClaim: (server: string) => void;
}

export function askedShard(name: string, context: ShardContext): AskedShard {
  const { config, deps, events, links, onClaim } = context;
  const { clock, log, random, limits, zone = () => undefined, metrics = uncounted } = deps;
  const topology = new Topology(config.maxLagMs, {
    random,
    limits,
    zone,
    now: () => clock.now(),
    onEjected: ({ name: server, failures }) => {
      metrics.ejected();
      log.warn('replica ejected', { server, failures });
    },
  });
  const shard = new LiveShard({
    name,
    topology,
    limits,
    log,
    metrics,
    events,
    now: () => clock.now(),
    needRound: () => rounds.demand(),
    onClaim,
  });
  const rounds: Rounds = new Rounds({
    shard,
    clock,
    limits,
    maxLagMs: config.maxLagMs,
    log,
    metrics,
    ask: (server) => links.to(server).ask(),
  });
  return { shard, rounds };
}
