/** TCP and unix stream sockets for StatsD: bounded connections, each with its own framer. */

import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { errorCode } from '@outrigger/core/errors';
import type { Deps } from '@outrigger/core/lifecycle';
import { warnOfExposure } from '@outrigger/core/net';
import type { Address } from '@outrigger/core/net';
import { AnyFramer, LineFramer } from './framing.ts';
import type { Framer, LineSink } from './framing.ts';
import { longestChunk } from './ingest.ts';
import { transports } from './tally.ts';
import type { Tally, Transport } from './tally.ts';

export interface StreamOptions {
  readonly maxConnections: number;
  readonly maxLineLength: number;
}

export interface StreamListener {
  readonly name: string;
  /** Connections opened from now on. */
  apply(options: StreamOptions): void;
  close(): void;
}

/** Throws LISTEN_FAILED. A unix socket whose owner died is replaced. */
export async function listenStream(
  transport: Exclude<Transport, 'udp'>,
  address: Address,
  initial: StreamOptions,
  sink: LineSink,
  tally: Tally,
  deps: Pick<Deps, 'net' | 'log'>,
): Promise<StreamListener> {
  let options = initial;
  const sockets = new Set<Socket>();
  const at = transports.indexOf(transport);
  const server = createServer((socket) => {
    sockets.add(socket);
    tally.connections[at] = (tally.connections[at] ?? 0) + 1;
    tally.connectionsOpen[at] = sockets.size;
    socket.once('close', () => {
      sockets.delete(socket);
      tally.connectionsOpen[at] = sockets.size;
    });
    const framer = framerOf(transport, options, sink);
    read(socket, framer, (bytes) => (tally.bytes[at] = (tally.bytes[at] ?? 0) + bytes));
    socket.on('error', (error) =>
      deps.log.debug('a StatsD client was lost', { transport, error: errorCode(error) }),
    );
  });
  server.maxConnections = options.maxConnections;
  server.on('drop', () => (tally.connectionsRefused[at] = (tally.connectionsRefused[at] ?? 0) + 1));
  const listener = await deps.net.listen(server, address);
  warnOfExposure(deps.log, `statsd-${transport}`, listener.address);
  return {
    name: listener.name,
    apply: (next) => {
      options = next;
      server.maxConnections = next.maxConnections;
    },
    close: () => {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function framerOf(transport: Transport, { maxLineLength }: StreamOptions, sink: LineSink): Framer {
  if (transport === 'tcp') return new LineFramer(sink, maxLineLength);
  return new AnyFramer(sink, maxLineLength, Math.max(maxLineLength, longestChunk));
}

function read(socket: Socket, framer: Framer, count: (bytes: number) => void): void {
  socket.on('data', (chunk: Buffer) => {
    count(chunk.length);
    if (!framer.push(chunk)) socket.destroy();
  });
  socket.once('end', () => {
    framer.end();
    socket.end();
  });
}
