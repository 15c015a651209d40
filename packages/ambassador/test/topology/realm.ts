/** A realm opened against real servers, with all it told. */

import { eventually, testDeps } from '@outrigger/core/testing';
import { Metrics } from '@outrigger/core/metrics';
import type { Teardown } from '../../../../test/harness/index.ts';
import { defaultLimits } from '../../src/daemon/limits.ts';
import { openRealm } from '../../src/topology/open.ts';
import type { RealmDeps, RealmSource } from '../../src/topology/open.ts';
import { TopologyCounters } from '../../src/topology/metrics.ts';
import type { Realm, Shard } from '../../src/topology/realm.ts';
import { parseServer } from '../../src/upstream/server.ts';
import type { ServerSpec } from '../../src/upstream/server.ts';

export interface Opened {
  readonly realm: Realm;
  /** The first shard. */
  readonly shard: Shard;
  /** `deposed NAME`, `primary NAME` and `silent NAME`, in order, each once in a row. */
  readonly told: string[];
  readonly lines: readonly string[];
  /** When something was told, by the clock. */
  readonly toldAtMs: Map<string, number>;
  /** Resolves when that server is the primary of the first shard. */
  primary(address: string): Promise<void>;
  /** Resolves when the replica takes reads. */
  takesReads(address: string): Promise<void>;
  metric(name: string, labels?: string): Promise<number>;
}

export const servers = (...addresses: string[]): ServerSpec[] =>
  addresses.map((address) => parseServer(address));
export const server = (address: string): ServerSpec => parseServer(address);

export async function open(
  t: Teardown,
  source: RealmSource,
  replaced: Partial<RealmDeps> & { maxLagMs?: number } = {},
): Promise<Opened> {
  const deps = testDeps();
  const metrics = new Metrics({ processMetrics: false });
  const told: string[] = [];
  const toldAtMs = new Map<string, number>();
  const tell = (what: string): void => {
    if (told.at(-1) === what) return;
    told.push(what);
    toldAtMs.set(what, deps.clock.now());
  };
  const known: { realm?: Realm } = {};
  const offered = new Map<Shard, string | undefined>();
  const look = (): void => {
    for (const shard of known.realm?.shards ?? []) {
      const name = shard.primary?.name;
      const before = offered.get(shard);
      if (before === name) continue;
      offered.set(shard, name);
      if (name !== undefined) tell(`primary ${name}`);
    }
  };
  const realm = await openRealm(
    { ...source, name: 'test', maxLagMs: () => replaced.maxLagMs ?? 10_000 },
    {
      ...deps,
      limits: defaultLimits,
      credentials: () => undefined,
      ...replaced,
      metrics: new TopologyCounters(metrics),
    },
    {
      changed: look,
      silent: (name) => tell(`silent ${name}`),
      deposed: (name) => {
        const left = known.realm?.shards.filter((shard) => shard.primary?.name === name) ?? [];
        if (left.length > 0) throw new Error(`${name} is still offered as it is deposed`);
        look();
        tell(`deposed ${name}`);
      },
    },
  );
  known.realm = realm;
  look();
  t.teardown(() => realm.close());
  const shard = (): Shard => realm.shards[0] as Shard;
  return {
    realm,
    get shard() {
      return shard();
    },
    told,
    toldAtMs,
    lines: deps.lines,
    primary: async (address) => {
      await eventually(`${address} is the primary`, () => {
        if (shard().primary?.name === address) return true;
        throw new Error(`${shard().primary?.name}: ${shard().why}`);
      });
    },
    takesReads: async (address) => {
      await eventually(`${address} takes reads`, () => {
        const replica = [...shard().topology.replicas].find(({ name }) => name === address);
        if (replica?.eligible === true) return true;
        throw new Error(replica?.why ?? 'unknown');
      });
    },
    metric: async (name, labels = '') => {
      const page = await metrics.page();
      const line = page.split('\n').find((one) => one.startsWith(`outrigger_ambassador_${name}${labels} `));
      return Number(line?.split(' ')[1] ?? 0);
    },
  };
}
