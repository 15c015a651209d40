/** Starts the control service: store, cache, registry, watches, controllers, and last the listener. */

import { randomUUID } from 'node:crypto';
import { ApiError, kinds } from '@outrigger/core/api';
import { Cleanup } from '@outrigger/core/lifecycle';
import type { Daemon, Deps } from '@outrigger/core/lifecycle';
import type { RequestGates } from './admission.ts';
import { writeChain } from './admission.ts';
import { ServiceAllocator } from './allocate/index.ts';
import { Cache } from './cache/cache.ts';
import type { ControlConfig } from './config.ts';
import { discoveryPages } from './discovery/pages.ts';
import { createApi } from './handlers/api.ts';
import { InFlight } from './handlers/in-flight.ts';
import { allPages, standardPages } from './handlers/pages.ts';
import { Resources } from './handlers/resources.ts';
import { versionInfo } from './handlers/version.ts';
import { openApiPages } from './openapi/pages.ts';
import { defineResource } from './registry/resource.ts';
import type { Resource } from './registry/resource.ts';
import { deleteNamespaces } from './registry/namespace-deletion.ts';
import { Registry } from './registry/registry.ts';
import { seedNamespaces } from './registry/seed.ts';
import { startServer } from './server.ts';
import type { SequencedStore } from './store/index.ts';
import { createTelemetry, exposeState } from './telemetry.ts';
import type { Telemetry } from './telemetry.ts';
import { WatchHub } from './watch/hub.ts';
import { defaultWatchLimits } from './watch/limits.ts';

/** Revisions of stored history taken in at start: watches from before a restart go on without a relist. */
const replayRevisions = 5_000;
const historyFloor = 1_000;
const historyCeiling = 100_000;
const historyBytes = 64 * 1024 * 1024;

/** Throws CONFIG_INVALID, LISTEN_FAILED and what opening the store throws. */
export async function start(config: ControlConfig, deps: Deps): Promise<Daemon> {
  const cleanup = new Cleanup();
  try {
    return await startParts(config, deps, cleanup);
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

async function startParts(config: ControlConfig, deps: Deps, cleanup: Cleanup): Promise<Daemon> {
  const { clock, random, log, metrics, net } = deps;
  const telemetry = createTelemetry(metrics);
  const store = await openStore(config, deps, telemetry);
  cleanup.add('the store', () => store.close());
  const resources = kinds.map((kind) => defineResource(kind));
  const namespaces = resources.find(({ name }) => name === 'namespaces') as Resource;
  const allocator = new ServiceAllocator({
    serviceCIDRs: config.serviceCidrs,
    nodePortRange: config.nodePortRange,
    random,
  });
  const cacheOptions = {
    store,
    resources,
    clock,
    limits: { historyMs: config.limits.historyMs, historyFloor, historyCeiling, historyBytes },
    replayRevisions,
    onFailure: (error: unknown) => log.error('the watch cache lost its feed from the store', { error }),
  };
  const cache = await Cache.open(cacheOptions, { allocations: allocator });
  cleanup.add('the watch cache', () => cache.close());
  exposeState(metrics, cache, store);
  await seedNamespaces(namespaces, { cache, store, random }, clock.wall());
  const admit = writeChain({
    cache,
    namespaces,
    validation: { allowLoopbackEndpoints: config.allowLoopbackEndpoints },
    allocator,
    maxObjects: config.limits.maxObjects,
  });
  const registry = new Registry({
    store,
    cache,
    clock,
    random,
    admit,
    maxObjectBytes: config.limits.maxBodyBytes,
  });
  cleanup.add(
    'the deletion of namespaces',
    deleteNamespaces({ cache, registry, resources, namespaces, clock, log }),
  );
  const hub = new WatchHub({
    cache,
    clock,
    log,
    limits: {
      ...defaultWatchLimits,
      maxWatches: config.limits.maxWatches,
      watchBufferBytes: config.limits.watchBufferBytes,
    },
    expired: (asked, oldest) => ApiError.expired(`too old resource version: ${asked} (${oldest})`).toStatus(),
    counters: telemetry.watch,
  });
  cleanup.add('the watches', () => hub.close());
  const health = healthChecks(cache, store);
  const handler = createApi({
    gates: openGates,
    resources: new Resources({
      resources,
      store,
      cache,
      hub,
      registry,
      clock,
      random,
      maxWatches: config.limits.maxWatches,
    }),
    pages: allPages(
      standardPages({ metrics, ...health, version: versionInfo }),
      discoveryPages(resources),
      openApiPages(resources),
    ),
    inFlight: new InFlight(config.limits, (kind) => telemetry.refused(kind)),
    log,
    observe: (observation) => telemetry.observe(observation),
    now: () => clock.now(),
  });
  const { maxBodyBytes, maxConnections } = config.limits;
  const { listen: address, tls } = config;
  const server = await startServer({ address, tls, net, log, handler, maxBodyBytes, maxConnections });
  cleanup.add('the API server', () => server.close());
  return {
    addresses: { api: server.name },
    reload: () => Promise.resolve(),
    drain: async () => {
      hub.close();
      await server.drain();
    },
    close: () => cleanup.run(),
  };
}

async function openStore(config: ControlConfig, deps: Deps, telemetry: Telemetry): Promise<SequencedStore> {
  const stores = await import('./store/index.ts');
  const options = { clock: deps.clock, observer: telemetry.store, epoch: randomUUID() };
  if (config.store.type === 'memory') return stores.openMemoryStore(options);
  return stores.openSqliteStore({ ...options, dir: config.store.dir });
}

function healthChecks(cache: Cache, store: SequencedStore) {
  return {
    live: {
      ping: () => undefined,
      'watch-cache': () => (cache.failure === undefined ? undefined : 'it lost its feed from the store'),
    },
    ready: { store: () => store.status().readOnlyReason },
  };
}

/** Whoever gets through TLS may do everything: loopback and client certificates are the gate. */
const openGates: RequestGates = {
  authenticate: ({ certificate }) =>
    certificate === undefined
      ? { name: 'system:anonymous', groups: ['system:unauthenticated'] }
      : { name: certificate.commonName, groups: [...certificate.organizations, 'system:authenticated'] },
  authorize: () => {},
};
