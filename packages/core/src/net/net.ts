/** The network joint: servers are bound and connections dialled through it, so that a simulation can put memory in its place. */

import { unlink } from 'node:fs/promises';
import dgram from 'node:dgram';
import net, { isIPv6 } from 'node:net';
import type { NetConnectOpts, OnReadOpts, Server, Socket } from 'node:net';
import { errorCode, OutriggerError } from '../errors/index.ts';
import { formatAddress } from './address.ts';
import type { Address, TcpAddress } from './address.ts';

export interface ListenOptions {
  /** Connections the kernel queues before they are accepted. Default 4096 (the kernel caps it at somaxconn). */
  readonly backlog?: number;
}

export interface ConnectOptions {
  readonly allowHalfOpen?: boolean;
  readonly noDelay?: boolean;
  /** Idle time before TCP keepalive probes, in ms; 0 = off. */
  readonly keepAliveMs?: number;
  /** Reads into the caller's buffer instead of allocating; see `OnReadOpts` of node:net. */
  readonly onread?: OnReadOpts;
  readonly localAddress?: string;
}

export interface Listener {
  /** As bound, with the real port. */
  readonly address: Address;
  /** `formatAddress(address)`. */
  readonly name: string;
  /** Stops accepting; connections already accepted are the caller's. Safe twice. */
  close(): void;
}

export interface DatagramOptions {
  /** SO_RCVBUF, bytes: what may arrive while the process is busy. The kernel caps it at net.core.rmem_max. */
  readonly receiveBufferBytes?: number;
}

/** A bound UDP socket. */
export interface DatagramListener {
  readonly address: TcpAddress;
  readonly name: string;
  /** SO_RCVBUF as the kernel tells it, which counts its bookkeeping: twice what it granted. */
  readonly receiveBufferBytes: number;
  close(): void;
}

export interface Net {
  /** Binds a server the caller made (`net.createServer`, `http.createServer`). Throws LISTEN_FAILED. */
  listen(server: Server, address: Address, options?: ListenOptions): Promise<Listener>;
  /** Binds a UDP socket; `onMessage` may not keep the buffer. Throws LISTEN_FAILED. */
  datagram(
    address: TcpAddress,
    onMessage: (message: Buffer) => void,
    options?: DatagramOptions,
  ): Promise<DatagramListener>;
  /** Starts to connect; success and failure are the socket's `connect` and `error` events. */
  connect(address: Exclude<Address, { kind: 'fd' }>, options?: ConnectOptions): Socket;
}

export function systemNet(): Net {
  return { listen: listenSystem, datagram: datagramSystem, connect: connectSystem };
}

async function listenSystem(
  server: Server,
  address: Address,
  options: ListenOptions = {},
): Promise<Listener> {
  if (address.kind === 'unix') await removeStale(address.path);
  await new Promise<void>((resolve, reject) => {
    const onError = (error: Error): void => reject(listenFailed(address, error));
    server.once('error', onError);
    server.listen(listenArguments(address, options.backlog ?? 4096), () => {
      server.off('error', onError);
      resolve();
    });
  });
  const bound = boundAddress(server, address);
  return { address: bound, name: formatAddress(bound), close: () => void server.close() };
}

async function datagramSystem(
  address: TcpAddress,
  onMessage: (message: Buffer) => void,
  options: DatagramOptions = {},
): Promise<DatagramListener> {
  const { host, port } = address;
  const type = isIPv6(host) || host === '' ? 'udp6' : 'udp4';
  const { receiveBufferBytes } = options;
  const socket = dgram.createSocket({
    type,
    ...(receiveBufferBytes === undefined ? {} : { recvBufferSize: receiveBufferBytes }),
  });
  socket.on('message', onMessage);
  await new Promise<void>((resolve, reject) => {
    const onError = (error: Error): void => reject(listenFailed(address, error));
    socket.once('error', onError);
    socket.bind({ port, ...(host === '' ? {} : { address: host }) }, () => {
      socket.off('error', onError);
      resolve();
    });
  });
  const bound = socket.address();
  const where: TcpAddress = { kind: 'tcp', host: bound.address, port: bound.port };
  return {
    address: where,
    name: formatAddress(where),
    receiveBufferBytes: socket.getRecvBufferSize(),
    close: () => void socket.close(),
  };
}

function connectSystem(address: Exclude<Address, { kind: 'fd' }>, options: ConnectOptions = {}): Socket {
  const { allowHalfOpen = false, noDelay = true, keepAliveMs = 0, onread, localAddress } = options;
  const common = { allowHalfOpen, ...(onread === undefined ? {} : { onread }) };
  const where: NetConnectOpts =
    address.kind === 'unix'
      ? { ...common, path: address.path }
      : {
          ...common,
          host: address.host,
          port: address.port,
          noDelay,
          keepAlive: keepAliveMs > 0,
          keepAliveInitialDelay: keepAliveMs,
          ...(localAddress === undefined ? {} : { localAddress }),
        };
  return net.connect(where);
}

function listenArguments(address: Address, backlog: number): net.ListenOptions & { fd?: number } {
  switch (address.kind) {
    case 'unix':
      return { path: address.path, backlog };
    case 'fd':
      return { fd: address.fd, backlog };
    case 'tcp':
      return { port: address.port, backlog, ...(address.host === '' ? {} : { host: address.host }) };
  }
}

function boundAddress(server: Server, asked: Address): Address {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') return asked;
  return { kind: 'tcp', host: bound.address, port: bound.port };
}

function listenFailed(address: Address, cause: Error): OutriggerError {
  const hints: Record<string, string> = {
    EADDRINUSE: 'another process listens there: choose another address, or port 0 for any free one',
    EACCES: 'not permitted: ports below 1024 and other users’ paths need privileges',
    EADDRNOTAVAIL: 'no interface of this machine has that address',
  };
  return new OutriggerError(`cannot listen on ${formatAddress(address)}: ${errorCode(cause)}`, {
    code: 'LISTEN_FAILED',
    target: formatAddress(address),
    hint: hints[errorCode(cause)] ?? 'check the address',
    cause,
  });
}

/** A socket file whose owner died refuses connections; one in use is left for `listen` to complain about. */
async function removeStale(path: string): Promise<void> {
  const code = await new Promise<string>((resolve) => {
    const probe = net.connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve('CONNECTED');
    });
    probe.once('error', (error) => resolve(errorCode(error)));
  });
  if (code === 'ECONNREFUSED') await unlink(path);
}
