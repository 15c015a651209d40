/** Realms of servers that are written down, or found as the endpoints of Services. */

import type { Server } from '../upstream/server.ts';
import { OneShardRealm } from './one-shard.ts';
import type { Place } from './one-shard.ts';
import type { Realm, RealmEvents } from './realm.ts';
import type { RealmConfig, RealmDeps, ServiceSource, StaticSource } from './realm-options.ts';
import { followAll } from './source.ts';
import type { EndpointWatch } from './source.ts';

type With<S> = RealmConfig & S;

/** A primary that is named, and replicas. */
export async function openStatic(
  config: With<StaticSource>,
  deps: RealmDeps,
  events: RealmEvents,
): Promise<Realm> {
  const primaries = config.primary === undefined ? [] : [config.primary];
  return open(config, deps, events, [...primaries, ...config.replicas], (followed) => {
    const [primary, ...replicas] = primaries.length === 0 ? [undefined, ...followed] : followed;
    const named = primary?.servers ?? [];
    const several = `its Service has ${named.length} ready endpoints: it must select the primary alone`;
    const why = named.length > 1 ? several : (primary?.problem ?? 'no primary is configured');
    const name = named.length === 1 ? named[0]?.name : undefined;
    return {
      servers: distinct([
        ...(name === undefined ? [] : named),
        ...replicas.flatMap((one) => one?.servers ?? []),
      ]),
      belief: { kind: 'configured', name, why: name === undefined ? why : '' },
    };
  });
}

/** Equals: whoever says it is the primary. */
export async function openServices(
  config: With<ServiceSource>,
  deps: RealmDeps,
  events: RealmEvents,
): Promise<Realm> {
  return open(config, deps, events, config.servers, (followed) => ({
    servers: distinct(followed.flatMap((one) => one.servers)),
    belief: { kind: 'asked', why: followed.map(({ problem }) => problem).join('; ') },
  }));
}

async function open(
  config: RealmConfig,
  deps: RealmDeps,
  events: RealmEvents,
  specs: Parameters<typeof followAll>[0],
  place: (followed: readonly EndpointWatch[]) => Place,
): Promise<Realm> {
  const realm = new OneShardRealm(config, deps, events);
  // Changes that come before everything is known are in what is read then.
  let known: readonly EndpointWatch[] = [];
  const followed = await followAll(specs, deps.watchService, () => {
    if (known.length > 0) realm.place(place(known));
  });
  known = followed;
  realm.closing(() => {
    for (const one of followed) one.close();
  });
  realm.place(place(followed));
  await realm.start();
  return realm;
}

function distinct(servers: readonly Server[]): Server[] {
  return [...new Map(servers.map((server) => [server.name, server])).values()];
}
