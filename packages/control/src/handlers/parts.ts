/** What handlers work with. */

import type { Clock, Random } from '@outrigger/core/clock';
import type { Cache } from '../cache/cache.ts';
import type { Registry } from '../registry/registry.ts';
import type { Resource } from '../registry/resource.ts';
import type { Store } from '../store/store.ts';
import type { WatchHub } from '../watch/hub.ts';
import type { ApiRequest } from './http.ts';
import type { ResourceRoute } from './route.ts';

export interface ApiParts {
  readonly resources: readonly Resource[];
  readonly store: Store;
  readonly cache: Cache;
  readonly hub: WatchHub;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
  readonly maxWatches: number;
}

/** One request for objects of a resource that is served. */
export interface Call {
  readonly request: ApiRequest;
  readonly route: ResourceRoute;
  readonly resource: Resource;
}
