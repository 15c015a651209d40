/** A realm of a real cluster with everything in its place. */

import { eventually } from '@outrigger/core/testing';
import type { Cluster } from '../../../../test/harness/index.ts';
import { defaultLimits } from '../../src/daemon/limits.ts';
import type { Opened } from './realm.ts';

/** Something to replicate in every shard: before that, nodes do not list its replicas. */
export async function written(cluster: Cluster): Promise<void> {
  for (const node of cluster.primaries) {
    for (let i = 0; (await node.cli('SET', `key${i}`, 'x')) !== 'OK'; i++);
  }
}

/** Looks at the slots often: nodes list a replica only once they have heard that it has data. */
export const limits = { ...defaultLimits, slotRefreshMs: 100 };

/** Resolves when each shard has its primary and its replicas take reads. */
export async function whole(opened: Opened, replicas: number): Promise<void> {
  await eventually('the cluster is whole', () => {
    const all = opened.realm.shards.flatMap((shard) => [...shard.topology.replicas]);
    const open = all.filter(({ eligible }) => eligible);
    const led = opened.realm.shards.every(({ primary }) => primary !== undefined);
    if (led && open.length === replicas) return true;
    throw new Error(JSON.stringify(opened.realm.describe()));
  });
}
