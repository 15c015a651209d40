/** Load on a Redis port, by programs of their own: redis-benchmark where it can do it, else load/redis-client.ts. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { toolPath } from '../../test/harness/index.ts';
import { cpuSeconds } from './measure.ts';
import { loadCpu } from './mesh.ts';
import type { Subject } from './redis.ts';

export interface Work {
  readonly command: 'get' | 'set';
  readonly clients: number;
  readonly pipeline: number;
  readonly valueBytes: number;
}

export interface Sample {
  readonly perSecond: number;
  /** CPU of the subject; of `direct`, Redis's. */
  readonly cpuMicros: number;
  /** CPU of Redis behind it. */
  readonly serverMicros: number;
}

const client = join(import.meta.dirname, '../load/redis-client.ts');
/** redis-benchmark tries for ever when its server is gone. */
const spareMs = 60_000;

/** One run of redis-benchmark, `requests` long. */
export function benchmark(subject: Subject, redis: Subject, work: Work, requests: number): Sample {
  const before = [cpuSeconds(subject.process.pid), cpuSeconds(redis.process.pid)] as const;
  const perSecond = redisBenchmark(subject.port, work, requests);
  const micros = (pid: number, since: number): number => ((cpuSeconds(pid) - since) * 1e6) / requests;
  return {
    perSecond,
    cpuMicros: micros(subject.process.pid, before[0]),
    serverMicros: micros(redis.process.pid, before[1]),
  };
}

/** How many requests last about so long, found by a short run and one of that length, which warm it up as well. */
export function requestsFor(subject: Subject, work: Work, seconds: number): number {
  const few = Math.max(200, Math.round((20_000 * work.pipeline) / (1 + work.valueBytes / 1024)));
  const some = Math.ceil(redisBenchmark(subject.port, work, few) * seconds);
  return Math.ceil(redisBenchmark(subject.port, work, some) * seconds);
}

function redisBenchmark(port: number, work: Work, requests: number): number {
  const args = [
    ...['-p', `${port}`, '-t', work.command, '-n', `${requests}`, '-c', `${work.clients}`],
    ...['-P', `${work.pipeline}`, '-d', `${work.valueBytes}`, '--csv'],
  ];
  const command = ['-c', `${loadCpu}`, toolPath('redis-benchmark'), ...args];
  const { stdout, stderr, status } = spawnSync('taskset', command, {
    encoding: 'utf8',
    timeout: spareMs,
    killSignal: 'SIGKILL',
  });
  const rate = Number(stdout.trim().split('\n').at(-1)?.split('","')[1]);
  if (status !== 0 || !(rate > 0) || stderr.includes('Error')) {
    throw new Error(`redis-benchmark ${args.join(' ')} failed: ${stdout.slice(-500)}${stderr.slice(-500)}`);
  }
  return rate;
}

export interface ClientOptions {
  readonly clients: number;
  readonly seconds: number;
  /** Of all commands, 0 to 1; the rest are SETs. */
  readonly reads: number;
  /** Commands a second of all clients together; without it each sends as soon as it was answered. */
  readonly rate?: number;
}

export interface ClientResult {
  readonly perSecond: number;
  /** Milliseconds from the moment a command was due to its reply. */
  readonly p50: number;
  readonly p99: number;
  /** At a fixed rate: the share of the time the load did not get to run, and so measured itself. */
  readonly stalled: number;
  readonly commands: number;
  /** With those of the unmeasured warm-up; what the CPU was spent on. */
  readonly allCommands: number;
}

/** Our own load: a mix of reads and writes on each connection, or a fixed rate; neither is in redis-benchmark. */
export function mixedLoad(port: number, options: ClientOptions): ClientResult {
  // At a fixed rate it spins between commands, so whatever else is on its CPU goes first, at once.
  const yielding = options.rate === undefined ? [] : ['chrt', '--idle', '0'];
  const program = [process.execPath, client, `${port}`, JSON.stringify(options)];
  const command = ['-c', `${loadCpu}`, ...yielding, ...program];
  const { stdout, stderr, status } = spawnSync('taskset', command, { encoding: 'utf8', timeout: spareMs });
  if (status !== 0) throw new Error(`redis-client.ts on port ${port} failed: ${stderr.slice(-2000)}`);
  return JSON.parse(stdout) as ClientResult;
}
