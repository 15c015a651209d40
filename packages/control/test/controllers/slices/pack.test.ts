/** Properties of packing, over random histories: nothing lost, nothing double, never too full, stable, few writes. */

import type { Endpoint, EndpointSlice } from '@outrigger/core/api';
import type { Random } from '@outrigger/core/clock';
import { seededRandom } from '@outrigger/core/clock';
import { test } from 'tap';
import type { SliceTemplate } from '../../../src/controllers/slices/metadata.ts';
import type { Group, SlicePlan } from '../../../src/controllers/slices/pack.ts';
import { packSlices, portsKey } from '../../../src/controllers/slices/pack.ts';

const seed = 42;
const max = 10;

const template: SliceTemplate = {
  namespace: 'default',
  serviceName: 'web',
  manager: 'test',
  source: { metadata: { labels: { a: 'b' } } },
  headless: false,
  owner: { apiVersion: 'v1', kind: 'Service', name: 'web', uid: 'u' },
  copyAnnotations: false,
  triggerTime: undefined,
};

test('random histories', async (t) => {
  const random = seededRandom(seed);
  let slices: EndpointSlice[] = [];
  let groups = randomGroups(random);
  let names = 0;
  for (let step = 0; step < 1_000; step += 1) {
    const before = groups;
    groups = random.next() < 0.05 ? randomGroups(random) : changedGroups(random, groups);
    const plan = pack(slices, groups);
    slices = apply(slices, plan, () => `s${(names += 1)}`);
    const label = `seed ${seed} step ${step}`;
    t.strictSame(content(slices), wanted(groups), `the slices hold exactly what is wanted (${label})`);
    t.ok(
      slices.every(({ endpoints }) => (endpoints?.length ?? 0) <= max),
      `none is too full (${label})`,
    );
    t.ok(slices.length >= 1, `there is always one (${label})`);
    t.equal(writes(pack(slices, groups)), 0, `nothing more to do (${label})`);
    const empty = slices.filter(({ endpoints }) => endpoints?.length === 0);
    t.ok(empty.length === 0 || slices.length === 1, `no empty slice beside others (${label})`);
    const written = writes(plan);
    t.ok(
      written <= difference(before, groups) + 1,
      `${written} writes for ${difference(before, groups)} changes (${label})`,
    );
  }
});

test('slices fuller than allowed are brought down', async (t) => {
  const [group] = [{ ports: [], endpoints: Array.from({ length: 25 }, (_, i) => endpoint(i)) }];
  const crowded: EndpointSlice[] = apply(
    [],
    packSlices({ ...packing([], [group]), maxPerSlice: 100 }),
    () => 'big',
  );
  const slices = apply(crowded, pack(crowded, [group]), () => `s${Math.random()}`);
  t.strictSame(slices.map(({ endpoints }) => endpoints?.length).sort(), [10, 10, 5].sort());
});

test('an endpoint that is in two slices stays in one', async (t) => {
  const group = { ports: [], endpoints: [endpoint(1)] };
  const [slice] = apply([], pack([], [group]), () => 'a');
  if (slice === undefined) throw new Error('no slice');
  const twice = [slice, { ...slice, metadata: { ...slice.metadata, name: 'b' } }];
  const plan = pack(twice, [group]);
  t.strictSame([plan.create.length, plan.update.length, plan.delete.length], [0, 0, 1]);
});

function writes(plan: SlicePlan): number {
  return plan.create.length + plan.update.length + plan.delete.length;
}

function packing(existing: readonly EndpointSlice[], groups: readonly Group[]) {
  return { addressType: 'IPv4' as const, existing, groups, maxPerSlice: max, placeholder: true, template };
}

function pack(existing: readonly EndpointSlice[], groups: readonly Group[]): SlicePlan {
  return packSlices(packing(existing, groups));
}

function apply(slices: readonly EndpointSlice[], plan: SlicePlan, name: () => string): EndpointSlice[] {
  const gone = new Set(plan.delete.map(({ metadata }) => metadata.name));
  const updated = new Map(plan.update.map((slice) => [slice.metadata.name, slice]));
  return [
    ...slices
      .filter(({ metadata }) => !gone.has(metadata.name))
      .map((slice) => updated.get(slice.metadata.name) ?? slice),
    ...plan.create.map((slice) => ({ ...slice, metadata: { ...slice.metadata, name: name() } })),
  ];
}

function endpoint(index: number, ready = true): Endpoint {
  return {
    addresses: [`10.0.${Math.floor(index / 250)}.${index % 250}`],
    conditions: { ready },
    targetRef: { kind: 'Pod', name: `p${index}`, uid: `u${index}` },
  };
}

function randomGroups(random: Random): Group[] {
  const groups = Array.from({ length: 1 + Math.floor(random.next() * 3) }, (_, g) => ({
    ports: [{ name: 'p', port: 8_000 + g, protocol: 'TCP' as const }],
    endpoints: Array.from({ length: Math.floor(random.next() * 40) }, (_, i) => endpoint(g * 1_000 + i)),
  }));
  return groups.filter(({ endpoints }) => endpoints.length > 0);
}

/** A few endpoints more, fewer, or changed. */
function changedGroups(random: Random, groups: readonly Group[]): Group[] {
  const changed = groups.map(({ ports, endpoints }) => {
    const kept = endpoints
      .filter(() => random.next() > 0.03)
      .map((entry) =>
        random.next() < 0.03 ? { ...entry, conditions: { ready: entry.conditions?.ready !== true } } : entry,
      );
    const more = Array.from({ length: Math.floor(random.next() * 3) }, () =>
      endpoint(Math.floor(random.next() * 50_000) + 5_000),
    );
    return { ports, endpoints: [...kept, ...more] };
  });
  return changed.filter(({ endpoints }) => endpoints.length > 0);
}

function content(slices: readonly EndpointSlice[]): string[] {
  return slices
    .flatMap(({ ports, endpoints }) =>
      (endpoints ?? []).map((entry) => `${portsKey(ports ?? [])} ${JSON.stringify(entry)}`),
    )
    .sort();
}

function wanted(groups: readonly Group[]): string[] {
  const all = groups.flatMap(({ ports, endpoints }) =>
    endpoints.map((entry) => `${portsKey(ports)} ${JSON.stringify(entry)}`),
  );
  return [...new Set(all)].sort();
}

function difference(before: readonly Group[], after: readonly Group[]): number {
  const [left, right] = [new Set(wanted(before)), new Set(wanted(after))];
  return (
    [...left].filter((entry) => !right.has(entry)).length +
    [...right].filter((entry) => !left.has(entry)).length
  );
}
