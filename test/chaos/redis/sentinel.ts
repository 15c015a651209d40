/** A primary, two replicas and three Sentinels: servers die, hang and change places. */

import { setTimeout as pause } from 'node:timers/promises';
import { startLoad } from '../../../packages/ambassador/test/faults/load.ts';
import type { Upheaval } from '../../../packages/ambassador/test/faults/history.ts';
import { startRedis, startSentinels } from '../../harness/index.ts';
import type { Redis, Sentinels } from '../../harness/index.ts';
import { following, listsAt, roleBecomes, Servers } from './servers.ts';
import { LATE_MS, paused, pick } from './stage.ts';
import type { RedisFault, Stage, StageOptions } from './stage.ts';

export async function sentinelStage({ t, random, startAmbassador }: StageOptions): Promise<Stage> {
  const servers = new Servers(t);
  const first = servers.add(await startRedis(t));
  for (let i = 0; i < 2; i++) servers.add(await startRedis(t, { replicaOf: first }));
  await following(servers.others(first));
  const sentinels = await startSentinels(t, { primary: first });
  const { port } = await startAmbassador([
    ...['--sentinel', sentinels.addresses.join(','), '--master', sentinels.name],
  ]);
  const load = startLoad({ port, random, writers: 4, readers: 4, pauseMs: 8 });
  const upheavals: Upheaval[] = [];
  return {
    name: 'Sentinel',
    load,
    faults: faultsOf(servers, sentinels, upheavals),
    upheavals,
    outcome: async () => listsAt([servers.at(await sentinels.primary())], load.keys),
  };
}

function faultsOf(servers: Servers, sentinels: Sentinels, upheavals: Upheaval[]): RedisFault[] {
  const primary = async (): Promise<Redis> => servers.at(await sentinels.primary());
  const replica = async (random: StageOptions['random']): Promise<Redis> =>
    pick(random, servers.others(await primary()));
  /** Something after which another is the primary. */
  const upheaval = async (change: (old: Redis) => Promise<void>): Promise<void> => {
    const from = performance.now() - LATE_MS;
    await change(await primary());
    const now = await primary();
    await following(servers.others(now));
    upheavals.push({ from, to: performance.now() });
  };
  return [
    {
      name: 'the primary is killed, and comes back as a replica',
      run: () =>
        upheaval(async (old) => {
          await servers.kill(old);
          const elected = servers.at(await sentinels.replaced(old.address));
          await servers.replicaAt(old.address, elected);
        }),
    },
    {
      name: 'the primary is paused until another has been elected',
      run: () =>
        upheaval(async (old) => {
          await paused(old.process, () => sentinels.replaced(old.address));
          await roleBecomes(old, 'slave');
        }),
    },
    {
      name: 'the primary is paused for ten seconds',
      takesMs: 25_000,
      run: () =>
        upheaval(async (old) => {
          await paused(old.process, () => pause(10_000));
          await sentinels.replaced(old.address);
          await roleBecomes(old, 'slave');
        }),
    },
    {
      name: 'a failover is asked for',
      run: () =>
        upheaval(async (old) => {
          await sentinels.failover();
          await roleBecomes(old, 'slave');
        }),
    },
    {
      name: 'the primary hangs for less than it takes to replace it',
      run: async (random) => paused((await primary()).process, () => pause(50 + random.next() * 200)),
    },
    {
      name: 'a replica is killed, and comes back',
      run: async (random) => {
        const victim = await replica(random);
        await servers.kill(victim);
        await pause(random.next() * 1000);
        await following([await servers.replicaAt(victim.address, await primary())]);
      },
    },
    {
      name: 'a replica hangs',
      run: async (random) => paused((await replica(random)).process, () => pause(200 + random.next() * 1500)),
    },
    {
      name: 'replication is interrupted',
      run: async () => void (await (await primary()).cli('CLIENT', 'KILL', 'TYPE', 'replica')),
    },
    {
      name: 'a Sentinel hangs',
      run: (random) => paused(pick(random, sentinels.members).process, () => pause(random.next() * 2000)),
    },
  ];
}
