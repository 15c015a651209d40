/** The adapter as a daemon: what is told and what is asked comes out on one page; its own metrics are on the admin address. */

import { startAdmin } from '@outrigger/core/admin';
import { OutriggerError } from '@outrigger/core/errors';
import { Cleanup, version } from '@outrigger/core/lifecycle';
import type { Daemon, Deps } from '@outrigger/core/lifecycle';
import { Metrics } from '@outrigger/core/metrics';
import { startPresence } from '@outrigger/core/presence';
import { controlConnectionFields, createSource, hasControl, watchServices } from '@outrigger/core/watch';
import type { ControlConfig, Source as ControlSource } from '@outrigger/core/watch';
import { hostname } from 'node:os';
import type { JsonProbe } from '../json/source.ts';
import { AllowList } from '../page/allow.ts';
import { PageMetrics } from '../page/observe.ts';
import { Page } from '../page/page.ts';
import { startPush } from '../page/push.ts';
import { startScrapeServer } from '../page/server.ts';
import { Web } from '../page/web.ts';
import { prepareAll } from '../prepared.ts';
import { SeriesRegistry } from '../series/registry.ts';
import type { RegistryOptions } from '../series/registry.ts';
import { startStatsd } from '../statsd/statsd.ts';
import type { Statsd } from '../statsd/statsd.ts';
import type { AdapterConfig } from './config.ts';
import type { SourceContext } from './kinds.ts';
import { Modules } from './modules.ts';
import { ReloadMetrics } from './reload-metrics.ts';
import { Sources } from './sources.ts';

/** Series are looked at for their time to live so often. */
const sweepMs = 1000;

export async function startAdapter(config: AdapterConfig, deps: Deps): Promise<Daemon> {
  const adapter = new Adapter(config, deps);
  try {
    await adapter.start();
    return adapter;
  } catch (error) {
    await adapter.close();
    throw error;
  }
}

class Adapter implements Daemon {
  readonly addresses: Record<string, string> = {};
  readonly #deps: Deps;
  readonly #cleanup = new Cleanup();
  readonly #registry: SeriesRegistry;
  /** Metrics of the scrape page, apart from those of the process. */
  readonly #self = new Metrics({ processMetrics: false });
  readonly #reloads: ReloadMetrics;
  readonly #modules: Modules;
  #config: AdapterConfig;
  #sources: Sources | undefined;
  #statsd: Statsd | undefined;
  #allow: AllowList;
  #draining = false;
  #scheme = 'http';
  #probing: Promise<JsonProbe> | undefined;

  constructor(config: AdapterConfig, deps: Deps) {
    this.#config = config;
    this.#deps = deps;
    this.#registry = new SeriesRegistry(registryOptions(config), deps.clock);
    this.#reloads = new ReloadMetrics(this.#self, deps.clock);
    this.#modules = new Modules(deps);
    this.#allow = new AllowList(config.probeAllow);
  }

  async start(): Promise<void> {
    this.#sweep();
    const control = await this.#connect();
    await (await this.#modules.prepare(this.#config)).commit();
    this.#cleanup.add('modules', () => this.#modules.close());
    const sources = new Sources({
      context: this.#context(),
      registry: this.#registry,
      watch: control === undefined ? undefined : watchServices(control),
    });
    this.#sources = sources;
    this.#cleanup.add('sources', () => sources.close());
    await (await sources.prepare(this.#config.sources, this.#config.labels)).commit();
    const statsd = await startStatsd(this.#config.statsd, this.#registry, this.#deps);
    this.#statsd = statsd;
    this.#cleanup.add('StatsD', () => statsd.close());
    Object.assign(this.addresses, statsd.addresses);
    const page = await this.#servePage(sources, statsd);
    await this.#push(page);
    await this.#serveAdmin(sources, statsd);
    if (control !== undefined) this.#present(control);
  }

  async reload(next: unknown): Promise<void> {
    try {
      await this.#apply(next as AdapterConfig);
      this.#reloads.noted(true);
    } catch (error) {
      this.#reloads.noted(false);
      throw error;
    }
  }

  refused(): void {
    this.#reloads.noted(false);
  }

  drain(): Promise<void> {
    this.#draining = true;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.#cleanup.run();
  }

  /** Whole or not at all: a bad mapping leaves the sources as they are, too. */
  async #apply(next: AdapterConfig): Promise<void> {
    const sources = this.#sources;
    const statsd = this.#statsd;
    if (sources === undefined || statsd === undefined) throw new TypeError('the adapter has not started');
    refuseRestartOnly(this.#config, next);
    const allow = new AllowList(next.probeAllow);
    const prepared = await prepareAll([
      () => this.#modules.prepare(next),
      () => statsd.prepare(next.statsd),
      () => sources.prepare(next.sources, next.labels),
    ]);
    await prepared.commit();
    this.#registry.configure(registryOptions(next));
    this.#allow = allow;
    this.#config = next;
  }

  #sweep(): void {
    const { clock } = this.#deps;
    const turn = (): void => {
      const hasMore = this.#registry.sweep();
      timer = clock.setTimeout(turn, hasMore ? 1 : sweepMs);
    };
    let timer = clock.setTimeout(turn, sweepMs);
    this.#cleanup.add('sweep', () => timer.cancel());
  }

  async #connect(): Promise<ControlSource | undefined> {
    const { control } = this.#config;
    if (!hasControl(control)) return undefined;
    const source = await createSource(control, { role: 'adapter', version }, this.#deps);
    this.#cleanup.add('watches', () => source.close());
    await source.start();
    return source;
  }

  #context(): SourceContext {
    return {
      deps: this.#deps,
      store: this.#registry,
      timerBuckets: this.#config.timerBuckets,
      modules: () => this.#modules.json,
    };
  }

  async #servePage(sources: Sources, statsd: Statsd): Promise<Page> {
    const { webConfig, listen } = this.#config;
    const registry = this.#registry;
    const web = await Web.open(webConfig, this.#deps);
    this.#cleanup.add('web configuration', () => web.close());
    const maxSeries = (): number => this.#config.maxSeries;
    const page = new Page({
      ...{ registry, maxSeries, clock: this.#deps.clock },
      metrics: new PageMetrics(this.#self, registry, maxSeries),
      own: () => statsd.collect(),
      sources: () => sources.asked,
    });
    const server = await startScrapeServer(
      listen,
      {
        ...{ page, web, allow: () => this.#allow, sources: () => sources.asked },
        probe: async (target, module, asked) => (await this.#probe()).probe(target, module, asked),
        series: () => registry.size,
      },
      this.#deps,
    );
    this.#cleanup.add('scrape page', () => server.close());
    this.addresses['scrape'] = server.name;
    this.#scheme = web.tls === undefined ? 'http' : 'https';
    return page;
  }

  /** Imported when it is first asked for. */
  #probe(): Promise<JsonProbe> {
    this.#probing ??= import('../json/source.ts').then(({ JsonProbe: Probe }) => {
      const probe = new Probe({ ...this.#deps, modules: () => this.#modules.json });
      this.#cleanup.add('probe', () => probe.close());
      return probe;
    });
    return this.#probing;
  }

  async #push(page: Page): Promise<void> {
    const { otlp } = this.#config;
    if (otlp === undefined) return;
    const push = await startPush(otlp, () => page.families(), page.metrics.pushes, this.#deps.clock);
    this.#cleanup.add('OTLP push', () => push.close());
  }

  async #serveAdmin(sources: Sources, statsd: Statsd): Promise<void> {
    const problems = (): Record<string, string> => (this.#draining ? { drain: 'draining' } : {});
    const { reload } = this.#deps;
    const admin = await startAdmin(
      {
        address: this.#config.admin,
        live: () => ({ healthy: true, problems: {} }),
        ready: () => ({ healthy: !this.#draining, problems: problems() }),
        debug: {
          why: (query) => statsd.explain(query.get('line') ?? ''),
          adapter: () => this.#describe(sources),
        },
        drain: () => this.drain(),
        ...(reload === undefined ? {} : { reload }),
      },
      this.#deps,
    );
    this.#cleanup.add('admin', () => admin.close());
    this.addresses['admin'] = admin.name;
  }

  #describe(sources: Sources): object {
    const { maxSeries, labels } = this.#config;
    return {
      ...{ series: this.#registry.size, maxSeries, labels, addresses: this.addresses },
      refused: [...this.#registry.refused()],
      sources: sources.describe(),
    };
  }

  #present(control: ControlSource): void {
    const { admin = '', scrape = '' } = this.addresses;
    const presence = startPresence(
      {
        role: 'adapter',
        // Several adapters may run on one machine; only one of them has this scrape page.
        instance: `${hostname()}-${scrape.split(':').at(-1)}`.toLowerCase().replaceAll('.', '-'),
        client: control.client,
        always: this.#config.presence,
        facts: () => ({ admin, scrape: `${this.#scheme}://${scrape}/metrics`, version }),
      },
      this.#deps,
    );
    this.#cleanup.add('presence', () => presence.stop());
  }
}

function registryOptions({ maxSeries, labels, sources }: AdapterConfig): RegistryOptions {
  const maxSeriesOf = Object.fromEntries(sources.map((source) => [source.name, source.maxSeries]));
  return { maxSeries, labels, maxSeriesOf };
}

/** Sockets are opened once; what they are bound to cannot change under a running process. */
function refuseRestartOnly(old: AdapterConfig, next: AdapterConfig): void {
  for (const field of ['listen', 'admin', 'timerBuckets', 'webConfig', 'otlp', 'presence'] as const)
    refuseChange(field, old[field], next[field]);
  for (const field of Object.keys(controlConnectionFields) as (keyof ControlConfig)[])
    refuseChange(field, old.control[field], next.control[field]);
  for (const [field, key] of [
    ['statsdUdp', 'udp'],
    ['statsdTcp', 'tcp'],
    ['statsdUnix', 'unix'],
  ] as const)
    // prettier-ignore
    refuseChange(field, old.statsd[key], next.statsd[key]);
}

function refuseChange(field: string, old: unknown, next: unknown): void {
  if (JSON.stringify(old) === JSON.stringify(next)) return;
  throw new OutriggerError(`${field} cannot change while the adapter runs`, {
    code: 'CONFIG_INVALID',
    target: field,
    hint: 'restart the adapter to apply it',
  });
}
