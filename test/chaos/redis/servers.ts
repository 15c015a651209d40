/** Servers of a stage that come and go: the same address, another process. */

import { eventually } from '../../../packages/core/src/testing/index.ts';
import { startRedis } from '../../harness/index.ts';
import type { Redis, Teardown } from '../../harness/index.ts';
import type { Outcome } from '../../../packages/ambassador/test/faults/history.ts';

const PATIENCE_MS = 30_000;

export class Servers {
  readonly #t: Teardown;
  readonly #all = new Map<string, Redis>();

  constructor(t: Teardown) {
    this.#t = t;
  }

  add(redis: Redis): Redis {
    this.#all.set(redis.address, redis);
    return redis;
  }

  get all(): readonly Redis[] {
    return [...this.#all.values()];
  }

  at(address: string): Redis {
    const redis = this.#all.get(address);
    if (redis === undefined) throw new Error(`no server at ${address}`);
    return redis;
  }

  others(than: Redis): readonly Redis[] {
    return this.all.filter(({ address }) => address !== than.address);
  }

  async kill(redis: Redis): Promise<void> {
    redis.process.signal('SIGKILL');
    await redis.process.exited;
  }

  /** At the address of one that was killed; `primary` may be another address that leads to it. */
  async replicaAt(address: string, primary: Redis): Promise<Redis> {
    const redis = await startRedis(this.#t, { port: this.at(address).port, replicaOf: primary });
    return this.add(redis);
  }
}

/** Resolves when these follow a primary and have what it has sent. */
export async function following(replicas: readonly Redis[]): Promise<void> {
  for (const replica of replicas) {
    await eventually(
      `${replica.address} follows`,
      async () => {
        const info = await replica.cli('INFO', 'replication');
        return info.includes('role:slave') && info.includes('master_link_status:up');
      },
      PATIENCE_MS,
    );
  }
}

export async function roleBecomes(redis: Redis, role: 'master' | 'slave'): Promise<void> {
  await eventually(
    `${redis.address} says ${role}`,
    async () => (await redis.cli('ROLE')).startsWith(role),
    PATIENCE_MS,
  );
}

/** Every list, from whoever of these servers has it. */
export async function listsAt(servers: readonly Redis[], keys: readonly string[]): Promise<Outcome> {
  const outcome = new Map<string, string[]>();
  for (const key of keys) {
    for (const server of servers) {
      const text = await server.cli('LRANGE', key, '0', '-1');
      if (text.startsWith('MOVED')) continue;
      outcome.set(key, text === '' ? [] : text.split('\n'));
      break;
    }
  }
  return outcome;
}
