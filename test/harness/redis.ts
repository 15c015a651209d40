/** Real Redis servers for tests. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { startProcess } from './process.ts';
import type { RunningProcess } from './process.ts';
import type { Teardown } from './teardown.ts';
import { tempDir } from './temp-dir.ts';
import { toolPath } from './tools.ts';
import type { ToolName } from './tools.ts';

export interface RedisOptions {
  /** Default: the installed `redis-server`. Another one is to be declared with `needs`. */
  readonly program?: ToolName;
  /** Default: a free port of loopback; 0 for none. */
  readonly port?: number;
  /** Listen on a unix socket too. */
  readonly unix?: boolean;
  /** Follow this server. */
  readonly replicaOf?: Redis;
  /** More directives of redis.conf, as `{ 'maxmemory-policy': 'allkeys-lru' }`. */
  readonly config?: Readonly<Record<string, string>>;
}

export interface Redis {
  /** 0 when it listens on the unix socket alone. */
  readonly port: number;
  /** `127.0.0.1:PORT`, or the path of the unix socket when there is no port. */
  readonly address: string;
  readonly socketPath: string | undefined;
  readonly process: RunningProcess;
  /** One command by redis-cli; resolves to its raw output. */
  cli(...command: readonly string[]): Promise<string>;
}

const TRIES = 3;
const run = promisify(execFile);

/** Resolves when the server accepts commands (a replica: before it has synced). Declare `needs('redis-server', 'redis-cli')`. */
export async function startRedis(t: Teardown, options: RedisOptions = {}): Promise<Redis> {
  const folder = tempDir(t);
  const socketPath = options.unix === true ? join(folder, 'redis.sock') : undefined;
  return onFreePort(options.port, async (port) => {
    const args = redisArguments(folder, port, socketPath, options);
    const running = await startProcess(t, toolPath(options.program ?? 'redis-server'), args, {
      ready: /Ready to accept connections/,
    });
    return redisAt(running, port, socketPath);
  });
}

/** Starts something on `port`, or on a free one; again on another when somebody was faster to bind it. */
export async function onFreePort<T>(
  port: number | undefined,
  start: (port: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(port ?? (await freePort()));
    } catch (error) {
      const raced = port === undefined && String(error).includes('Address already in use');
      if (!raced || attempt === TRIES) throw error;
    }
  }
}

function redisArguments(
  folder: string,
  port: number,
  socketPath: string | undefined,
  { replicaOf, config }: RedisOptions,
): string[] {
  const directives: Record<string, string> = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    save: '',
    appendonly: 'no',
    // A primary would wait for a replica that lags, seconds after its test is over.
    'shutdown-timeout': '0',
    // And it would wait five seconds for more replicas before it syncs the first.
    'repl-diskless-sync-delay': '0',
    ...(socketPath === undefined ? {} : { unixsocket: socketPath }),
    ...(replicaOf === undefined ? {} : { replicaof: `127.0.0.1 ${replicaOf.port}` }),
    ...config,
  };
  return Object.entries(directives).flatMap(([name, value]) => [`--${name}`, ...words(value)]);
}

/** Directives of several words are several arguments; an empty value is one. */
function words(value: string): string[] {
  return value === '' ? [''] : value.split(' ');
}

/** What tests use of a server that runs, be it one of data or a sentinel. */
export function redisAt(running: RunningProcess, port: number, socketPath?: string): Redis {
  const target = port === 0 && socketPath !== undefined ? ['-s', socketPath] : ['-p', String(port)];
  return {
    port,
    socketPath,
    address: port === 0 && socketPath !== undefined ? socketPath : `127.0.0.1:${port}`,
    process: running,
    async cli(...command) {
      const { stdout } = await run(toolPath('redis-cli'), [...target, ...command]);
      return stdout.trimEnd();
    },
  };
}
