/** A published port over real sockets, with backends that behave or misbehave as told. */

import type { Clock } from '@outrigger/core/clock';
import { RelayShare } from '@outrigger/core/net';
import type { Net } from '@outrigger/core/net';
import { eventually, testDeps } from '@outrigger/core/testing';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Endpoint } from '../../src/catalog/index.ts';
import { L4Metrics, PublishedPort, Sweeper } from '../../src/l4/index.ts';
import { DEFAULT_SETTINGS } from '../../src/plan/index.ts';
import type { Pool, TrafficSettings } from '../../src/plan/index.ts';

interface Teardown {
  teardown(run: () => void): void;
}

export interface Backend {
  readonly port: number;
  readonly sockets: Set<Socket>;
  readonly accepted: () => number;
}

export async function backend(t: Teardown, onSocket: (socket: Socket) => void): Promise<Backend> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, sockets, accepted: () => accepted };
}

/** A port nobody listens on. */
export async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export function endpointAt(port: number): Endpoint {
  return {
    key: `127.0.0.1:${port}`,
    address: '127.0.0.1',
    port,
    node: '',
    zone: '',
    target: '',
    ready: true,
    serving: true,
    terminating: false,
    local: false,
    nodeHints: [],
    zoneHints: [],
  };
}

export function poolOf(
  ports: readonly number[],
  settings: Partial<TrafficSettings> = {},
  affinitySeconds = 0,
): Pool {
  return {
    endpoints: ports.map(endpointAt),
    affinitySeconds,
    settings: { ...DEFAULT_SETTINGS, ...settings },
  };
}

export interface Fixture {
  readonly port: PublishedPort;
  readonly number: number;
  readonly ejected: string[];
  readonly page: () => Promise<string>;
  readonly sweeper: Sweeper;
  /** Every connection has ended and nothing is reserved. */
  readonly settled: () => Promise<unknown>;
}

export async function fixture(
  t: Teardown,
  pool: Pool | undefined,
  replaced: { clock?: Clock; net?: Net } = {},
): Promise<Fixture> {
  const deps = testDeps(replaced);
  const ejected: string[] = [];
  const share = new RelayShare();
  const port = new PublishedPort({ service: 'default/web', port: 'http' }, DEFAULT_SETTINGS, share, {
    ...deps,
    metrics: new L4Metrics(deps.metrics),
    onEjected: (endpoint) => void ejected.push(endpoint.key),
  });
  await port.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
  const sweeper = new Sweeper(deps.clock, share, () => [port]);
  t.teardown(() => {
    sweeper.close();
    port.close();
  });
  if (pool !== undefined) port.update(pool);
  const number = Number(port.name.split(':').at(-1));
  const idle = (): boolean => port.connections.size === 0 && port.balancer.counters.active === 0;
  return {
    port,
    number,
    ejected,
    sweeper,
    page: () => deps.metrics.page(),
    settled: () => eventually('settled', idle),
  };
}

/** Connects, sends, half-closes, and resolves with everything received. Rejects on a reset. */
export async function exchange(port: number, message: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.end(message);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
