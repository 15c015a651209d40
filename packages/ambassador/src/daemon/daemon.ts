/** The ambassador as a daemon: one listener, sessions, a poller, an admin server. */

import { startAdmin } from '@outrigger/core/admin';
import { OutriggerError } from '@outrigger/core/errors';
import { Cleanup, version } from '@outrigger/core/lifecycle';
import type { Daemon, Deps, Health } from '@outrigger/core/lifecycle';
import { warnOfExposure } from '@outrigger/core/net';
import type { Listener } from '@outrigger/core/net';
import { startPresence } from '@outrigger/core/presence';
import { encodeError } from '@outrigger/core/resp';
import { createSource, hasControl } from '@outrigger/core/watch';
import type { Source } from '@outrigger/core/watch';
import { hostname } from 'node:os';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { CommandTable } from '../commands/commands.ts';
import { writtenServers } from './config.ts';
import type { AmbassadorConfig } from './config.ts';
import { Connection } from '../session/connection.ts';
import type { ConnectionOptions } from '../session/connection.ts';
import { readCredentials } from '../upstream/credentials.ts';
import type { Credentials } from '../upstream/credentials.ts';
import { explainCommand } from '../observe/explain.ts';
import type { AmbassadorLimits } from './limits.ts';
import { exposeState, SessionCounters } from '../observe/metrics.ts';
import { Poller } from '../topology/poller.ts';
import type { Role } from '../session/ports.ts';
import type { Server } from '../upstream/server.ts';
import { watchServices } from '../topology/services.ts';
import { openSource } from '../topology/source.ts';
import type { ServerSource, WatchService } from '../topology/source.ts';
import { Topology } from '../topology/topology.ts';

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
    const ambassador = new Ambassador(config, deps, cleanup);
    await ambassador.open();
    return ambassador;
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

class Ambassador implements Daemon {
  readonly addresses: Record<string, string> = {};
  readonly #deps: AmbassadorDeps;
  readonly #cleanup: Cleanup;
  readonly #limits: AmbassadorLimits;
  readonly #topology: Topology;
  readonly #poller: Poller;
  readonly #counters: SessionCounters;
  readonly #rejected;
  readonly #opened;
  readonly #connections = new Set<Connection>();
  readonly #waiting = new Set<Connection>();
  readonly #connectionOptions: ConnectionOptions;
  #config: AmbassadorConfig;
  #credentials: Credentials | undefined;
  #watches: Source | undefined;
  #watchService: WatchService | undefined;
  #source: ServerSource | undefined;
  #replicas = new Map<string, Server>();
  #primary: Server | undefined;
  #listener: Listener | undefined;
  #drained: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(config: AmbassadorConfig, deps: AmbassadorDeps, cleanup: Cleanup) {
    this.#config = config;
    this.#deps = deps;
    this.#cleanup = cleanup;
    this.#limits = Object.freeze({ ...config.limits, ...deps.limits });
    this.#topology = new Topology(() => this.#config.maxLagMs);
    this.#counters = new SessionCounters(deps.metrics);
    this.#opened = deps.metrics.counter({
      name: 'outrigger_ambassador_sessions_total',
      help: 'Client connections accepted.',
    });
    this.#rejected = deps.metrics.counter({
      name: 'outrigger_ambassador_sessions_rejected_total',
      help: 'Client connections refused because maxClients were open.',
    });
    this.#poller = new Poller({
      topology: this.#topology,
      limits: this.#limits,
      maxLagMs: () => this.#config.maxLagMs,
      credentials: () => this.#credentials,
      clock: deps.clock,
      net: deps.net,
      log: deps.log,
      onChange: () => this.#each(this.#waiting, (connection) => connection.onTopology()),
      onSilent: () => this.#each(this.#connections, (connection) => connection.onServerSilent()),
    });
    this.#connectionOptions = this.#sharedByConnections();
  }

  async open(): Promise<void> {
    const { deps, cleanup } = { deps: this.#deps, cleanup: this.#cleanup };
    await this.#connectControl();
    cleanup.add('source', () => this.#source?.close());
    await this.#configure(this.#config);
    cleanup.add('poller', () => this.#poller.close());
    await this.#poller.start();
    await this.#listen();
    const admin = await startAdmin(
      {
        address: this.#config.admin,
        live: () => ({ healthy: true, problems: {} }),
        ready: () => this.#readiness(),
        debug: {
          ambassador: () => this.#debug(),
          why: (query) =>
            explainCommand(query.get('command') ?? '', { ...this.#config, topology: this.#topology }),
        },
        drain: () => this.drain(),
      },
      deps,
    );
    cleanup.add('admin', () => admin.close());
    this.addresses['admin'] = admin.name;
    exposeState(deps.metrics, this.#exposed());
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
    await this.#configure(config);
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
    const { environment = {} } = this.#deps;
    const credentials = await readCredentials(config.login, environment);
    const source = await openSource(writtenServers(config.upstream), this.#watchService, () =>
      this.#serversChanged(),
    );
    this.#source?.close();
    this.#source = source;
    this.#config = config;
    this.#credentials = credentials;
    this.#serversChanged();
  }

  #serversChanged(): void {
    if (this.#source === undefined) return;
    const { primary, problem, replicas: named } = this.#source.servers;
    const replicas = named.filter((server) => server.name !== primary?.name);
    this.#primary = primary;
    this.#replicas = new Map(replicas.map((server) => [server.name, server]));
    this.#topology.setServers(primary?.name ?? '', [...this.#replicas.keys()]);
    if (primary === undefined) this.#topology.primaryLost(problem);
    this.#poller.setServers({ primary, replicas });
    this.#each(this.#connections, (connection) => connection.onServersChanged());
  }

  async #listen(): Promise<void> {
    const { net, log } = this.#deps;
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
    const listener = await net.listen(server, this.#config.listen);
    this.addresses['redis'] = listener.name;
    warnOfExposure(log, 'redis', listener.address);
    this.#listener = listener;
    this.#cleanup.add('listener', () => listener.close());
    this.#cleanup.add('sessions', () => this.#destroyAll());
  }

  #accept(socket: Socket): void {
    if (this.#connections.size >= this.#limits.maxClients) {
      this.#rejected.add(1);
      socket.on('error', () => {});
      socket.end(encodeError(`ERR outrigger: max number of clients reached (${this.#limits.maxClients})`));
      socket.destroySoon();
      return;
    }
    this.#opened.add(1);
    this.#connections.add(new Connection(socket, this.#connectionOptions));
  }

  #sharedByConnections(): ConnectionOptions {
    const policy = (): AmbassadorConfig => this.#config;
    return {
      deps: this.#deps,
      context: {
        table: new CommandTable(),
        topology: this.#topology,
        limits: this.#limits,
        counters: this.#counters,
        policy,
        needRound: () => this.#poller.demand(),
      },
      credentials: () => this.#credentials,
      primary: () => this.#primary,
      replica: (name) => this.#replicas.get(name),
      waiting: this.#waiting,
      onEnd: (connection) => {
        this.#connections.delete(connection);
        if (this.#connections.size === 0) this.#onEmpty?.();
      },
    };
  }

  /** A copy: what is done to one may remove it. */
  #each(connections: Iterable<Connection>, act: (connection: Connection) => void): void {
    for (const connection of Array.from(connections)) act(connection);
  }

  async #drainAll(): Promise<void> {
    this.#deps.log.info('draining', { sessions: this.#connections.size });
    this.#listener?.close();
    await this.#watches?.save();
    this.#each(this.#connections, (connection) => connection.drain());
    if (this.#connections.size > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
  }

  #destroyAll(): void {
    this.#each(this.#connections, (connection) => connection.destroy());
  }

  /** A primary that is down is no reason: reads may go on, and the application is told with each command. */
  #readiness(): Health {
    const draining = this.#drained !== undefined;
    return { healthy: !draining, problems: draining ? { drain: 'draining' } : {} };
  }

  #exposed() {
    const connections = this.#connections;
    return {
      get sessions() {
        return connections.size;
      },
      get spliced() {
        return [...connections].filter((connection) => connection.spliced).length;
      },
      upstreams: (role: Role) =>
        [...connections].reduce((sum, connection) => sum + connection.upstreams(role), 0),
      topology: this.#topology,
      limits: this.#limits,
      nowMs: () => this.#deps.clock.now(),
    };
  }

  #debug(): unknown {
    const now = this.#deps.clock.now();
    const { readPolicy, consistency, maxLagMs } = this.#config;
    const { sessions, spliced } = this.#exposed();
    const replicas = [...this.#topology.replicas].map((replica) => ({
      server: replica.name,
      takesReads: replica.eligible,
      why: replica.why,
      lagMs: this.#topology.lagMs(replica, now) ?? null,
      sessions: replica.sessions,
    }));
    const { name, why } = this.#topology.primary;
    return {
      readPolicy,
      consistency,
      maxLagMs,
      sessions,
      spliced,
      rounds: this.#topology.sent,
      primary: { server: name, why },
      replicas,
    };
  }
}
