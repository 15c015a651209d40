/** A Redis Cluster of three primaries with a replica each: slots move, nodes hang and change places. */

import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../../packages/core/src/testing/index.ts';
import { startLoad } from '../../../packages/ambassador/test/faults/load.ts';
import type { Upheaval } from '../../../packages/ambassador/test/faults/history.ts';
import { startCluster } from '../../harness/index.ts';
import type { Cluster, ClusterNode } from '../../harness/index.ts';
import { listsAt, roleBecomes } from './servers.ts';
import { LATE_MS, paused, pick } from './stage.ts';
import type { RedisFault, Stage, StageOptions } from './stage.ts';

/** Longer than it takes until the replicas of a shard that gives slots away are no longer read. */
const NOTICED_MS = 500;

export async function clusterStage({ t, random, startAmbassador }: StageOptions): Promise<Stage> {
  const cluster = await startCluster(t);
  const { port } = await startAmbassador(['--cluster', cluster.addresses.join(',')]);
  const load = startLoad({ port, random, writers: 4, readers: 4, keys: 4, pauseMs: 8 });
  const upheavals: Upheaval[] = [];
  return {
    name: 'Cluster',
    load,
    faults: faultsOf(cluster, load.keys, upheavals),
    upheavals,
    outcome: async () => {
      await cluster.settled();
      return listsAt(cluster.nodes, load.keys);
    },
  };
}

function faultsOf(cluster: Cluster, keys: readonly string[], upheavals: Upheaval[]): RedisFault[] {
  return [
    {
      name: 'the slot of a key moves',
      run: async (random) => {
        const key = pick(random, keys);
        const owners = await primaries(cluster);
        const owner = await ownerOf(owners, key);
        const next = pick(random, owners.filter((node) => node !== owner)); // prettier-ignore
        const slot = Number(await owner.cli('CLUSTER', 'KEYSLOT', key));
        const move = await cluster.beginMove(owner, next, slot);
        // Before that is noticed, a replica of the old owner may answer as if the keys that have gone did not exist.
        await pause(NOTICED_MS + random.next() * 300);
        await move.keys(10);
        await pause(random.next() * 300);
        await move.finish();
      },
    },
    {
      name: 'a replica takes the place of its primary',
      run: async (random) => {
        const heir = pick(random, await replicas(cluster));
        const from = performance.now() - LATE_MS;
        if ((await heir.cli('CLUSTER', 'FAILOVER')) === 'OK') await roleBecomes(heir, 'master');
        await cluster.settled();
        upheavals.push({ from, to: performance.now() });
      },
    },
    {
      name: 'a primary is paused until its replica has been elected',
      run: async (random) => {
        const victim = pick(random, await primaries(cluster));
        const from = performance.now() - LATE_MS;
        await paused(victim.process, () => replaced(cluster, victim));
        await roleBecomes(victim, 'slave');
        await cluster.settled();
        upheavals.push({ from, to: performance.now() });
      },
    },
    {
      name: 'a primary hangs for less than it takes to replace it',
      run: async (random) =>
        paused(pick(random, await primaries(cluster)).process, () => pause(50 + random.next() * 300)),
    },
    {
      name: 'a replica hangs',
      run: async (random) =>
        paused(pick(random, await replicas(cluster)).process, () => pause(200 + random.next() * 1500)),
    },
  ];
}

async function withRole(cluster: Cluster, role: string): Promise<ClusterNode[]> {
  const roles = await Promise.all(cluster.nodes.map((node) => node.cli('ROLE')));
  return cluster.nodes.filter((_, i) => roles[i]?.startsWith(role));
}

const primaries = (cluster: Cluster): Promise<ClusterNode[]> => withRole(cluster, 'master');
const replicas = (cluster: Cluster): Promise<ClusterNode[]> => withRole(cluster, 'slave');

async function ownerOf(nodes: readonly ClusterNode[], key: string): Promise<ClusterNode> {
  for (const node of nodes) if (!/^(MOVED|ASK)/.test(await node.cli('LLEN', key))) return node;
  throw new Error(`nobody owns the slot of ${key}`);
}

/** Resolves when the others have elected somebody in the place of `victim`, which does not answer. */
async function replaced(cluster: Cluster, victim: ClusterNode): Promise<void> {
  const others = cluster.nodes.filter((node) => node !== victim);
  await eventually(
    `somebody takes the place of ${victim.address}`,
    async () => {
      const roles = await Promise.all(others.map((node) => node.cli('ROLE')));
      return roles.filter((role) => role.startsWith('master')).length === 3;
    },
    30_000,
  );
}
