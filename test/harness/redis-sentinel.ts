/** Real sentinels for tests: they watch a primary, elect one of its replicas when it is gone, and say so. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@outrigger/core/testing';
import { startProcess } from './process.ts';
import { onFreePort, redisAt } from './redis.ts';
import type { Redis } from './redis.ts';
import type { Teardown } from './teardown.ts';
import { tempDir } from './temp-dir.ts';
import { toolPath } from './tools.ts';

export interface SentinelOptions {
  /** Its replicas are found through it: start them first, and let them sync. */
  readonly primary: Redis;
  /** Default 3. */
  readonly count?: number;
  /** How many must agree that the primary is down. Default 2. */
  readonly quorum?: number;
  /** Silence after which a server counts as down. Default 500. */
  readonly downAfterMs?: number;
  /** A failover that has not worked is tried again after twice as long. Default 3000. */
  readonly failoverTimeoutMs?: number;
  /** What they call the primary. Default `main`. */
  readonly name?: string;
}

export interface Sentinels {
  readonly name: string;
  readonly members: readonly Redis[];
  /** `127.0.0.1:PORT` of each. */
  readonly addresses: readonly string[];
  /** The primary's address as most sentinels tell it. */
  primary(): Promise<string>;
  /** Asks for an election although nothing is down; resolves when most sentinels name another primary. */
  failover(): Promise<string>;
  /**
   * Resolves with the new primary's address when most sentinels name one that is not `address`. Most, as clients are told
   * to ask them: now and then one of them learns it only half a minute later.
   */
  replaced(address: string, timeoutMs?: number): Promise<string>;
}

/**
 * Asked more often than in production, so that a test waits tenths of a second instead of many seconds. Not so
 * `publish-period`: after four of them a sentinel makes a replica of every primary it does not know to be elected, and
 * who leads an election looks once a second whether it has worked. Nor `ping-period`: once the primary is down, replicas
 * are asked for INFO once a second, and a replica not heard of for five ping periods is no candidate, so that with short
 * ones every other election finds none and the next begins only after twice the failover timeout.
 */
const INTERVALS: readonly string[] = [
  ...['info-period', '200', 'publish-period', '400', 'ping-period', '400', 'ask-period', '100'],
  ...['min-link-reconnect-period', '100', 'election-timeout', '2000'],
  // A sentinel that was kept from running distrusts its clock and does nothing for half a minute.
  ...['tilt-period', '500'],
];

/** Resolves when every sentinel sees the primary, its replicas and the others. Declare `needs('redis-server', 'redis-cli')`. */
export async function startSentinels(t: Teardown, options: SentinelOptions): Promise<Sentinels> {
  const { primary, count = 3, name = 'main' } = options;
  const replicas = Number(/connected_slaves:(\d+)/.exec(await primary.cli('INFO', 'replication'))?.[1]);
  const members: Redis[] = [];
  for (let i = 0; i < count; i++) members.push(await startSentinel(t, options));
  for (const member of members) await settled(member, name, replicas, count - 1);
  return sentinels(members, name);
}

async function startSentinel(t: Teardown, options: SentinelOptions): Promise<Redis> {
  const { primary, quorum = 2, downAfterMs = 500, failoverTimeoutMs = 3000, name = 'main' } = options;
  const folder = tempDir(t);
  const sentinel = await onFreePort(undefined, async (port) => {
    const file = join(folder, 'sentinel.conf');
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor ${name} 127.0.0.1 ${primary.port} ${quorum}`,
      `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
      `sentinel failover-timeout ${name} ${failoverTimeoutMs}`,
    ];
    // A sentinel keeps what it learns in this file, so each has one of its own.
    writeFileSync(file, `${lines.join('\n')}\n`);
    const running = await startProcess(t, toolPath('redis-server'), [file, '--sentinel'], {
      ready: /\+monitor master/,
    });
    return redisAt(running, port);
  });
  await sentinel.cli('SENTINEL', 'DEBUG', ...INTERVALS);
  return sentinel;
}

async function settled(sentinel: Redis, name: string, replicas: number, others: number): Promise<void> {
  await eventually(
    `sentinel ${sentinel.address} knows ${replicas} replicas and ${others} sentinels`,
    async () => {
      const state = fields(await sentinel.cli('SENTINEL', 'MASTER', name));
      const seen = `${state.get('flags')} ${state.get('num-slaves')} ${state.get('num-other-sentinels')}`;
      if (seen !== `master ${replicas} ${others}`) throw new Error(seen);
      return true;
    },
    20_000,
  );
}

function sentinels(members: readonly Redis[], name: string): Sentinels {
  const named = async (): Promise<string> => {
    const running = members.filter(({ process }) => !process.ended);
    const told = await Promise.all(running.map((member) => primaryOf(member, name)));
    const most = told.find(
      (address) => told.filter((other) => other === address).length * 2 > members.length,
    );
    if (most === undefined) throw new Error(`they name ${told.join(' ')}`);
    return most;
  };
  const replaced = (address: string, timeoutMs = 30_000): Promise<string> =>
    eventually(
      `the sentinels name another primary than ${address}`,
      async () => {
        const now = await named();
        if (now === address) throw new Error(now);
        return now;
      },
      timeoutMs,
    );
  return {
    name,
    members,
    addresses: members.map(({ address }) => address),
    replaced,
    primary: () => eventually('the sentinels agree on a primary', named),
    async failover() {
      const before = await named();
      const first = members.find(({ process }) => !process.ended) as Redis;
      await eventually('a failover begins, when the one before is over', async () => {
        const answer = await first.cli('SENTINEL', 'FAILOVER', name);
        if (answer !== 'OK') throw new Error(answer);
        return true;
      });
      return replaced(before);
    },
  };
}

async function primaryOf(sentinel: Redis, name: string): Promise<string> {
  return (await sentinel.cli('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)).split('\n').join(':');
}

/** redis-cli prints a flat array one element a line: name, value, name, value. */
function fields(output: string): Map<string, string> {
  const lines = output.split('\n');
  return new Map(lines.flatMap((line, i) => (i % 2 === 0 ? [[line, lines[i + 1] ?? '']] : [])));
}
