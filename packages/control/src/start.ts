/** Starts the control service: state first, then what acts on it, and last the listener. */

import { ApiError } from '@outrigger/core/api';
import { Cleanup } from '@outrigger/core/lifecycle';
import type { Daemon, Deps } from '@outrigger/core/lifecycle';
import { isLoopback } from '@outrigger/core/net';
import type { RequestGates } from './admission.ts';
import type { ControlConfig } from './config.ts';
import { needingRestart } from './config.ts';
import { metricsObserver, startControllers } from './controllers/index.ts';
import { discoveryPages } from './discovery/pages.ts';
import { expireEvents } from './events/expiry.ts';
import { createApi } from './handlers/api.ts';
import type { Handler } from './handlers/http.ts';
import { foreignPage } from './handlers/page-guard.ts';
import { InFlight } from './handlers/in-flight.ts';
import { allPages, standardPages } from './handlers/pages.ts';
import type { PageOptions } from './handlers/pages.ts';
import { Resources } from './handlers/resources.ts';
import { versionInfo } from './handlers/version.ts';
import { openApiPages } from './openapi/pages.ts';
import { targetPages } from './prometheus/pages.ts';
import { startPolicyStatus } from './policies/controller.ts';
import { controllerApi } from './registry/controller-api.ts';
import { deleteNamespaces } from './registry/namespace-deletion.ts';
import { startServer } from './server.ts';
import type { ApiServer } from './server.ts';
import { openState } from './state.ts';
import type { State } from './state.ts';
import { createTelemetry, exposeState } from './telemetry.ts';
import type { Telemetry } from './telemetry.ts';
import { WatchHub } from './watch/hub.ts';
import { defaultWatchLimits } from './watch/limits.ts';

/** Throws LISTEN_FAILED, CONFIG_INVALID for TLS files that cannot be read, and what opening the store throws. */
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
  const { clock, log, metrics, net } = deps;
  const telemetry = createTelemetry(metrics);
  const state = await openState(config, deps, telemetry.store, cleanup);
  exposeState(metrics, state);
  cleanup.add('the deletion of namespaces', deleteNamespaces({ ...state, clock, log }));
  await runControllers(config, deps, state, cleanup);
  const hub = openHub(config, deps, state, telemetry);
  // Silence would look like nothing happening; clients come back and are told what is wrong.
  state.cache.onFailure(() => hub.close());
  const handler = apiHandler(config, deps, state, hub, telemetry);
  const { maxBodyBytes, maxConnections } = config.limits;
  const { listen: address, tls } = config;
  const server = await startServer({ address, tls, net, log, handler, maxBodyBytes, maxConnections });
  cleanup.add('the API server', () => server.close());
  // Added last, so that watches end in good order before their connections are closed.
  cleanup.add('the watches', () => hub.close());
  log.info('serving the API', {
    address: server.name,
    epoch: state.store.epoch,
    revision: state.cache.revision,
  });
  return {
    addresses: { api: server.name },
    reload: (next) => reload(config, next as ControlConfig, server, deps),
    drain: async () => {
      hub.close();
      await server.drain();
    },
    close: () => cleanup.run(),
  };
}

/** They act on the same terms as clients: told by the cache, writing through the registry. */
async function runControllers(
  { allowLoopbackEndpoints }: ControlConfig,
  deps: Deps,
  state: State,
  cleanup: Cleanup,
): Promise<void> {
  const { clock, random, log, metrics } = deps;
  const observer = metricsObserver(metrics);
  const api = controllerApi({ ...state, log });
  const controllers = startControllers(api, { clock, random, log, observer }, { allowLoopbackEndpoints });
  cleanup.add('the controllers', () => controllers.close());
  cleanup.add('the expiry of Events', expireEvents(api, { clock, log }));
  cleanup.add('the status of policies', startPolicyStatus(api, { clock, log }));
  await controllers.started;
}

function openHub(
  config: ControlConfig,
  { clock, log }: Deps,
  { cache }: State,
  telemetry: Telemetry,
): WatchHub {
  const { maxWatches, watchBufferBytes } = config.limits;
  return new WatchHub({
    cache,
    clock,
    log,
    limits: { ...defaultWatchLimits, maxWatches, watchBufferBytes },
    expired: (asked, oldest) => ApiError.expired(`too old resource version: ${asked} (${oldest})`).toStatus(),
    counters: telemetry.watch,
  });
}

function apiHandler(
  config: ControlConfig,
  deps: Deps,
  state: State,
  hub: WatchHub,
  telemetry: Telemetry,
): Handler {
  const { clock, random, log, metrics } = deps;
  const { maxWatches } = config.limits;
  const standard = standardPages({ metrics, ...healthChecks(state), version: versionInfo });
  return createApi({
    gates: gatesOf(config),
    resources: new Resources({ ...state, hub, clock, random, maxWatches }),
    pages: allPages(
      standard,
      discoveryPages(state.resources),
      openApiPages(state.resources),
      targetPages({ ...state, clock, secure: config.tls !== undefined }),
    ),
    inFlight: new InFlight(config.limits, (kind) => telemetry.refused(kind)),
    log,
    observe: (observation) => telemetry.observe(observation),
    now: () => clock.now(),
  });
}

function healthChecks({ cache, store }: State): Pick<PageOptions, 'live' | 'ready'> {
  return {
    live: {
      ping: () => undefined,
      'watch-cache': () => (cache.failure === undefined ? undefined : 'it lost its feed from the store'),
    },
    ready: { store: () => store.status().readOnlyReason },
  };
}

/** Certificates are read again; for the rest the operator is told what a restart would change. */
async function reload(
  config: ControlConfig,
  next: ControlConfig,
  server: ApiServer,
  { log }: Deps,
): Promise<void> {
  if (next.tls !== undefined) await server.reloadTls(next.tls);
  const fields = needingRestart(config, next);
  if (fields.length > 0) log.warn('these settings take effect after a restart', { fields });
}

/** Whoever gets through TLS, or reaches a loopback address as a program does, may do everything. */
function gatesOf({ tls, listen }: ControlConfig): RequestGates {
  const open = tls?.clientCaFile === undefined;
  const loopback = listen.kind === 'tcp' && isLoopback(listen);
  return {
    guard: (request) => {
      const why = open ? foreignPage(request, loopback) : undefined;
      if (why !== undefined) throw ApiError.forbidden({ group: '', resource: 'requests' }, '', why);
    },
    authenticate: ({ certificate }) =>
      certificate === undefined
        ? { name: 'system:anonymous', groups: ['system:unauthenticated'] }
        : { name: certificate.commonName, groups: [...certificate.organizations, 'system:authenticated'] },
    authorize: () => {},
  };
}
