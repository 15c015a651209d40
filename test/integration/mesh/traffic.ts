/** Backends that say who they are or misbehave, and clients that look at what they get. */

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Teardown } from '../../harness/index.ts';

export interface Backend {
  readonly port: number;
  readonly accepted: () => number;
  readonly sockets: ReadonlySet<Socket>;
  readonly close: () => Promise<void>;
}

/** Without `onSocket` it answers every chunk with its own port, until the client has said all. */
export async function backend(
  t: Teardown,
  onSocket?: (socket: Socket) => void,
  host = '127.0.0.1',
  onPort = 0,
): Promise<Backend> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    if (onSocket !== undefined) {
      onSocket(socket);
      return;
    }
    socket.on('data', () => socket.write(`${port}\n`));
    socket.on('end', () => socket.end());
  });
  server.listen(onPort, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  t.teardown(close);
  return { port, accepted: () => accepted, sockets, close };
}

export function portOf(address: string | undefined): number {
  return Number(address?.split(':').at(-1));
}

/** Asks once over a connection of its own; resolves with the answer, rejects on a reset. */
export async function ask(port: number, message = 'who?'): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.end(message);
  return (await textOf(socket)).trim();
}

/** What became of one connection: the text, or the error's code. */
export function attempt(port: number): Promise<string> {
  return ask(port).catch((error: NodeJS.ErrnoException) => error.code ?? 'failed');
}

/** A connection that stays open and can be asked again. */
export class Conversation {
  readonly socket: Socket;

  constructor(t: Teardown, port: number) {
    this.socket = connect({ host: '127.0.0.1', port });
    // What breaks it shows in `ask`.
    this.socket.on('error', () => {});
    t.teardown(() => this.socket.destroy());
  }

  async ask(): Promise<string> {
    this.socket.write('who?');
    const [chunk] = (await once(this.socket, 'data')) as [Buffer];
    return chunk.toString().trim();
  }
}

async function textOf(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Sockets this process holds just now. */
export function openSockets(): number {
  return process
    .getActiveResourcesInfo()
    .filter((name) => name === 'TCPSocketWrap' || name === 'TCPServerWrap').length;
}
