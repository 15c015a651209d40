/** One published Service port: its listener, its balancer, its connections. */

import type { Clock, Random } from '@outrigger/core/clock';
import type { Address, Listener, Net, RelayShare } from '@outrigger/core/net';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { Balancer } from '../balance/index.ts';
import type { EndpointState } from '../balance/index.ts';
import type { Pool } from '../plan/index.ts';
import { Connection, keepAliveMs } from './connection.ts';
import { PortCells } from './metrics.ts';
import type { FailureReason, L4Metrics } from './metrics.ts';

export interface PortDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly net: Net;
  readonly metrics: L4Metrics;
  /** An endpoint was just ejected: for the log. */
  readonly onEjected: (endpoint: EndpointState, reason: FailureReason) => void;
}

/** Connections held for the first sync; further ones are reset. */
export const maxWaiting = 1024;
/** How long a connection is held for the first sync. */
export const firstSyncWaitMs = 5000;

const nothingPlanned: Pick<Pool, 'endpoints' | 'affinitySeconds'> = { endpoints: [], affinitySeconds: 0 };

export class PublishedPort {
  readonly clock: Clock;
  readonly net: Net;
  readonly share: RelayShare;
  readonly balancer: Balancer;
  readonly cells: PortCells;
  /** Hot: one pair of functions for all connections of the port. */
  readonly toUpstream: (bytes: number) => void;
  readonly toClient: (bytes: number) => void;
  readonly connections = new Set<Connection>();
  readonly #deps: PortDeps;
  #server: Server;
  readonly #waiting = new Set<Connection>();
  #listener: Listener | undefined;
  #synced = false;
  #onEmpty: (() => void)[] = [];

  constructor(
    name: { service: string; port: string },
    settings: Pool['settings'],
    share: RelayShare,
    deps: PortDeps,
  ) {
    this.#deps = deps;
    this.clock = deps.clock;
    this.net = deps.net;
    this.share = share;
    this.balancer = new Balancer({
      random: deps.random,
      pool: { ...nothingPlanned, settings },
      nowMs: deps.clock.now(),
    });
    const cells = new PortCells(deps.metrics, name.service, name.port);
    this.cells = cells;
    const { values, received, sent } = cells;
    this.toUpstream = (bytes) => void (values[received] = (values[received] ?? 0) + bytes);
    this.toClient = (bytes) => void (values[sent] = (values[sent] ?? 0) + bytes);
    this.#server = createServer({
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
    });
    this.#serve();
  }

  /** The bound address as text. */
  get name(): string {
    return this.#listener?.name ?? '';
  }

  async listen(address: Address): Promise<void> {
    this.#listener = await this.net.listen(this.#server, address);
  }

  /** Goes on accepting where another port did, which then only finishes what it has. */
  takeOver(other: PublishedPort): void {
    this.#server = other.#server;
    this.#listener = other.#listener;
    other.#listener = undefined;
    this.#server.removeAllListeners('connection').removeAllListeners('error');
    this.#serve();
  }

  /** The plan's word on who may be picked. The first one releases the connections that waited for it. */
  update(pool: Pool): readonly EndpointState[] {
    const left = this.balancer.update(pool, this.clock.now());
    this.#synced = true;
    for (const connection of this.#waiting) this.#release(connection).dial();
    return left;
  }

  endpointFailed(state: EndpointState, clientIp: string, reason: FailureReason): void {
    const ejected = this.balancer.dialFailed(state, this.clock.now(), clientIp);
    if (ejected) this.#deps.onEjected(state, reason);
  }

  /** A connection is over, whatever became of it. */
  ended(connection: Connection): void {
    this.connections.delete(connection);
    this.#release(connection);
    this.cells.add(this.cells.closed, 1);
    this.cells.add(this.cells.active, -1);
    if (this.connections.size > 0) return;
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }

  stopAccepting(): void {
    this.#listener?.close();
  }

  /** Resolves when the last connection has ended. */
  empty(): Promise<void> {
    if (this.connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#onEmpty.push(resolve));
  }

  close(): void {
    this.stopAccepting();
    for (const connection of this.connections) connection.end('closed');
  }

  #serve(): void {
    this.#server.on('connection', (client) => this.#accept(client));
    // The kernel could not hand a connection over (out of memory or of files): the next one may do better.
    this.#server.on('error', () => {
      if (this.#listener !== undefined) this.cells.failed('accept-error');
    });
  }

  #accept(client: Socket): void {
    const connection = new Connection(client, this);
    this.connections.add(connection);
    this.cells.add(this.cells.opened, 1);
    this.cells.add(this.cells.active, 1);
    if (this.#synced) connection.dial();
    else this.#wait(connection);
  }

  #wait(connection: Connection): void {
    if (this.#waiting.size >= maxWaiting) {
      connection.refuse('not-synced');
      return;
    }
    this.#waiting.add(connection);
    this.cells.add(this.cells.waiting, 1);
    this.clock.setTimeout(() => {
      if (this.#waiting.has(connection)) connection.refuse('not-synced');
    }, firstSyncWaitMs);
  }

  #release(connection: Connection): Connection {
    if (this.#waiting.delete(connection)) this.cells.add(this.cells.waiting, -1);
    return connection;
  }
}
