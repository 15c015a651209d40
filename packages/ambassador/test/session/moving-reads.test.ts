/** Where reads go while slots move, and once they have: decided without servers. */

import { test } from 'tap';
import { defaultLimits } from '../../src/daemon/limits.ts';
import type { Consistency, ReadPolicy } from '../../src/daemon/config.ts';
import { Fallback } from '../../src/observe/names.ts';
import { Reads } from '../../src/session/reads.ts';
import type { Shard } from '../../src/topology/realm.ts';
import { Topology } from '../../src/topology/topology.ts';

class World {
  readonly topology = new Topology(() => 10_000);
  readonly shard: { moving: boolean } & Shard;
  readPolicy: ReadPolicy = 'preferReplica';
  consistency: Consistency = 'session';

  constructor() {
    this.topology.setServers('p', ['r']);
    this.shard = {
      name: 's',
      topology: this.topology,
      primary: undefined,
      why: '',
      checking: false,
      busy: undefined,
      moving: false,
      server: () => undefined,
      needRound: () => {},
    };
    this.#round();
  }

  /** A new session's first read. */
  first(): string {
    const owner = {
      policyFor: () => ({ readPolicy: this.readPolicy, consistency: this.consistency }),
      wakeIn: () => {},
      ports: { now: () => 0, watchRealm: () => {} },
    };
    const reads = new Reads(this.shard, defaultLimits, owner);
    const choice = reads.choose({ primaryOwes: false, reached: undefined });
    if (typeof choice === 'object') return choice.name;
    return choice === 'primary' && reads.fallback === Fallback.moving ? 'primary: moving' : choice;
  }

  /** Asks the primary, then the replica, which has everything. */
  #round(): void {
    const common = { replId: 'h', offset: 1, syncing: false } as const;
    const round = this.topology.beginRound();
    this.topology.primaryAnswered(round, 0, { ...common, runId: 'p', role: 'master' });
    this.topology.replicaAnswered('r', { ...common, runId: 'r', role: 'slave' }, 0);
  }

  tookOver(): () => void {
    this.topology.tookOver();
    return () => this.#round();
  }
}

test('while slots of a shard move, its replicas are not read, whatever the policy', (t) => {
  const world = new World();
  t.equal(world.first(), 'r');
  world.shard.moving = true;
  for (const readPolicy of ['preferReplica', 'nearest', 'replica'] as const) {
    for (const consistency of ['session', 'eventual'] as const) {
      Object.assign(world, { readPolicy, consistency });
      t.equal(world.first(), 'primary: moving', `${readPolicy} ${consistency}`);
    }
  }
  world.shard.moving = false;
  t.equal(world.first(), 'r');
  t.end();
});

test('a shard that took slots over is read at replicas that have what came with them', (t) => {
  for (const consistency of ['session', 'eventual'] as const) {
    const world = new World();
    world.consistency = consistency;
    const proven = world.tookOver();
    t.not(world.first(), 'r', `${consistency}: nothing proves that the replica has it`);
    proven();
    t.equal(world.first(), 'r', consistency);
  }
  t.end();
});
