/** Opens a realm: from what configuration names to shards whose primaries are verified. */

import type { Realm, RealmEvents } from './realm.ts';
import type { RealmConfig, RealmDeps } from './realm-options.ts';
import { openCluster } from './cluster.ts';
import { openSentinel } from './sentinel.ts';
import { openServices, openStatic } from './static.ts';

export type { RealmConfig, RealmDeps, RealmSource } from './realm-options.ts';

/** Resolves when every server has been asked once, whether it answered or not. */
export function openRealm(config: RealmConfig, deps: RealmDeps, events: RealmEvents): Promise<Realm> {
  switch (config.kind) {
    case 'static':
      return openStatic(config, deps, events);
    case 'service':
      return openServices(config, deps, events);
    case 'sentinel':
      return openSentinel(config, deps, events);
    case 'cluster':
      return openCluster(config, deps, events);
  }
}
