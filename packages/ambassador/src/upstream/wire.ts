/** A socket to a server, once it has been welcomed (welcome.ts). A simulation puts its own in its place. */

import type { Clock } from '@outrigger/core/clock';
import { errorCode } from '@outrigger/core/errors';
import type { Net } from '@outrigger/core/net';
import { ReplyDecoder, RespError } from '@outrigger/core/resp';
import type { OnReadOpts, Socket } from 'node:net';
import type { Identity } from '../session/state.ts';
import { dial, readyEvent } from './dial.ts';
import type { Credentials } from './credentials.ts';
import { bufferBytes, copyBytes, largeBytes, LargeReads } from './read-buffers.ts';
import type { ReadBuffers } from './read-buffers.ts';
import type { Server } from './server.ts';
import type { DialTls } from './server-tls.ts';
import { WelcomeTalk } from './welcome.ts';
import type { Refusal, Welcome } from './welcome.ts';

export interface WireEvents {
  /** One session's: what comes is one large answer, where it is much, and not many small ones. */
  readonly exclusive: boolean;
  /** Ready for commands; nothing of a client has been sent before. */
  opened(welcome: Welcome): void;
  /** Bytes of answers. */
  received(chunk: Uint8Array): void;
  /** The socket's buffer has emptied after a `write` that returned false. */
  drained(): void;
  /** Failed or closed, once; not after `destroy`. */
  lost(refusal: Refusal): void;
}

export interface Wire {
  /** Sends the pieces, one after the other. False: enough for now, `drained` follows. */
  write(pieces: readonly Uint8Array[]): boolean;
  /** Bytes written that the kernel has not taken yet. */
  readonly unsent: number;
  /** Sends no more; what the server still says is received. */
  end(): void;
  pause(): void;
  resume(): void;
  /** Ends it without a word to the events. */
  destroy(): void;
}

/** Never calls an event from within. `readonly` and `evenBusy`: see WelcomeTalk. */
export type OpenWire = (
  server: Server,
  identity: Identity,
  readonly: boolean,
  events: WireEvents,
  evenBusy?: boolean,
) => Wire;

export interface WireOptions {
  readonly net: Net;
  readonly clock: Clock;
  /** Looked at for each connection. */
  readonly limits: { readonly connectTimeoutMs: number };
  /** Of whom logs in without a user of their own. */
  readonly credentials: (server: Server) => Credentials | undefined;
  readonly tls: () => DialTls | undefined;
  readonly buffers: ReadBuffers;
}

export function socketWires(options: WireOptions): OpenWire {
  return (server, identity, readonly, events, evenBusy) => {
    const login = identity.password === undefined ? options.credentials(server) : undefined;
    const { username: user, password } = login ?? { username: identity.user, password: identity.password };
    const talk = new WelcomeTalk({ ...identity, user, password }, readonly, evenBusy);
    return new SocketWire(options, server, talk, events);
  };
}

class SocketWire implements Wire {
  readonly #socket: Socket;
  readonly #events: WireEvents;
  readonly #timer;
  readonly #buffers: ReadBuffers;
  readonly #large: LargeReads;
  /** What the next read shall go to, where that is to change. */
  #next: Buffer | undefined;
  #talk: WelcomeTalk | undefined;
  #decoder = new ReplyDecoder();
  #over = false;
  #failure = 'closed by the server';

  constructor(options: WireOptions, server: Server, talk: WelcomeTalk, events: WireEvents) {
    this.#events = events;
    this.#talk = talk;
    this.#buffers = options.buffers;
    this.#large = new LargeReads(options.buffers);
    this.#next = options.buffers.take();
    // TLS has buffers of its own.
    const socket = dial(server, options.net, options.tls(), server.tls ? undefined : this.#onread);
    this.#socket = socket;
    this.#timer = options.clock.setTimeout(
      () => this.#fail({ why: 'ETIMEDOUT', error: undefined }),
      options.limits.connectTimeoutMs,
    );
    socket.once(readyEvent(server), () => socket.write(this.#talk?.request ?? ''));
    if (server.tls) socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('drain', () => events.drained());
    socket.on('error', (error) => (this.#failure = errorCode(error)));
    const closed = (): void => this.#fail({ why: this.#failure, error: undefined });
    socket.once('end', closed);
    socket.once('close', closed);
  }

  write(pieces: readonly Uint8Array[]): boolean {
    const [first] = pieces;
    if (pieces.length === 1 && first !== undefined) return this.#socket.write(first) || this.unsent === 0;
    this.#socket.cork();
    let room = true;
    for (const piece of pieces) room = this.#socket.write(piece);
    this.#socket.uncork();
    // What the kernel has taken at once is no reason to wait, however much it was.
    return room || this.unsent === 0;
  }

  get unsent(): number {
    return this.#socket.writableLength;
  }

  end(): void {
    this.#socket.end();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#over = true;
    this.#timer.cancel();
    this.#socket.destroy();
    this.#large.wants(false);
  }

  get #onread(): OnReadOpts {
    return {
      // Asked before the first read and after each; undefined (which the published type leaves out) keeps the buffer.
      buffer: (() => {
        const next = this.#next;
        this.#next = undefined;
        return next;
      }) as () => Buffer,
      callback: (bytes, buffer) => {
        this.#read((buffer as Buffer).subarray(0, bytes), buffer as Buffer);
        return true;
      },
    };
  }

  #read(chunk: Buffer, buffer: Buffer): void {
    const small = chunk.length <= copyBytes && buffer.length === bufferBytes;
    if (small || this.#talk !== undefined) {
      this.#received(Buffer.from(chunk));
      return;
    }
    // One that fills what Node reads at once has more behind it. Many answers do best in a buffer that stays in the cache.
    const large = this.#large.wants(this.#events.exclusive && chunk.length >= bufferBytes);
    this.#received(this.#buffers.passed(chunk, buffer));
    // The same one, if all of it has been released.
    this.#next = this.#buffers.take(large ? largeBytes : bufferBytes);
  }

  #received(chunk: Buffer): void {
    if (this.#talk === undefined) this.#events.received(chunk);
    else this.#greeted(chunk);
  }

  #greeted(chunk: Buffer): void {
    try {
      for (const value of this.#decoder.push(chunk)) {
        const outcome = this.#talk?.take(value);
        if (outcome === undefined) continue;
        if ('why' in outcome) this.#fail(outcome);
        else this.#open(outcome);
        return;
      }
    } catch (error) {
      if (!(error instanceof RespError)) throw error;
      this.#fail({ why: error.message, error: undefined });
    }
  }

  #open(welcome: Welcome): void {
    this.#timer.cancel();
    this.#talk = undefined;
    this.#decoder = undefined as never;
    this.#events.opened(welcome);
  }

  #fail(refusal: Refusal): void {
    if (this.#over) return;
    this.destroy();
    this.#events.lost(refusal);
  }
}
