/** A network in memory: the `Net` joint for simulations of many daemons, without file descriptors or ports. */

import type { Server, Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { OutriggerError } from '../errors/index.ts';
import { formatAddress } from '../net/index.ts';
import type {
  Address,
  ConnectOptions,
  DatagramListener,
  DatagramOptions,
  Listener,
  Net,
  TcpAddress,
} from '../net/index.ts';

export class MemoryNet implements Net {
  readonly #servers = new Map<string, Server>();
  readonly #datagrams = new Map<string, (message: Buffer) => void>();
  #nextPort = 20_000;
  #cut = new Set<string>();

  listen(server: Server, address: Address): Promise<Listener> {
    const bound: Address =
      address.kind === 'tcp'
        ? { kind: 'tcp', host: address.host || '127.0.0.1', port: address.port || this.#nextPort++ }
        : address;
    const name = formatAddress(bound);
    if (this.#servers.has(name)) {
      return Promise.reject(
        new OutriggerError(`cannot listen on ${name}: EADDRINUSE`, { code: 'LISTEN_FAILED', target: name }),
      );
    }
    this.#servers.set(name, server);
    return Promise.resolve({ address: bound, name, close: () => void this.#servers.delete(name) });
  }

  datagram(
    address: TcpAddress,
    onMessage: (message: Buffer) => void,
    { receiveBufferBytes = 0 }: DatagramOptions = {},
  ): Promise<DatagramListener> {
    const bound: TcpAddress = {
      kind: 'tcp',
      host: address.host || '127.0.0.1',
      port: address.port || this.#nextPort++,
    };
    const name = formatAddress(bound);
    this.#datagrams.set(name, onMessage);
    return Promise.resolve({
      address: bound,
      name,
      receiveBufferBytes: 2 * receiveBufferBytes,
      close: () => void this.#datagrams.delete(name),
    });
  }

  /** Delivers a datagram at once; to nobody when none listens, as UDP does. */
  send(name: string, message: string): void {
    this.#datagrams.get(name)?.(Buffer.from(message));
  }

  connect(address: Exclude<Address, { kind: 'fd' }>, options: ConnectOptions = {}): Socket {
    const name = formatAddress(address);
    const client = new MemorySocket(options.allowHalfOpen ?? false, name);
    const server = this.#cut.has(name) ? undefined : this.#servers.get(name);
    setImmediate(() => {
      if (client.destroyed) return;
      if (server === undefined) {
        client.destroy(Object.assign(new Error(`connect ECONNREFUSED ${name}`), { code: 'ECONNREFUSED' }));
        return;
      }
      const accepted = new MemorySocket(true, name);
      client.pair(accepted);
      server.emit('connection', accepted as unknown as Socket);
      client.connecting = false;
      client.emit('connect');
      client.emit('ready');
    });
    return client as unknown as Socket;
  }

  /** Refuses new connections to an address until `mend`; its listener stays bound. */
  cut(name: string): void {
    this.#cut.add(name);
  }

  mend(name: string): void {
    this.#cut.delete(name);
  }
}

/** The part of `net.Socket` that servers and clients use, over a pair of buffers. */
class MemorySocket extends Duplex {
  connecting = true;
  readonly remoteAddress = '127.0.0.1';
  readonly remoteFamily = 'IPv4';
  readonly remotePort = 0;
  readonly localAddress: string;
  readonly localPort: number;
  bytesRead = 0;
  bytesWritten = 0;
  #peer: MemorySocket | undefined;
  #held: (() => void) | undefined;
  #beforePair: (() => void)[] = [];

  constructor(allowHalfOpen: boolean, name: string) {
    super({ allowHalfOpen });
    const colon = name.lastIndexOf(':');
    this.localAddress = name.slice(0, colon);
    this.localPort = Number(name.slice(colon + 1)) || 0;
  }

  pair(peer: MemorySocket): void {
    this.#peer = peer;
    peer.#peer = this;
    peer.connecting = false;
    for (const step of this.#beforePair.splice(0)) step();
  }

  override _read(): void {
    const peer = this.#peer;
    if (peer === undefined) return;
    const held = peer.#held;
    peer.#held = undefined;
    held?.();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#peer === undefined) {
      this.#beforePair.push(() => this._write(chunk, _encoding, done));
      return;
    }
    this.bytesWritten += chunk.length;
    this.#peer.bytesRead += chunk.length;
    if (this.#peer.push(Buffer.from(chunk))) setImmediate(done);
    else this.#held = done;
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#peer === undefined) {
      this.#beforePair.push(() => this._final(done));
      return;
    }
    this.#peer.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const peer = this.#peer;
    if (peer !== undefined && !peer.destroyed) {
      const abrupt = error !== null || !this.writableFinished;
      const reset = abrupt ? Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }) : undefined;
      setImmediate(() => peer.destroy(peer.readableEnded ? undefined : reset));
    }
    done(error);
  }

  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  destroySoon(): void {
    this.end(() => this.destroy());
  }
  resetAndDestroy(): this {
    return this.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  }
}
