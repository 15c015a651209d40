/**
 * The byte relay between an accepted connection and one we dialled.
 *
 * What must hold: every byte arrives once, in order; a half-close is passed on as a half-close and a reset as a reset;
 * a slow reader stops the fast writer; nothing is held per connection but two sockets and this object.
 *
 * The obvious `client.pipe(upstream).pipe(client)` holds all that but costs a third more per request than HAProxy and
 * allocates a buffer for every read. Here the dialled side reads into one buffer shared by all relays (`onread`), and
 * what was read leaves it before the callback returns: short chunks as a latin1 string, which the kernel takes in the
 * same system call without another allocation. Handing the shared buffer itself to `write` would be cheaper and wrong: a
 * write that had to wait still points into it when the next read fills it. So a relay that meets long chunks reads
 * into a buffer of its own for as long as they come, hands that to `write`, and goes on with another one from the pool
 * whenever the write did not complete at once.
 */

import type { OnReadOpts, Socket } from 'node:net';
import { resetSocket } from './reset.ts';

/** Chunks up to this size are written as a string; beyond, transcoding costs more than a buffer of one's own. */
const stringLimit = 4096;

export interface RelayHooks {
  /** Bytes just passed on from the client. Hot: add to a cell. */
  toUpstream(bytes: number): void;
  /** Bytes just passed on to the client. Hot. */
  toClient(bytes: number): void;
  /** Both sides are gone. Called once. */
  closed(relay: Relay, end: RelayEnd): void;
}

/** How a relay ended: both sides said goodbye (and who first), one of them broke off, or we ended it. */
export type RelayEnd =
  'client-first' | 'upstream-first' | 'client-reset' | 'upstream-reset' | 'idle' | 'drained' | 'closed';

/** What Node itself reads at once. */
const bufferBytes = 65_536;
/** Unused buffers kept; more are left to the garbage collector. */
const maxPooled = 64;

/** The read buffers and the coarse clock that all relays of a listener group share. */
export class RelayShare {
  /** Every relay of short chunks reads into this one. */
  readonly buffer: Buffer = Buffer.allocUnsafeSlow(bufferBytes);
  readonly #pool: Buffer[] = [];
  /** Moved on by whoever sweeps for idle relays: reading a clock per chunk would cost more than the chunk. */
  tick = 0;

  /** A buffer nobody else reads into or writes from. */
  take(): Buffer {
    return this.#pool.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
  }

  give(buffer: Buffer): void {
    if (this.#pool.length < maxPooled) this.#pool.push(buffer);
  }
}

export class Relay {
  readonly client: Socket;
  upstream: Socket | undefined;
  /** `share.tick` when a byte last moved. */
  lastActiveTick: number;
  /** Bytes the upstream has sent so far: 0 means it never answered. */
  received = 0;
  readonly #share: RelayShare;
  readonly #hooks: RelayHooks;
  #end: RelayEnd | undefined;
  #open = 1;
  /** What the next read shall go to, where that is to change. */
  #next: Buffer | undefined;
  /** The buffer of our own that reads go to now; undefined: the shared one. */
  #own: Buffer | undefined;

  constructor(client: Socket, share: RelayShare, hooks: RelayHooks) {
    this.client = client;
    this.#share = share;
    this.#hooks = hooks;
    this.lastActiveTick = share.tick;
  }

  /** For the dial: reads go to the shared buffer from the first byte on. */
  get onread(): OnReadOpts {
    this.#next = this.#share.buffer;
    return {
      // Asked before the first read and after each; undefined (which the published type leaves out) keeps the buffer.
      buffer: (() => this.#nextBuffer()) as () => Buffer,
      callback: (bytes, buffer) => this.#fromUpstream(bytes, buffer as Buffer),
    };
  }

  /** Joins the two sides; the upstream must be connected and dialled with `onread` and `allowHalfOpen`. */
  start(upstream: Socket): void {
    const { client } = this;
    this.upstream = upstream;
    this.#open = 2;
    upstream.on('drain', () => client.resume());
    upstream.on('end', () => {
      this.#end ??= 'upstream-first';
      client.end();
    });
    upstream.on('error', () => this.#broken('upstream-reset', client));
    upstream.on('close', () => this.#closedSide(client));
    client.on('drain', () => upstream.resume());
    client.on('end', () => this.#clientEnded(upstream));
    client.on('error', () => this.#broken('client-reset', upstream));
    client.on('close', () => this.#closedSide(upstream));
    client.on('data', (chunk: Buffer) => this.#fromClient(chunk));
    // A client that said all it had to say before the dial was through has had its `end` already.
    if (client.readableEnded) this.#clientEnded(upstream);
    if (client.destroyed) this.#broken('client-reset', upstream);
  }

  /** Ends both sides now: gently (what is queued still leaves) or with a reset. */
  end(reason: RelayEnd, reset = false): void {
    this.#end = reason;
    for (const socket of [this.client, this.upstream]) {
      if (socket === undefined) continue;
      if (reset) resetSocket(socket);
      else socket.destroySoon();
    }
  }

  #clientEnded(upstream: Socket): void {
    this.#end ??= 'client-first';
    upstream.end();
  }

  #fromClient(chunk: Buffer): void {
    this.lastActiveTick = this.#share.tick;
    this.#hooks.toUpstream(chunk.length);
    if (this.upstream?.write(chunk) === false) this.client.pause();
  }

  #fromUpstream(bytes: number, buffer: Buffer): boolean {
    this.lastActiveTick = this.#share.tick;
    this.received += bytes;
    this.#hooks.toClient(bytes);
    if (bytes <= stringLimit) return this.#writeShort(bytes, buffer);
    if (this.#own === undefined) {
      this.#own = this.#next = this.#share.take();
      return this.client.write(Buffer.copyBytesFrom(buffer, 0, bytes));
    }
    return this.#writeOwn(bytes, buffer);
  }

  #writeShort(bytes: number, buffer: Buffer): boolean {
    const flowing = this.client.write(buffer.toString('latin1', 0, bytes), 'latin1');
    if (this.#own !== undefined) {
      this.#share.give(this.#own);
      this.#own = undefined;
      this.#next = this.#share.buffer;
    }
    return flowing;
  }

  #writeOwn(bytes: number, buffer: Buffer): boolean {
    const { client } = this;
    let waits = false;
    const flowing = client.write(buffer.subarray(0, bytes), (error) => {
      if (waits && !error) this.#share.give(buffer);
    });
    // Nothing left to write means that the kernel has it all: the same buffer may take the next read.
    waits = client.writableLength > 0;
    if (waits) this.#own = this.#next = this.#share.take();
    return flowing;
  }

  #nextBuffer(): Buffer | undefined {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }

  /** A reset or a failed write on one side: the other must learn that the stream is not whole. */
  #broken(end: RelayEnd, other: Socket): void {
    if (this.#end === undefined || this.#end.endsWith('-first')) this.#end = end;
    if (!other.destroyed) resetSocket(other);
  }

  #closedSide(other: Socket): void {
    this.#open -= 1;
    if (this.#open === 0) {
      if (this.#own !== undefined) this.#share.give(this.#own);
      this.#own = undefined;
      this.#hooks.closed(this, this.#end ?? 'closed');
    } else other.destroySoon();
  }
}
