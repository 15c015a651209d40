/** One connection to a server, kept between scrapes and made anew by the next scrape when it ended. */

import { OutriggerError } from '@outrigger/core/errors';
import type { Address, Net } from '@outrigger/core/net';
import type { Redis } from 'ioredis';
import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface RedisServer {
  readonly address: Exclude<Address, { kind: 'fd' }>;
  readonly tls: boolean;
}

export interface RedisAccess {
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Text of a PEM file. */
  readonly ca: string | undefined;
}

/** A reply or an error reply. */
export type Reply = { readonly value: unknown } | { readonly refused: string };

export interface RedisConnection {
  readonly ended: boolean;
  /** All in one write; rejects when the connection cannot be made or ends before the last reply. */
  ask(commands: readonly (readonly string[])[]): Promise<readonly Reply[]>;
  /** Also while it is being made. */
  end(): void;
}

/** An answer of all commands of a scrape at most, bytes: INFO of a server with every command is below 100 kB. */
export const maxAnswerBytes = 16 * 1024 * 1024;

/** Begins to connect. ioredis is imported with the first connection. */
export async function connectRedis(
  server: RedisServer,
  access: RedisAccess,
  net: Net,
): Promise<RedisConnection> {
  const { Redis, AbstractConnector } = await import('ioredis');
  let failure: Error | undefined;
  const socket = dial(server, access, net);
  // ioredis listens too, but not from the first moment and not after it was told to disconnect.
  socket.on('error', (error) => (failure ??= error));
  class Connector extends AbstractConnector {
    constructor() {
      super(0);
    }
    connect(): Promise<Socket> {
      this.stream = socket;
      return Promise.resolve(socket);
    }
  }
  const redis = new Redis({
    Connector,
    ...(server.tls ? { tls: {} } : {}),
    ...(access.username === undefined ? {} : { username: access.username }),
    ...(access.password === undefined ? {} : { password: access.password }),
    protocol: 2,
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    disableClientInfo: true,
    connectionName: 'outrigger-adapter',
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on('error', (error) => (failure ??= error));
  return opened(redis, socket, {
    first: () => failure,
    set: (error) => (failure ??= error instanceof Error ? error : new Error(String(error))),
  });
}

interface Failure {
  first(): Error | undefined;
  set(error: unknown): void;
}

function opened(redis: Redis, socket: Socket, failure: Failure): RedisConnection {
  let ended = false;
  let before = 0;
  const end = (): void => {
    ended = true;
    redis.disconnect();
    // It would wait for what is still to come.
    socket.destroy();
  };
  socket.once('close', () => (ended = true));
  socket.on('data', () => {
    if (socket.bytesRead - before <= maxAnswerBytes) return;
    failure.set(tooLarge());
    end();
  });
  const ready = redis.connect().catch((error: unknown) => {
    failure.set(error);
    end();
  });
  return {
    get ended() {
      return ended;
    },
    async ask(commands) {
      await ready;
      if (ended) throw failure.first() ?? new Error('Connection is closed.');
      before = socket.bytesRead;
      const pipeline = redis.pipeline();
      for (const [name = '', ...args] of commands) pipeline.call(name, ...args);
      const replies = (await pipeline.exec()) ?? [];
      const lost = replies.flatMap(([error]) =>
        error === null || error.name === 'ReplyError' ? [] : [error],
      );
      if (lost[0] !== undefined) throw failure.first() ?? lost[0];
      return replies.map(([error, value]) => (error === null ? { value } : { refused: error.message }));
    },
    end,
  };
}

function tooLarge(): OutriggerError {
  return new OutriggerError(`its answer is longer than ${maxAnswerBytes} bytes`, {
    code: 'ADAPTER_ANSWER_TOO_LARGE',
    hint: 'is it a Redis server?',
  });
}

function dial(server: RedisServer, access: RedisAccess, net: Net): Socket {
  const socket = net.connect(server.address, { noDelay: true, keepAliveMs: 30_000 });
  if (!server.tls) return socket;
  const host = server.address.kind === 'tcp' ? server.address.host : 'localhost';
  const secure = connectTls({
    socket,
    host,
    // An address cannot be asked for by name (RFC 6066), but is verified too.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(access.ca === undefined ? {} : { ca: access.ca }),
  });
  socket.once('error', (error) => secure.destroy(error));
  return secure;
}
