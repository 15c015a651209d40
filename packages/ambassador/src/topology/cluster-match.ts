/**
 * Which shard goes on as which group of a new view. What sessions remember is about a shard, so it must outlive a failover
 * inside it: the primary is another then, and the nodes and the slots are the same.
 */

import type { NodeGroup } from './cluster-view.ts';

/** A shard as it was. */
export interface Before {
  readonly primary: { readonly id: string; readonly name: string };
  /** Ids of its nodes. */
  readonly nodes: ReadonlySet<string>;
  /** How many of its slots are in the group's ranges. */
  slotsIn(group: NodeGroup): number;
}

/** Pairs each group with the shard it continues; groups without one are new, shards without one are gone. */
export function matchShards<B extends Before>(
  shards: readonly B[],
  groups: readonly NodeGroup[],
): Map<NodeGroup, B> {
  const pairs = new Map<NodeGroup, B>();
  const free = new Set(shards);
  const pass = (fits: (shard: B, group: NodeGroup) => boolean): void => {
    for (const group of groups) {
      if (pairs.has(group)) continue;
      for (const shard of free) {
        if (!fits(shard, group)) continue;
        pairs.set(group, shard);
        free.delete(shard);
        break;
      }
    }
  };
  // The same primary; a redirection names an address alone.
  pass(({ primary }, group) => primary.id === group.primary.id || primary.name === group.primary.name);
  // One of its replicas was promoted.
  pass(({ nodes }, group) => nodes.has(group.primary.id));
  // Its primary has become the replica of a node that was not known.
  pass(({ primary }, group) => group.replicas.some(({ id }) => id === primary.id));
  // Nobody of before is left, but the slots are.
  pass((shard, group) => shard.slotsIn(group) > 0);
  return pairs;
}
