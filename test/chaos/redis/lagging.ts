/** A primary and two replicas that hear of everything late, by amounts that change; the primary keeps its data on disk. */

import { setTimeout as pause } from 'node:timers/promises';
import { Delay } from '../../../packages/ambassador/test/faults/delay.ts';
import { startLoad } from '../../../packages/ambassador/test/faults/load.ts';
import { startRedis, tempDir } from '../../harness/index.ts';
import { following, listsAt, Servers } from './servers.ts';
import { paused, pick } from './stage.ts';
import type { RedisFault, Stage, StageOptions } from './stage.ts';

export async function laggingStage({ t, random, startAmbassador }: StageOptions): Promise<Stage> {
  const config = { dir: tempDir(t), appendonly: 'yes', appendfsync: 'always' };
  let primary = await startRedis(t, { config });
  const servers = new Servers(t);
  const links = new Map<string, Delay>();
  for (const ms of [20, 80]) {
    const link = await Delay.open(t, primary.port, ms);
    const replica = servers.add(await startRedis(t, { replicaOf: { ...primary, port: link.port } }));
    links.set(replica.address, link);
  }
  await following(servers.all);
  const { port } = await startAmbassador([
    ...['--primary', primary.address],
    ...servers.all.flatMap(({ address }) => ['--replica', address]),
  ]);
  const load = startLoad({ port, random, writers: 3, readers: 5, pauseMs: 8 });
  const restartPrimary = async (): Promise<void> => {
    primary.process.signal('SIGKILL');
    await primary.process.exited;
    primary = await startRedis(t, { port: primary.port, config });
    await following(servers.all);
  };
  return {
    name: 'lagging replicas',
    load,
    faults: [
      { name: 'the primary is killed, and comes back with its data', run: restartPrimary },
      ...replicaFaults(servers, links),
    ],
    upheavals: [],
    outcome: () => listsAt([primary], load.keys),
  };
}

function replicaFaults(servers: Servers, links: ReadonlyMap<string, Delay>): RedisFault[] {
  const link = (address: string): Delay => {
    const found = links.get(address);
    if (found === undefined) throw new Error(`no link to ${address}`);
    return found;
  };
  return [
    {
      name: 'replicas lag by other amounts',
      run: async (random) => {
        for (const one of links.values()) one.ms = Math.floor(random.next() ** 2 * 400);
        await pause(random.next() * 1000);
      },
    },
    {
      name: 'a replica loses its link',
      run: async (random) => {
        const victim = pick(random, servers.all);
        link(victim.address).cut();
        await pause(random.next() * 500);
        await following([victim]);
      },
    },
    {
      name: 'a replica is killed, and comes back',
      run: async (random) => {
        const victim = pick(random, servers.all);
        await servers.kill(victim);
        await pause(random.next() * 1000);
        const through = { ...victim, port: link(victim.address).port };
        await following([await servers.replicaAt(victim.address, through)]);
      },
    },
    {
      name: 'a replica hangs',
      run: async (random) => {
        await paused(pick(random, servers.all).process, () => pause(200 + random.next() * 1500));
      },
    },
    {
      name: 'replication is interrupted everywhere',
      run: async () => {
        for (const one of links.values()) one.cut();
        await following(servers.all);
      },
    },
  ];
}
