/** What a connection that failed to open, or was lost, says of its server to those who choose. */

import type { Realm } from '../topology/realm.ts';
import type { Line } from '../upstream/line.ts';
import type { Refusal } from '../upstream/welcome.ts';

export function noteLoss(
  realms: readonly Realm[],
  { server: { name } }: Line,
  refusal: Refusal,
  was: 'opening' | 'open',
): void {
  for (const realm of realms) {
    for (const shard of realm.shards) {
      if (shard.primary?.name === name) realm.doubt({ kind: 'lost', server: name });
      for (const replica of shard.topology.replicas) {
        if (replica.name !== name || was === 'open') continue;
        shard.topology.replicaFailed(replica, refusal.why);
        shard.needRound();
      }
    }
  }
}
