/** The sockets around one session: the client's, and up to two of servers. All decisions are the session's. */

import type { Timer } from '@outrigger/core/clock';
import type { Deps } from '@outrigger/core/lifecycle';
import { resetSocket } from '@outrigger/core/net';
import type { Socket } from 'node:net';
import type { Credentials } from '../upstream/credentials.ts';
import type { Server } from '../upstream/server.ts';
import { Session } from './session.ts';
import type { Role, SessionContext, SessionPorts } from './ports.ts';
import { Splice } from './splice.ts';
import type { Replica } from '../topology/topology.ts';
import { Upstream } from '../upstream/upstream.ts';

export interface ConnectionOptions {
  readonly deps: Deps;
  readonly context: SessionContext;
  readonly credentials: () => Credentials | undefined;
  readonly primary: () => Server | undefined;
  readonly replica: (name: string) => Server | undefined;
  /** Connections that hold a read until a replica has proven itself. */
  readonly waiting: Set<Connection>;
  /** The client's connection is over. */
  readonly onEnd: (connection: Connection) => void;
}

/** Idle time before TCP keepalive probes, so that a client that vanished does not hold its session for ever. */
const keepAliveMs = 30_000;

export class Connection implements SessionPorts {
  readonly #client: Socket;
  readonly #options: ConnectionOptions;
  readonly #session: Session;
  readonly #upstreams: { primary?: Upstream; replica?: Upstream } = {};
  #splice: Splice | undefined;
  #draining = false;
  #replica: Replica | undefined;

  constructor(client: Socket, options: ConnectionOptions) {
    this.#client = client;
    this.#options = options;
    this.#session = new Session(this, options.context);
    client.setNoDelay(true);
    client.setKeepAlive(true, keepAliveMs);
    client.on('data', this.#onData);
    client.on('end', this.#onEnd);
    client.on('drain', this.#onDrain);
    // Its end, however it comes, is `close`.
    client.on('error', () => {});
    client.once('close', () => {
      this.#session.end();
      this.#splice?.destroy();
      options.onEnd(this);
    });
  }

  /** Its connections to servers of this role. */
  upstreams(role: Role): number {
    const spliced = role === 'primary' && this.#splice !== undefined;
    return spliced || this.#upstreams[role] !== undefined ? 1 : 0;
  }

  get spliced(): boolean {
    return this.#splice !== undefined;
  }

  /** A read is held, and something is newly known of the replicas. */
  onTopology(): void {
    this.#session.onTopology();
  }

  onServersChanged(): void {
    this.#session.onServersChanged();
  }

  onServerSilent(): void {
    this.#session.onServerSilent();
  }

  /** Answers what has been asked, then closes. */
  drain(): void {
    this.#draining = true;
    if (this.#splice === undefined) this.#session.drain();
    else this.#splice.drain(this.#options.context.limits.drainQuietMs);
  }

  destroy(): void {
    this.#client.destroy();
  }

  // ---- SessionPorts

  toClient(bytes: Uint8Array): void {
    this.#client.write(bytes);
    if (this.#client.writableLength > this.#options.context.limits.maxReplyBacklogBytes) this.#pauseServers();
  }

  toServer(role: Role, bytes: Uint8Array): boolean {
    return this.#upstreams[role]?.socket.write(bytes) ?? true;
  }

  open(role: Role, replica?: Replica): void {
    const { primary, replica: find } = this.#options;
    const server = role === 'primary' ? primary() : find(replica?.name ?? '');
    if (server === undefined) {
      const why = this.#options.context.topology.primary.why;
      queueMicrotask(() => this.#session.onServerLost(role, why));
      return;
    }
    if (replica !== undefined) {
      replica.sessions++;
      this.#replica = replica;
    }
    this.#upstreams[role] = this.#connect(role, server);
  }

  close(role: Role): void {
    this.#upstreams[role]?.destroy();
    this.#forget(role);
  }

  readClient(on: boolean): void {
    if (on === !this.#client.isPaused()) return;
    if (on) this.#client.resume();
    else this.#client.pause();
  }

  splice(first: readonly Uint8Array[]): void {
    const upstream = this.#upstreams.primary as Upstream;
    this.#forget('primary');
    this.#client.off('data', this.#onData);
    this.#client.off('end', this.#onEnd);
    this.#client.off('drain', this.#onDrain);
    this.#splice = new Splice(this.#client, upstream.release(), this.#options.deps.clock);
    this.#splice.start(first);
    if (this.#client.readableEnded) this.#splice.clientEnded();
    if (this.#draining) this.drain();
  }

  finish(): void {
    const client = this.#client;
    // Closing with bytes unread makes the kernel reset the connection, and the client may lose what was just written.
    client.end();
    client.resume();
    const linger = this.#options.deps.clock.setTimeout(
      () => client.destroy(),
      this.#options.context.limits.lingerMs,
    );
    client.once('close', () => linger.cancel());
  }

  abort(why: string): void {
    this.#options.deps.log.warn('client connection aborted', { why });
    resetSocket(this.#client);
  }

  wakeAfter(delayMs: number): Timer {
    return this.#options.deps.clock.setTimeout(() => this.#session.onWake(), delayMs);
  }

  waiting(on: boolean): void {
    if (on) this.#options.waiting.add(this);
    else this.#options.waiting.delete(this);
  }

  now(): number {
    return this.#options.deps.clock.now();
  }

  // ---- sockets

  readonly #onData = (chunk: Buffer): void => this.#session.onClientData(chunk);
  readonly #onEnd = (): void => this.#session.onClientEnd();
  readonly #onDrain = (): void => {
    this.#upstreams.primary?.socket.resume();
    this.#upstreams.replica?.socket.resume();
  };

  #connect(role: Role, server: Server): Upstream {
    const { deps, credentials, context } = this.#options;
    return new Upstream({
      server,
      credentials: credentials(),
      net: deps.net,
      clock: deps.clock,
      connectTimeoutMs: context.limits.connectTimeoutMs,
      events: {
        open: (runId) => this.#session.onServerOpen(role, runId),
        data: (chunk) => this.#session.onServerData(role, chunk),
        drained: () => this.#session.onServerDrained(),
        lost: (why) => {
          this.#forget(role);
          this.#session.onServerLost(role, why);
        },
      },
    });
  }

  #forget(role: Role): void {
    delete this.#upstreams[role];
    if (role === 'primary' || this.#replica === undefined) return;
    this.#replica.sessions--;
    this.#replica = undefined;
  }

  #pauseServers(): void {
    this.#upstreams.primary?.socket.pause();
    this.#upstreams.replica?.socket.pause();
  }
}
