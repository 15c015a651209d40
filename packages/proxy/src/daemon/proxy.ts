/** The proxy as a daemon: watch → catalog → plan → published ports, with health, metrics and `why` beside it. */

import { startAdmin } from '@outrigger/core/admin';
import { OutriggerError } from '@outrigger/core/errors';
import { Cleanup, Dirty, version } from '@outrigger/core/lifecycle';
import type { Daemon, Deps, Health } from '@outrigger/core/lifecycle';
import { startPresence } from '@outrigger/core/presence';
import { createSource } from '@outrigger/core/watch';
import type { Source } from '@outrigger/core/watch';
import { networkInterfaces } from 'node:os';
import { Catalog } from '../catalog/index.ts';
import { DEFAULT_SETTINGS, nodePortAddressesOf, Planner } from '../plan/index.ts';
import type { PlanContext } from '../plan/index.ts';
import type { ProxyConfig } from './config.ts';
import { explain, reportPublications } from './debug.ts';
import { Feed } from './feed.ts';
import { ProxyHealth } from './health.ts';
import { proxyMetrics } from './metrics.ts';
import { PublishedPorts } from './ports.ts';

export async function startProxy(config: ProxyConfig, deps: Deps): Promise<Daemon> {
  const proxy = new Proxy(config, deps);
  try {
    await proxy.start();
    return proxy;
  } catch (error) {
    await proxy.close();
    throw error;
  }
}

class Proxy implements Daemon {
  readonly #deps: Deps;
  readonly #catalog = new Catalog();
  readonly #planner: Planner;
  readonly #ports: PublishedPorts;
  readonly #health: ProxyHealth;
  readonly #dirty: Dirty;
  readonly #metrics: ReturnType<typeof proxyMetrics>;
  readonly #cleanup = new Cleanup();
  /** Addresses already warned of. */
  #config: ProxyConfig;
  #source: Source | undefined;
  #feed: Feed | undefined;
  #admin = '';
  #draining = false;
  /** Half a picture is no picture: nothing is applied before everything has been listed once. */
  #started = false;
  /** Times of changes whose endpoints come into use with the next sync. */
  #programming: number[] = [];

  constructor(config: ProxyConfig, deps: Deps) {
    this.#config = config;
    this.#deps = deps;
    this.#ports = new PublishedPorts(deps);
    this.#planner = new Planner(this.#catalog, contextOf(config, this.#catalog));
    this.#health = new ProxyHealth(deps.clock, this.#catalog);
    this.#metrics = proxyMetrics(deps.metrics, this.#ports, deps.clock);
    this.#dirty = new Dirty({
      clock: deps.clock,
      run: () => this.#sync(),
      onError: (error) => deps.log.error('sync failed, it will be run again', { error }),
    });
    this.#cleanup.add('published ports', () => this.#ports.close());
    this.#cleanup.add('sync', () => this.#dirty.close());
  }

  get addresses(): Record<string, string> {
    return { admin: this.#admin, ...this.#ports.addresses() };
  }

  /** Listens first: what connects before the first sync waits for it. */
  async start(): Promise<void> {
    const config = this.#config;
    await this.#ports.configure(config.publish);
    const source = await createSource(config.control, { role: 'proxy', version }, this.#deps);
    this.#source = source;
    this.#cleanup.add('watches', () => source.close());
    this.#feed = new Feed(source, this.#catalog, config, {
      onChange: () => this.#changed(),
      onProgrammed: (changedAtMs) => void this.#programming.push(changedAtMs),
    });
    await this.#startAdmin(source);
    await source.start();
    await source.ready;
    this.#started = true;
    this.#sync();
    this.#startPresence(source);
  }

  async reload(next: unknown): Promise<void> {
    const config = next as ProxyConfig;
    for (const field of ['admin', 'mode', 'nodeName', 'control', 'presence'] as const) {
      if (JSON.stringify(config[field]) === JSON.stringify(this.#config[field])) continue;
      throw new OutriggerError(`${field} cannot change while the proxy runs`, {
        code: 'CONFIG_INVALID',
        target: field,
        hint: 'restart the proxy to apply it: published ports and their targets change live',
      });
    }
    await this.#ports.configure(config.publish);
    this.#config = config;
    this.#feed?.watchFor(config.publish);
    this.#changed();
    // Ports that are new wait for their Services; with the control service gone that may take long.
    void this.#feed?.synced.then(() => this.#changed());
  }

  async drain(): Promise<void> {
    this.#draining = true;
    await Promise.all([this.#ports.drain(), this.#source?.save()]);
  }

  close(): Promise<void> {
    return this.#cleanup.run();
  }

  #changed(): void {
    if (!this.#started) return;
    this.#health.queued();
    this.#dirty.mark();
  }

  #sync(): void {
    const { clock } = this.#deps;
    const started = clock.now();
    // The Node's zone and addresses decide for every Service, so a change of it plans them all.
    const context = contextOf(this.#config, this.#catalog);
    if (JSON.stringify(context) !== JSON.stringify(this.#planner.context)) this.#planner.setContext(context);
    this.#planner.sync();
    this.#ports.apply(this.#planner.plans, this.#source?.health().healthy === true);
    this.#metrics.syncSeconds.observe((clock.now() - started) / 1000);
    const now = clock.wall();
    for (const changedAtMs of this.#programming.splice(0)) {
      this.#metrics.programmingSeconds.observe(Math.max(0, now - changedAtMs) / 1000);
    }
    this.#health.synced();
  }

  async #startAdmin(source: Source): Promise<void> {
    const { clock } = this.#deps;
    const admin = await startAdmin(
      {
        address: this.#config.admin,
        live: () => ({ healthy: this.#health.healthy, problems: {} }),
        ready: () => this.#ready(source),
        healthBody: (path) => this.#health.answer(path),
        debug: {
          services: () => reportPublications(this.#ports, clock),
          why: (query) => explain(query, this.#catalog, this.#planner, this.#ports, clock),
          watch: () => source.status(),
        },
        drain: () => this.drain(),
      },
      this.#deps,
    );
    this.#admin = admin.name;
    this.#cleanup.add('admin', () => admin.close());
  }

  #startPresence(source: Source): void {
    const port = this.#admin.split(':').at(-1) ?? '';
    const presence = startPresence(
      {
        role: 'proxy',
        // Several proxies may run on one machine; only one of them has this admin port.
        instance: `${this.#config.nodeName}-${port}`.replaceAll('.', '-'),
        client: source.client,
        always: this.#config.presence,
        facts: () => ({ admin: this.#admin, scrape: `http://${this.#admin}/metrics`, version }),
      },
      this.#deps,
    );
    this.#cleanup.add('presence', () => presence.stop());
  }

  #ready(source: Source): Health {
    const { healthy, problems } = source.health();
    if (this.#draining) return { healthy: false, problems: { ...problems, drain: 'draining' } };
    return { healthy, problems };
  }
}

function contextOf(config: ProxyConfig, catalog: Catalog): PlanContext {
  const { node } = catalog;
  const nodeAddresses = node?.addresses.length ? node.addresses : machineAddresses();
  return {
    mode: config.mode,
    nodeName: config.nodeName,
    zone: node?.zone ?? '',
    podCIDRs: [...config.clusterCidrs, ...(node?.podCIDRs ?? [])],
    serviceCIDRs: [],
    nodeAddresses,
    nodePortAddresses: nodePortAddressesOf(nodeAddresses, config.nodePortAddresses),
    masqueradeAll: false,
    defaults: DEFAULT_SETTINGS,
  };
}

function machineAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter((one) => !one.internal).map((one) => one.address),
  );
}
