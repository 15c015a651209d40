/** `/healthz` and `/livez`: what kube-proxy's readers expect, on a clock that stands still. */

import { test } from 'tap';
import { FakeClock } from '@outrigger/core/clock';
import { Catalog, projectNode } from '../../src/catalog/index.ts';
import { healthTimeoutMs, ProxyHealth } from '../../src/daemon/health.ts';

function fixture() {
  const clock = new FakeClock();
  const catalog = new Catalog();
  return { clock, catalog, health: new ProxyHealth(clock, catalog) };
}

test('a change that waits too long for its sync is unhealthy, until it was synced', async (t) => {
  const { clock, health } = fixture();
  const synced = new Date(clock.wall()).toISOString();
  await clock.advance(healthTimeoutMs);
  t.equal(health.answer('healthz').status, 200, 'nothing to do is healthy, however long');
  health.queued();
  await clock.advance(healthTimeoutMs - 1);
  health.queued();
  t.equal(health.answer('healthz').status, 200);
  await clock.advance(1);
  for (const path of ['healthz', 'livez'] as const) {
    const { status, body } = health.answer(path);
    t.equal(status, 503, path);
    t.match(body, { healthy: false, lastUpdated: synced, status: { IPv4: { healthy: false } } });
  }
  health.synced();
  t.match(health.answer('healthz'), {
    status: 200,
    body: { healthy: true, lastUpdated: new Date(clock.wall()).toISOString() },
  });
});

test('a Node about to go is not eligible, and alive', (t) => {
  const { catalog, health } = fixture();
  const node = (spec: object) =>
    catalog.apply([
      { kind: 'Node', key: 'n1', record: projectNode({ metadata: { name: 'n1' }, spec, status: {} }) },
    ]);
  node({});
  t.match(health.answer('healthz'), { status: 200, body: { nodeEligible: true } });
  node({ taints: [{ key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' }] });
  t.match(health.answer('healthz'), { status: 503, body: { nodeEligible: false, healthy: true } });
  const live = health.answer('livez');
  t.equal(live.status, 200);
  t.notOk('nodeEligible' in (live.body as object));
  t.end();
});
