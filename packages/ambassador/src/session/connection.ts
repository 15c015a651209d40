/** The socket around one session. All decisions are the session's. */

import type { Clock, Timer } from '@outrigger/core/clock';
import { readInto, resetSocket } from '@outrigger/core/net';
import type { ReadOptions } from '@outrigger/core/net';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Ended } from '../observe/names.ts';
import { largeBytes, LargeReads } from '../upstream/read-buffers.ts';
import type { SessionContext, SessionPorts } from './ports.ts';
import { Session } from './session.ts';
import type { SessionState } from './state.ts';

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly context: SessionContext;
  /** Connections that hold a request until something is newly known of the servers. */
  readonly waiting: Set<Connection>;
  /** The client's connection is over. */
  readonly onEnd: (connection: Connection) => void;
}

/** Idle time before TCP keepalive probes, so that a client that vanished does not hold its session for ever. */
const keepAliveMs = 30_000;

/**
 * Reading into buffers of ours takes another socket for the connection: more memory for as long as that lasts, and the
 * first socket is garbage. Most clients are quiet most of the time. Those get it who send so much at once, or so often.
 */
const busyBytes = 512;
const busyChunks = 16;

export class Connection implements SessionPorts {
  readonly session: Session;
  readonly #options: ConnectionOptions;
  readonly #plain: boolean;
  #client: Socket;
  /** Once it reads into buffers of ours. */
  #large: LargeReads | undefined;
  /** Until then, if it sends no more at once than a quiet client. */
  #quietChunks = busyChunks;
  #ended: Ended = Ended.client;

  constructor(client: Socket, state: SessionState, options: ConnectionOptions) {
    this.#options = options;
    this.#client = client;
    // TLS has buffers of its own.
    this.#plain = !(client instanceof TLSSocket);
    this.session = new Session(this, options.context, state);
    client.setNoDelay(true);
    client.setKeepAlive(true, keepAliveMs);
    this.#listen();
  }

  /** Why it ended, once it has. */
  get ended(): Ended {
    return this.#ended;
  }

  /** Answers what has been asked, then closes. */
  drain(): void {
    this.#ended = Ended.drained;
    this.session.drain();
  }

  destroy(why: Ended): void {
    this.#ended = why;
    this.#client.destroy();
  }

  /** What it holds is too much for all. */
  evict(bytes: number): void {
    if (this.#client.destroyed) return;
    const { limits, log } = this.#options.context;
    log.warn('client closed: of all that wait it holds the most', {
      client: this.session.state.peer,
      bytes,
      limit: `maxBufferedBytes ${limits.maxBufferedBytes}`,
    });
    this.destroy(Ended.memory);
  }

  // ---- SessionPorts

  get backlog(): number {
    return this.#client.writableLength;
  }

  toClient(bytes: Uint8Array): void {
    const client = this.#client;
    client.write(bytes);
    const { limits, buffers } = this.#options.context;
    // Nothing left to write means that the kernel has it all; TLS may still have to encrypt it.
    if (client.writableLength === 0) {
      if (this.#plain) buffers.released(bytes);
    } else if (client.writableLength > limits.maxClientOutputBytes) this.#tooSlow();
  }

  released(bytes: Uint8Array): void {
    this.#options.context.buffers.released(bytes);
  }

  readClient(on: boolean): void {
    if (on !== this.#client.isPaused()) return;
    if (on) this.#client.resume();
    else this.#client.pause();
  }

  finish(): void {
    const client = this.#client;
    // Closing with bytes unread makes the kernel reset the connection, and the client may lose what was just written.
    client.end();
    client.resume();
    const linger = this.#options.clock.setTimeout(
      () => client.destroy(),
      this.#options.context.limits.lingerMs,
    );
    client.once('close', () => linger.cancel());
  }

  abort(why: string): void {
    this.#options.context.log.warn('client connection aborted', { why, client: this.session.state.peer });
    this.#ended = Ended.server;
    resetSocket(this.#client);
  }

  wakeAfter(delayMs: number): Timer {
    return this.#options.clock.setTimeout(() => this.session.onWake(), delayMs);
  }

  watchRealm(on: boolean): void {
    if (on) this.#options.waiting.add(this);
    else this.#options.waiting.delete(this);
  }

  now(): number {
    return this.#options.clock.now();
  }

  // ---- the socket

  #listen(): void {
    const client = this.#client;
    client.on('data', this.#onData);
    client.on('end', this.#onEnd);
    client.on('drain', this.#onDrain);
    client.on('error', this.#onError);
    client.once('close', this.#onClose);
  }

  /** Reads into buffers of ours from now on, if that can be. */
  #readFaster(): void {
    const quiet = this.#client;
    const large = new LargeReads(this.#options.context.buffers);
    const busy = readInto(quiet, this.#reading(large));
    if (busy === undefined) return;
    // Its end is not the client's.
    quiet.removeAllListeners();
    this.#client = busy;
    this.#large = large;
    this.#listen();
  }

  #reading(large: LargeReads): ReadOptions {
    const { buffers } = this.#options.context;
    return {
      buffer: () => (large.wants(this.session.outbox.streaming) ? buffers.take(largeBytes) : buffers.shared),
      taken: (read, buffer) => buffers.passed(read, buffer),
    };
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#large === undefined && this.#plain) {
      this.#quietChunks--;
      if (chunk.length >= busyBytes || this.#quietChunks < 0) this.#readFaster();
    }
    this.session.onClientData(chunk);
  };
  readonly #onEnd = (): void => this.session.onClientEnd();
  readonly #onDrain = (): void => this.session.onClientDrained();
  // Its end, however it comes, is `close`.
  readonly #onError = (): void => {};
  readonly #onClose = (): void => {
    this.session.end();
    this.#large?.wants(false);
    this.#options.waiting.delete(this);
    this.#options.onEnd(this);
  };

  /** A client that asks and does not read: its answers would fill the memory of all. */
  #tooSlow(): void {
    if (this.#client.destroyed) return;
    const { limits, log } = this.#options.context;
    log.warn('client closed: it does not read its answers', {
      client: this.session.state.peer,
      limit: `maxClientOutputBytes ${limits.maxClientOutputBytes}`,
    });
    this.destroy(Ended.slow);
  }
}
