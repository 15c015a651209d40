/** A realm that is what the test says: one primary and two replicas a shard, of which the first takes reads. */

import { slotCount } from '../../src/commands/slot.ts';
import type { Realm, Shard } from '../../src/topology/realm.ts';
import { Topology } from '../../src/topology/topology.ts';
import { serverAt } from '../../src/upstream/server.ts';
import type { Server } from '../../src/upstream/server.ts';

export interface TestRealm {
  readonly name?: string;
  readonly clustered?: boolean;
  readonly shards?: number;
  /** False: nobody is the primary. */
  readonly primary?: boolean;
  /** False: no replica takes reads. */
  readonly eligible?: boolean;
  /** Slots from here on are nobody's. */
  readonly slots?: number;
}

export const sampleNowMs = 1_000;

export function testRealm({
  name = 'default',
  clustered = false,
  shards = 1,
  primary = true,
  eligible = true,
  slots = slotCount,
}: TestRealm = {}): Realm {
  const all = Array.from({ length: shards }, (_, i) => testShard(`s${i}`, i * 10 + 1, primary, eligible));
  return {
    name,
    clustered,
    shards: all,
    problem: '',
    shardOf: (slot) => (slot >= slots ? undefined : all[Math.max(slot, 0) % all.length]),
    serverAt: () => at(1),
    doubt: () => {},
    describe: () => ({ name, clustered, shards: all.map((shard) => ({ name: shard.name })) }),
    close: () => {},
  };
}

/** Its servers are 10.0.0.N:6379 and the two behind it. */
function testShard(name: string, n: number, hasPrimary: boolean, eligible: boolean): Shard {
  const [primary, near, far] = [at(n), at(n + 1), at(n + 2)];
  const topology = new Topology(() => 10_000);
  topology.setServers(primary.name, [near.name, far.name]);
  const offsets = new Map([
    [primary.name, 100],
    [near.name, 90],
  ]);
  if (eligible) {
    const common = { replId: 'h', syncing: false } as const;
    const round = topology.beginRound();
    topology.primaryAnswered(round, 0, { ...common, runId: primary.name, role: 'master', offset: 90 });
    topology.replicaAnswered(
      near.name,
      { ...common, runId: near.name, role: 'slave', offset: 90 },
      sampleNowMs,
    );
  }
  const servers = new Map([primary, near, far].map((server) => [server.name, server]));
  return {
    name,
    topology,
    primary: hasPrimary ? primary : undefined,
    why: hasPrimary ? '' : 'nobody says it is',
    server: (one) => servers.get(one),
    checking: false,
    busy: undefined,
    moving: false,
    needRound: () => {},
    sample: (one: string) => {
      const offset = offsets.get(one);
      return offset === undefined ? undefined : { offset, replId: 'h' };
    },
  } as Shard;
}

function at(n: number): Server {
  return serverAt({ kind: 'tcp', host: `10.0.0.${n}`, port: 6379 });
}
