/** The planner: plans what changed and nothing else. */

import { test } from 'tap';
import { Catalog, projectService, projectSlice } from '../../src/catalog/index.ts';
import type { CatalogChange } from '../../src/catalog/index.ts';
import { Planner } from '../../src/plan/index.ts';
import { service, slice } from '../objects.ts';
import { CONTEXT } from './context.ts';

function world(size: number): CatalogChange[] {
  return Array.from({ length: size }, (_, index): CatalogChange[] => [
    { kind: 'Service', key: `a/s${index}`, record: projectService(service(`a/s${index}`)) },
    {
      kind: 'EndpointSlice',
      key: `a/s${index}-1`,
      record: projectSlice(slice(`a/s${index}-1`, ['10.0.0.1', '10.0.0.2'])),
    },
  ]).flat();
}

test('the first sync plans everything, the next only what changed', (t) => {
  const catalog = new Catalog();
  catalog.apply(world(20));
  const planner = new Planner(catalog, CONTEXT);
  t.equal(planner.sync().changed.length, 20);
  t.same(planner.sync(), { changed: [], removed: [] });
  const before = new Map(planner.plans);
  const record = projectSlice(slice('a/s7-1', ['10.0.0.1']));
  catalog.apply([{ kind: 'EndpointSlice', key: 'a/s7-1', record }]);
  t.same(
    planner.sync().changed.map((plan) => plan.key),
    ['a/s7'],
  );
  const replanned = [...planner.plans].filter(([key, plan]) => before.get(key) !== plan).map(([key]) => key);
  t.same(replanned, ['a/s7'], 'all other plans are the same objects');
  t.end();
});

test('a Service that is gone is reported once', (t) => {
  const catalog = new Catalog();
  catalog.apply(world(2));
  const planner = new Planner(catalog, CONTEXT);
  planner.sync();
  catalog.apply([
    { kind: 'Service', key: 'a/s0', record: undefined },
    { kind: 'Service', key: 'a/never', record: undefined },
  ]);
  t.same(planner.sync(), { changed: [], removed: ['a/s0'] });
  t.same(planner.sync(), { changed: [], removed: [] });
  t.notOk(planner.plans.has('a/s0'));
  t.end();
});

test('a new context concerns everything, also what went meanwhile', (t) => {
  const catalog = new Catalog();
  catalog.apply(world(3));
  const planner = new Planner(catalog, CONTEXT);
  planner.sync();
  catalog.apply([{ kind: 'Service', key: 'a/s0', record: undefined }]);
  planner.setContext({ ...CONTEXT, mode: 'nftables' });
  const { changed, removed } = planner.sync();
  t.same(
    changed.map((plan) => plan.ports[0]?.handling),
    ['kernel', 'kernel'],
  );
  t.same(removed, ['a/s0']);
  t.equal(planner.context.mode, 'nftables');
  t.end();
});
