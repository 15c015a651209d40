/** The ambassador as a daemon: a listener, the engine behind it, an admin server, and reloads. */

import { startAdmin } from '@outrigger/core/admin';
import { OutriggerError } from '@outrigger/core/errors';
import { Cleanup, version } from '@outrigger/core/lifecycle';
import type { Daemon, Deps, Health } from '@outrigger/core/lifecycle';
import { warnOfExposure } from '@outrigger/core/net';
import type { Listener } from '@outrigger/core/net';
import { startPresence } from '@outrigger/core/presence';
import { parseTracingEndpoint } from '@outrigger/core/tracing';
import { createSource, hasControl } from '@outrigger/core/watch';
import type { Source } from '@outrigger/core/watch';
import { hostname } from 'node:os';
import { createServer } from 'node:net';
import type { Command } from '../commands/command.ts';
import { Secrets, secretsOf } from '../access/secrets.ts';
import { TlsFiles } from '../access/tls-files.ts';
import { debugPages } from '../observe/debug.ts';
import { exposeEngine } from '../observe/gauges.ts';
import { whyCommand } from '../observe/why.ts';
import type { Explanation } from '../observe/why.ts';
import { TopologyCounters } from '../topology/metrics.ts';
import type { Shard } from '../topology/realm.ts';
import type { RealmDeps } from '../topology/open.ts';
import { watchServices } from '../topology/services.ts';
import type { WatchService } from '../topology/source.ts';
import { ServerTlsFiles } from '../upstream/server-tls.ts';
import type { DialTls } from '../upstream/server-tls.ts';
import type { AmbassadorConfig } from './config.ts';
import { Engine } from './engine.ts';
import { Handshakes, handshakeFailures } from './listen-tls.ts';
import type { AmbassadorLimits } from './limits.ts';
import { Realms } from './realms.ts';

/** What only the ambassador asks for. */
export interface AmbassadorDeps extends Deps {
  /** For servers written as `svc:NAMESPACE/NAME`. */
  readonly watchService?: WatchService;
  readonly limits?: Partial<AmbassadorLimits>;
}

/** Resolves once listening and every server has been asked once, whether it answered or not. */
export async function start(config: AmbassadorConfig, deps: AmbassadorDeps): Promise<Daemon> {
  const cleanup = new Cleanup();
  try {
    const limits = Object.freeze({ ...config.limits, ...deps.limits });
    const ambassador = new Ambassador({ ...config, limits }, deps, cleanup);
    await ambassador.open();
    return ambassador;
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

/** What a configuration needs opened before it can be used. */
interface Opened {
  readonly secrets: Secrets;
  readonly realms: Realms;
  readonly tls: TlsFiles | undefined;
  readonly serverTls: ServerTlsFiles | undefined;
}

class Ambassador implements Daemon {
  readonly addresses: Record<string, string> = {};
  readonly #deps: AmbassadorDeps;
  readonly #cleanup: Cleanup;
  readonly #engine: Engine;
  readonly #handshakes: Handshakes;
  readonly #topologyCounters: TopologyCounters;
  #config: AmbassadorConfig;
  #opened: Opened | undefined;
  #watches: Source | undefined;
  #watchService: WatchService | undefined;
  #listener: Listener | undefined;
  #drained: Promise<void> | undefined;

  constructor(config: AmbassadorConfig, deps: AmbassadorDeps, cleanup: Cleanup) {
    this.#config = config;
    this.#deps = deps;
    this.#cleanup = cleanup;
    this.#engine = new Engine(config, deps);
    this.#topologyCounters = new TopologyCounters(deps.metrics);
    this.#handshakes = new Handshakes({
      failures: handshakeFailures(deps.metrics),
      maxHandshakes: () => this.#config.limits.maxClients - this.#engine.size,
      timeoutMs: () => this.#config.limits.handshakeTimeoutMs,
      onSocket: (socket) => this.#engine.accept(socket),
    });
  }

  async open(): Promise<void> {
    const { deps, cleanup } = { deps: this.#deps, cleanup: this.#cleanup };
    await this.#connectControl();
    cleanup.add('upstreams', () => this.#closeOpened(this.#opened));
    await this.#configure(this.#config);
    cleanup.add('tracer', () => this.#engine.tracer.close());
    cleanup.add('engine', () => this.#engine.close());
    await this.#listen();
    const state = this.#engine.state();
    exposeEngine(deps.metrics, state);
    const admin = await startAdmin(
      {
        address: this.#config.admin,
        live: () => ({ healthy: true, problems: {} }),
        ready: () => this.#readiness(),
        debug: {
          ...debugPages({ ...state, slowLog: this.#engine.slowLog, settings: () => this.#settings() }),
          why: (query) => this.#explain(query.get('command') ?? '', query.get('user') ?? undefined),
        },
        drain: () => this.drain(),
      },
      deps,
    );
    cleanup.add('admin', () => admin.close());
    this.addresses['admin'] = admin.name;
    this.#startPresence(admin.name);
  }

  async reload(next: unknown): Promise<void> {
    const config = next as AmbassadorConfig;
    for (const field of ['listen', 'admin', 'control', 'presence'] as const) {
      if (JSON.stringify(config[field]) === JSON.stringify(this.#config[field])) continue;
      throw new OutriggerError(`${field} cannot change while the ambassador runs`, {
        code: 'CONFIG_INVALID',
        target: field,
        hint: 'restart the ambassador to apply it',
      });
    }
    await this.#configure({ ...config, limits: Object.freeze({ ...config.limits, ...this.#deps.limits }) });
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drainAll();
    return this.#drained;
  }

  close(): Promise<void> {
    return this.#cleanup.run();
  }

  async #connectControl(): Promise<void> {
    const { control } = this.#config;
    this.#watchService = this.#deps.watchService;
    if (!hasControl(control)) return;
    const watches = await createSource(control, { role: 'ambassador', version }, this.#deps);
    this.#cleanup.add('watches', () => watches.close());
    await watches.start();
    this.#watches = watches;
    this.#watchService ??= watchServices(watches);
  }

  #startPresence(admin: string): void {
    if (this.#watches === undefined) return;
    const presence = startPresence(
      {
        role: 'ambassador',
        // Several ambassadors may run on one machine; only one of them has this admin address.
        instance: `${hostname()}-${admin.split(':').at(-1)}`.toLowerCase().replaceAll('.', '-'),
        client: this.#watches.client,
        always: this.#config.presence,
        facts: () => ({ admin, scrape: `http://${admin}/metrics`, version }),
      },
      this.#deps,
    );
    this.#cleanup.add('presence', () => presence.stop());
  }

  /** Everything that can fail happens before anything changes. */
  async #configure(config: AmbassadorConfig): Promise<void> {
    const before = this.#opened;
    if (config.tracing.endpoint !== undefined) parseTracingEndpoint(config.tracing.endpoint);
    const opened = await this.#openFor(config);
    await this.#engine.tracer.configure({ ...config.tracing, service: 'outrigger-ambassador' });
    this.#config = config;
    this.#opened = opened;
    if (opened.tls !== undefined) this.#handshakes.use(opened.tls.material);
    this.#engine.use(config, opened.realms, opened.secrets, () => opened.serverTls?.current);
    await this.#closeOpened(before, opened);
  }

  async #openFor(config: AmbassadorConfig): Promise<Opened> {
    const { clock, log, net, random, environment = {} } = this.#deps;
    const { fileCheckIntervalMs } = config.limits;
    const files = { clock, log, fileCheckIntervalMs };
    const undo = new Cleanup();
    try {
      const secrets = await Secrets.open(secretsOf(config), { ...files, environment });
      undo.add('secrets', () => secrets.close());
      const changed = (): void => {
        if (this.#opened?.tls !== undefined) this.#handshakes.use(this.#opened.tls.material);
      };
      const tls = config.tls && (await TlsFiles.open(withCa(config.tls), { ...files, what: 'tls', changed }));
      undo.add('tls', () => tls?.close());
      const serverTls = config.serverTls && (await ServerTlsFiles.open(config.serverTls, files));
      undo.add('serverTls', () => serverTls?.close());
      const realmDeps: Omit<RealmDeps, 'credentials' | 'tls'> = {
        clock,
        log,
        net,
        random,
        limits: this.#engine.limits,
        watchService: this.#watchService,
        zone: () => (this.#config.zone === '' ? undefined : this.#config.zone),
        metrics: this.#topologyCounters,
      };
      const dialTls = (): DialTls | undefined => serverTls?.current;
      const same = this.#opened !== undefined && upstreamsOf(config) === upstreamsOf(this.#config);
      const realms = same
        ? (this.#opened as Opened).realms
        : await Realms.open(config, secrets, dialTls, realmDeps, this.#engine.events);
      realms.follow(config, secrets, dialTls);
      return { secrets, realms, tls, serverTls };
    } catch (error) {
      await undo.run();
      throw error;
    }
  }

  async #closeOpened(opened: Opened | undefined, kept?: Opened): Promise<void> {
    if (opened === undefined) return;
    if (opened.realms !== kept?.realms) opened.realms.close();
    opened.secrets.close();
    opened.tls?.close();
    opened.serverTls?.close();
    if (kept !== undefined) this.#engine.retire();
  }

  async #listen(): Promise<void> {
    const { net, log } = this.#deps;
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#config.tls === undefined ? this.#engine.accept(socket) : this.#handshakes.accept(socket),
    );
    const listener = await net.listen(server, this.#config.listen);
    this.addresses['redis'] = listener.name;
    if (this.#config.tls === undefined) warnOfExposure(log, 'redis', listener.address);
    this.#listener = listener;
    this.#cleanup.add('listener', () => listener.close());
    this.#cleanup.add('handshakes', () => this.#handshakes.close());
  }

  async #drainAll(): Promise<void> {
    this.#deps.log.info('draining', { sessions: this.#engine.size });
    this.#listener?.close();
    this.#handshakes.close();
    await this.#watches?.save();
    await this.#engine.drain();
  }

  /** A primary that is down is no reason: reads may go on, and the application is told with each command. */
  #readiness(): Health {
    const draining = this.#drained !== undefined;
    return { healthy: !draining, problems: draining ? { drain: 'draining' } : {} };
  }

  #settings(): Readonly<Record<string, unknown>> {
    const { readPolicy, consistency, maxLagMs, failoverWaitMs, zone, upstream } = this.#config;
    return { upstream: upstream.kind, readPolicy, consistency, maxLagMs, failoverWaitMs, zone };
  }

  async #explain(line: string, user: string | undefined): Promise<Explanation> {
    const { realms } = this.#engine;
    await this.#engine.learn(line);
    const state = {
      commandOf: (args: readonly Buffer[]) => this.#engine.commandOf(args),
      realmOf: (key: Uint8Array | undefined) => realms.realmOf(key),
      policyOf: (shard: Shard | undefined) => (shard === undefined ? this.#config : realms.policyOf(shard)),
      refusal: (command: Command, name: string, typed: string | undefined) =>
        this.#engine.refusal(command, name, typed),
      nowMs: () => this.#deps.clock.now(),
    };
    return whyCommand(line, state, user);
  }
}

/** The authorities that clients' certificates are checked against are the context's own. */
function withCa({ certFile, keyFile, clientCaFile }: NonNullable<AmbassadorConfig['tls']>) {
  return { certFile, keyFile, caFile: clientCaFile };
}

/** What a realm is made of: changed, it is opened anew. */
function upstreamsOf({ upstream, login, routes }: AmbassadorConfig): string {
  return JSON.stringify([
    upstream,
    login,
    routes.map((route) => [route.prefix.toString('latin1'), route.upstream, route.login]),
  ]);
}
