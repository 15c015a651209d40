/** What the service knows: the store, the cache that follows it, and the registry that writes to it. */

import { randomUUID } from 'node:crypto';
import { kinds } from '@outrigger/core/api';
import type { Cleanup, Deps } from '@outrigger/core/lifecycle';
import { writeChain } from './admission.ts';
import { repairAllocations, ServiceAllocator } from './allocate/index.ts';
import { Cache } from './cache/cache.ts';
import type { HistoryLimits } from './cache/history.ts';
import type { ControlConfig } from './config.ts';
import { servicesIn } from './registry/services.ts';
import { Registry } from './registry/registry.ts';
import { defineResource } from './registry/resource.ts';
import type { Resource } from './registry/resource.ts';
import { seedNamespaces } from './registry/seed.ts';
import type { SequencedStore, StoreObserver } from './store/index.ts';

export interface State {
  readonly store: SequencedStore;
  readonly cache: Cache;
  readonly registry: Registry;
  readonly resources: readonly Resource[];
  readonly namespaces: Resource;
  readonly allocator: ServiceAllocator;
}

/** Revisions of stored history taken in at start: watches from before a restart go on without a relist. */
const replayRevisions = 5_000;
const historyLimits: Omit<HistoryLimits, 'historyMs'> = {
  historyFloor: 1_000,
  historyCeiling: 100_000,
  historyBytes: 64 * 1024 * 1024,
};

export async function openState(
  config: ControlConfig,
  deps: Deps,
  observer: StoreObserver,
  cleanup: Cleanup,
): Promise<State> {
  const { clock, random, log } = deps;
  const { historyMs, maxBodyBytes: maxObjectBytes, maxObjects } = config.limits;
  const resources = kinds.map((kind) => defineResource(kind));
  const namespaces = resources.find(({ name }) => name === 'namespaces') as Resource;
  const { serviceCidrs: serviceCIDRs, nodePortRange } = config;
  const allocator = new ServiceAllocator({ serviceCIDRs, nodePortRange, random });
  const store = await openStore(config, deps, observer);
  cleanup.add('the store', () => store.close());
  const options = {
    store,
    resources,
    clock,
    limits: { ...historyLimits, historyMs },
    replayRevisions,
  };
  const cache = await Cache.open(options, { allocations: allocator });
  cleanup.add('the watch cache', () => cache.close());
  cache.onFailure((error) => log.error('the watch cache lost its feed from the store', { error }));
  await seedNamespaces(namespaces, { cache, store, random }, clock.wall());
  await repairAllocations(store, servicesIn(cache, resources), allocator.state, log);
  const validation = { allowLoopbackEndpoints: config.allowLoopbackEndpoints };
  const admit = writeChain({ cache, namespaces, validation, allocator, maxObjects });
  const registry = new Registry({ store, cache, clock, random, admit, maxObjectBytes });
  return { store, cache, registry, resources, namespaces, allocator };
}

/** Imported when it is known which: the memory store needs no SQLite. */
async function openStore(
  config: ControlConfig,
  deps: Deps,
  observer: StoreObserver,
): Promise<SequencedStore> {
  const stores = await import('./store/index.ts');
  const options = { clock: deps.clock, observer, epoch: randomUUID() };
  if (config.store.type === 'memory') return stores.openMemoryStore(options);
  return stores.openSqliteStore({ ...options, dir: config.store.dir });
}
