/** The catalog: marks what a change concerns, and never depends on the order of changes. */

import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import type { Random } from '@outrigger/core/clock';
import { Catalog, projectPolicy, projectService, projectSlice } from '../../src/catalog/index.ts';
import type { CatalogChange, ServiceFields, SliceFields } from '../../src/catalog/index.ts';
import { planAll, Planner } from '../../src/plan/index.ts';
import { CONTEXT } from '../plan/context.ts';
import { endpoint, service, slice } from '../objects.ts';

function serviceChange(key: string, object?: ServiceFields): CatalogChange {
  return { kind: 'Service', key, record: object && projectService(object) };
}

function sliceChange(key: string, object?: SliceFields): CatalogChange {
  return { kind: 'EndpointSlice', key, record: object && projectSlice(object) };
}

function policyChange(key: string, target?: string, extra = {}): CatalogChange {
  const [namespace, name] = key.split('/');
  const spec = { targetRefs: [{ name: target }], ...extra };
  const record = target === undefined ? undefined : projectPolicy({ metadata: { namespace, name }, spec });
  return { kind: 'TrafficPolicy', key, record };
}

function dirty(catalog: Catalog): string[] {
  return [...catalog.takeDirty()].sort();
}

test('a change marks the Services it concerns, and only those', (t) => {
  const catalog = new Catalog();
  catalog.apply([serviceChange('a/b', service('a/b')), serviceChange('a/c', service('a/c'))]);
  t.same(dirty(catalog), ['a/b', 'a/c']);
  t.notOk(catalog.dirty);
  catalog.apply([sliceChange('a/b-1', slice('a/b-1', ['10.0.0.1']))]);
  t.same(dirty(catalog), ['a/b']);
  catalog.apply([policyChange('a/p', 'c')]);
  t.same(dirty(catalog), ['a/c']);
  catalog.apply([serviceChange('a/c')]);
  t.same(dirty(catalog), ['a/c'], 'also when it is gone');
  t.equal(catalog.view('a/c'), undefined);
  t.end();
});

test('a change that changes nothing for traffic marks nothing', (t) => {
  const catalog = new Catalog();
  const object = slice('a/b-1', ['10.0.0.1']);
  catalog.apply([serviceChange('a/b', service('a/b')), sliceChange('a/b-1', object)]);
  catalog.takeDirty();
  const annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z' };
  const rewritten = { ...object, metadata: { ...object.metadata, annotations } };
  catalog.apply([
    serviceChange('a/b', service('a/b')),
    sliceChange('a/b-1', rewritten),
    sliceChange('a/b-9'),
  ]);
  t.same(dirty(catalog), []);
  t.equal(catalog.view('a/b')?.slices[0]?.changedAtMs, Date.UTC(2026, 0, 1), 'but the newest time is kept');
  t.end();
});

test('a slice that moves to another Service leaves the first', (t) => {
  const catalog = new Catalog();
  const moving = (to: string): CatalogChange =>
    sliceChange(
      'a/x',
      slice('a/x-0', ['10.0.0.1'], {
        metadata: { namespace: 'a', name: 'x', labels: { 'kubernetes.io/service-name': to } },
      }),
    );
  catalog.apply([serviceChange('a/b', service('a/b')), serviceChange('a/c', service('a/c')), moving('b')]);
  catalog.takeDirty();
  catalog.apply([moving('c')]);
  t.same(dirty(catalog), ['a/b', 'a/c']);
  t.equal(catalog.view('a/b')?.slices.length, 0);
  t.equal(catalog.view('a/c')?.slices.length, 1);
  t.end();
});

test('slices and policies may come before their Service', (t) => {
  const catalog = new Catalog();
  catalog.apply([sliceChange('a/b-1', slice('a/b-1', ['10.0.0.1'])), policyChange('a/p', 'b')]);
  t.equal(catalog.view('a/b'), undefined);
  catalog.apply([serviceChange('a/b', service('a/b'))]);
  t.equal(catalog.view('a/b')?.slices.length, 1);
  t.equal(catalog.view('a/b')?.policies.length, 1);
  t.end();
});

test('the proxy remembers its own node', (t) => {
  const catalog = new Catalog();
  t.equal(catalog.node, undefined);
  const record = { name: 'n1', zone: 'z1', podCIDRs: [], addresses: ['192.168.0.2'], leaving: false };
  catalog.apply([{ kind: 'Node', key: 'n1', record }]);
  t.equal(catalog.node?.zone, 'z1');
  t.same(dirty(catalog), [], 'who plans decides what a node change means');
  t.end();
});

/** One random change to a small world: few names, so that changes meet. */
function randomChange(random: Random): CatalogChange {
  const int = (below: number): number => Math.floor(random.next() * below);
  const name = `s${int(3)}`;
  switch (int(4)) {
    case 0:
      return serviceChange(
        `a/${name}`,
        int(5) === 0
          ? undefined
          : service(`a/${name}`, { internalTrafficPolicy: int(2) === 0 ? 'Local' : 'Cluster' }),
      );
    case 1: {
      const key = `a/p${int(2)}`;
      return int(3) === 0 ? policyChange(key) : policyChange(key, name, { balancing: 'roundRobin' });
    }
    default: {
      const slot = `a/slice${int(5)}`;
      if (int(4) === 0) return sliceChange(slot);
      const states = ['ready', 'unready', 'terminating', 'gone'] as const;
      const endpoints = Array.from({ length: int(4) }, () =>
        endpoint(`10.0.0.${int(5)}`, states[int(4)], `n${int(2)}`),
      );
      const labels = { 'kubernetes.io/service-name': name };
      return sliceChange(
        slot,
        slice('a/x-0', endpoints, { metadata: { namespace: 'a', name: slot, labels } }),
      );
    }
  }
}

test('after any history, the incremental plan equals that of a fresh build', (t) => {
  const seed = Number(process.env['SEED'] ?? 20_260_101);
  t.comment(`SEED=${seed}`);
  const random = seededRandom(seed);
  for (let round = 0; round < 60; round++) {
    const catalog = new Catalog();
    const planner = new Planner(catalog, CONTEXT);
    const last = new Map<string, CatalogChange>();
    for (let step = 0; step < 40; step++) {
      const change = randomChange(random);
      last.set(`${change.kind} ${change.key}`, change);
      catalog.apply([change]);
      if (random.next() < 0.4) planner.sync();
    }
    planner.sync();
    const fresh = new Catalog();
    fresh.apply([...last.values()].toReversed());
    const byKey = (plans: Iterable<[string, unknown]>): [string, unknown][] =>
      [...plans].sort(([a], [b]) => (a < b ? -1 : 1));
    const same = JSON.stringify(byKey(planner.plans)) === JSON.stringify(byKey(planAll(fresh, CONTEXT)));
    if (!same) t.same(byKey(planner.plans), byKey(planAll(fresh, CONTEXT)), `round ${round} of seed ${seed}`);
  }
  t.pass('60 histories of 40 changes');
  t.end();
});
