/** An ioredis connection to one server, told to leave reconnecting and queueing alone: who asks decides when to try again. */

import { describeError, errorCode } from '@outrigger/core/errors';
import type { Net } from '@outrigger/core/net';
import type { Redis } from 'ioredis';
import type { Credentials } from '../upstream/credentials.ts';
import { dial } from '../upstream/dial.ts';
import type { DialTls } from '../upstream/server-tls.ts';
import type { Server } from '../upstream/server.ts';

export interface ConnectionOptions {
  readonly net: Net;
  readonly credentials: () => Credentials | undefined;
  /** See RealmDeps. */
  readonly tls?: (() => DialTls | undefined) | undefined;
}

/** A connection that is made when `ready` is awaited, and can be dropped meanwhile. */
export interface Connecting {
  readonly redis: Redis;
  /** Rejects with the reason the socket gave, not with what follows from it. */
  readonly ready: () => Promise<void>;
}

/** ioredis is imported with the first connection. */
export async function connecting(server: Server, options: ConnectionOptions): Promise<Connecting> {
  const { Redis, AbstractConnector } = await import('ioredis');
  const credentials = options.credentials();
  class Connector extends AbstractConnector {
    constructor() {
      super(0);
    }
    connect(): Promise<ReturnType<typeof dial>> {
      const stream = dial(server, options.net, options.tls?.());
      // ioredis listens too, but not from the first moment and not after it was told to disconnect.
      stream.on('error', () => {});
      this.stream = stream;
      return Promise.resolve(stream);
    }
  }
  const redis = new Redis({
    Connector,
    ...(server.tls ? { tls: {} } : {}),
    ...(credentials?.username === undefined ? {} : { username: credentials.username }),
    ...(credentials === undefined ? {} : { password: credentials.password }),
    protocol: 2,
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    disableClientInfo: true,
    connectionName: 'outrigger-ambassador',
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let failure: unknown;
  redis.on('error', (error) => (failure ??= error));
  return {
    redis,
    ready: async () => {
      try {
        await redis.connect();
      } catch (error) {
        throw failure ?? error;
      }
    },
  };
}

export const closedByServer = 'it closed its connection';

export function explain(error: unknown): string {
  // What ioredis says of a question that was out.
  if ((error as Error).message === 'Connection is closed.') return closedByServer;
  const code = errorCode(error);
  return code === 'UNKNOWN' ? describeError(error) : code;
}
