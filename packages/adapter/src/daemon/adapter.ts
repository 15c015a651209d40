/** The adapter as a daemon: StatsD in, one page out, its own metrics on the admin address. */

import { startAdmin } from '@outrigger/core/admin';
import { OutriggerError } from '@outrigger/core/errors';
import { warnOfExposure } from '@outrigger/core/net';
import { Cleanup, version } from '@outrigger/core/lifecycle';
import type { Daemon, Deps } from '@outrigger/core/lifecycle';
import { startConnectedPresence } from '@outrigger/core/presence';
import { hostname } from 'node:os';
import { SeriesRegistry } from '../series/registry.ts';
import { StatsdIntake } from '../statsd/intake.ts';
import type { AdapterConfig } from './config.ts';
import { explainLine } from './why.ts';
import { servePage } from './page.ts';

/** What may arrive while the process renders a page: at 60 bytes a line about 70,000 lines. */
export const receiveBufferBytes = 4 * 1024 * 1024;

export async function startAdapter(config: AdapterConfig, deps: Deps): Promise<Daemon> {
  const cleanup = new Cleanup();
  try {
    return await start(config, deps, cleanup);
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

async function start(initial: AdapterConfig, deps: Deps, cleanup: Cleanup): Promise<Daemon> {
  let config = initial;
  let draining = false;
  const self = new SeriesRegistry({ maxSeries: 1000, labels: {} }, deps.clock);
  const collected = new SeriesRegistry({ maxSeries: config.maxSeries, labels: config.labels }, deps.clock);
  const intake = new StatsdIntake(collected, self, config.timerBuckets);
  const page = await servePage(config, collected, self, deps);
  cleanup.add('scrape page', () => page.close());
  const addresses: Record<string, string> = { scrape: page.name };
  if (config.statsdUdp !== undefined) {
    const udp = await deps.net.datagram(config.statsdUdp, (message) => intake.datagram(message), {
      receiveBufferBytes,
    });
    cleanup.add('StatsD socket', () => udp.close());
    addresses['statsd-udp'] = udp.name;
    warnOfExposure(deps.log, 'statsd-udp', udp.address);
  }
  const healthy = () => ({ healthy: !draining, problems: draining ? { drain: 'draining' } : {} });
  const drain = (): Promise<void> => {
    draining = true;
    return Promise.resolve();
  };
  const admin = await startAdmin(
    {
      address: config.admin,
      live: () => ({ healthy: true, problems: {} }),
      ready: healthy,
      debug: {
        why: (query) => explainLine(query.get('line') ?? '', collected),
        adapter: () => ({
          series: collected.size,
          maxSeries: config.maxSeries,
          labels: config.labels,
          addresses,
        }),
      },
      drain,
    },
    deps,
  );
  cleanup.add('admin', () => admin.close());
  addresses['admin'] = admin.name;
  const presence = await startConnectedPresence(
    config.control,
    {
      role: 'adapter',
      // Several adapters may run on one machine; only one of them has this scrape page.
      instance: `${hostname()}-${page.name.split(':').at(-1)}`.toLowerCase().replaceAll('.', '-'),
      always: config.presence,
      facts: () => ({ admin: admin.name, scrape: `http://${page.name}/metrics`, version }),
    },
    deps,
  );
  cleanup.add('presence', () => presence?.stop());
  return {
    addresses,
    reload: async (next) => {
      refuseRestartOnly(config, next as AdapterConfig);
      config = next as AdapterConfig;
      collected.configure({
        maxSeries: config.maxSeries,
        labels: config.labels,
      });
    },
    drain,
    close: () => cleanup.run(),
  };
}

/** Sockets are opened once; what they are bound to cannot change under a running process. */
function refuseRestartOnly(old: AdapterConfig, next: AdapterConfig): void {
  for (const field of ['listen', 'admin', 'statsdUdp', 'timerBuckets'] as const) {
    if (JSON.stringify(old[field]) === JSON.stringify(next[field])) continue;
    throw new OutriggerError(`${field} cannot change while the adapter runs`, {
      code: 'CONFIG_INVALID',
      target: field,
      hint: 'restart the adapter to apply it',
    });
  }
}
