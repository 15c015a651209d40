/** What tests of moving slots begin with: a cluster behind an ambassador, under load. */

import { seededRandom } from '@outrigger/core/clock';
import { eventually } from '@outrigger/core/testing';
import { startCluster } from '../../../../test/harness/index.ts';
import type { Cluster, ClusterNode, ClusterOptions, Teardown } from '../../../../test/harness/index.ts';
import { written } from '../topology/whole-cluster.ts';
import type { Outcome } from './history.ts';
import { startLoad } from './load.ts';
import type { Load } from './load.ts';
import { startAmbassador } from './setting.ts';
import type { Ambassador, Document } from './setting.ts';

export interface Stage {
  readonly cluster: Cluster;
  readonly amb: Ambassador;
  readonly load: Load;
}

/** A cluster whose replicas are known and read, and clients that write and read. */
export async function stage(
  t: Teardown,
  seed: number,
  document: Document = {},
  options: ClusterOptions = {},
): Promise<Stage> {
  const cluster = await startCluster(t, options);
  await listed(cluster);
  const amb = await startAmbassador(t, { cluster: cluster.addresses.slice(0, 2), ...document });
  const load = startLoad({ port: amb.port, random: seededRandom(seed), writers: 4, readers: 4, keys: 6 });
  await load.progress(300);
  return { cluster, amb, load };
}

/** Resolves when every node tells of the replicas: they have data, and that is known. */
async function listed(cluster: Cluster): Promise<void> {
  await written(cluster);
  for (const node of cluster.nodes) {
    await eventually(`${node.address} lists the replicas`, async () => {
      const slots = await node.cli('CLUSTER', 'SLOTS');
      return cluster.replicas.every(({ id }) => slots.includes(id));
    });
  }
}

/** What the lists hold at whoever owns them now. */
export async function outcomeOf(cluster: Cluster, keys: readonly string[]): Promise<Outcome> {
  const running = cluster.nodes.filter(({ process }) => !process.ended);
  const outcome = new Map<string, string[]>();
  for (const key of keys) {
    for (const node of running) {
      const text = await node.cli('LRANGE', key, '0', '-1');
      if (text.startsWith('MOVED')) continue;
      outcome.set(key, text === '' ? [] : text.split('\n'));
      break;
    }
  }
  return outcome;
}

export async function slotOf(node: ClusterNode, key: string): Promise<number> {
  return Number(await node.cli('CLUSTER', 'KEYSLOT', key));
}

export async function ownerOf(cluster: Cluster, key: string): Promise<ClusterNode> {
  for (const node of cluster.primaries) {
    if (!(await node.cli('LLEN', key)).startsWith('MOVED')) return node;
  }
  throw new Error(`nobody owns ${key}`);
}
