/** Opens a realm: from what configuration names to shards whose primaries are verified. */

import type { Clock, Random } from '@outrigger/core/clock';
import { OutriggerError } from '@outrigger/core/errors';
import type { Logger } from '@outrigger/core/log';
import type { Net } from '@outrigger/core/net';
import type { AmbassadorLimits } from '../daemon/limits.ts';
import type { Credentials } from '../upstream/credentials.ts';
import type { Server, ServerSpec } from '../upstream/server.ts';
import { serverAt } from '../upstream/server.ts';
import { parseAddress } from '@outrigger/core/net';
import { Poller } from './poller.ts';
import type { Realm, RealmEvents, Shard } from './realm.ts';
import { openSource } from './source.ts';
import type { WatchService } from './source.ts';
import { Topology } from './topology.ts';

/** Where the servers are to be found. */
export type RealmSource =
  | {
      readonly kind: 'static';
      readonly primary: ServerSpec | undefined;
      readonly replicas: readonly ServerSpec[];
    }
  /** One Service whose members are asked for their roles. */
  | { readonly kind: 'service'; readonly servers: readonly ServerSpec[] }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly ServerSpec[];
      readonly master: string;
      readonly sentinelCredentials?: () => Credentials | undefined;
    }
  | { readonly kind: 'cluster'; readonly seeds: readonly ServerSpec[] };

export type RealmConfig = RealmSource & {
  readonly name: string;
  readonly maxLagMs: () => number;
};

export interface RealmDeps {
  readonly clock: Clock;
  readonly net: Net;
  readonly log: Logger;
  readonly random: Random;
  readonly limits: AmbassadorLimits;
  readonly credentials: () => Credentials | undefined;
  /** For servers written as `svc:NAMESPACE/NAME`. */
  readonly watchService?: WatchService | undefined;
}

/** Resolves when every server has been asked once, whether it answered or not. */
export async function openRealm(config: RealmConfig, deps: RealmDeps, events: RealmEvents): Promise<Realm> {
  if (config.kind !== 'static' || config.primary === undefined) {
    throw new OutriggerError(`${config.kind} upstreams cannot be reached`, {
      code: 'AMBASSADOR_REALM_UNSUPPORTED',
      target: config.name,
      hint: 'name a primary',
    });
  }
  const topology = new Topology(config.maxLagMs);
  let servers = new Map<string, Server>();
  let primary: Server | undefined;
  const lost = (server: string): void => {
    if (primary === undefined || primary.name !== server || shard.primary !== undefined) return;
    primary = undefined;
    events.deposed(server);
  };
  const poller = new Poller({
    topology,
    ...deps,
    maxLagMs: config.maxLagMs,
    onChange: () => events.changed(),
    onSilent: () => {
      const { name, why } = topology.primary;
      if (why !== '') {
        events.silent(name);
        lost(name);
      }
      for (const replica of topology.replicas) if (!replica.reachable) events.silent(replica.name);
    },
  });
  const shard: Shard = {
    name: config.name,
    topology,
    get primary() {
      return topology.primary.why === '' ? servers.get(topology.primary.name) : undefined;
    },
    get why() {
      return topology.primary.why;
    },
    server: (name) => servers.get(name),
    needRound: () => poller.demand(),
  };
  const apply = (): void => {
    const { primary: named, problem, replicas: all } = source.servers;
    const replicas = all.filter(({ name }) => name !== named?.name);
    servers = new Map(
      [...(named === undefined ? [] : [named]), ...replicas].map((server) => [server.name, server]),
    );
    primary = named;
    topology.setServers(named?.name ?? '', replicas.map(({ name }) => name)); // prettier-ignore
    if (named === undefined) topology.primaryLost(problem);
    poller.setServers({ primary: named, replicas });
    events.changed();
  };
  const source = await openSource(
    { primary: config.primary, replicas: config.replicas },
    deps.watchService,
    apply,
  );
  apply();
  await poller.start();
  return {
    name: config.name,
    clustered: false,
    shards: [shard],
    shardOf: () => shard,
    serverAt: (address) => servers.get(address) ?? serverAt(parseAddress(address) as Server['address']),
    doubt: () => poller.demand(),
    close: () => {
      source.close();
      poller.close();
    },
  };
}
