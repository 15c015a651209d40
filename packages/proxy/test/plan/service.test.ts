/** The plan of one Service: what the flow table cannot see of it. */

import { test } from 'tap';
import { Catalog, projectPolicy, projectService, projectSlice } from '../../src/catalog/index.ts';
import type { PolicyFields, ServiceFields, SliceFields } from '../../src/catalog/index.ts';
import { planService } from '../../src/plan/index.ts';
import type { PlanContext, ServicePlan } from '../../src/plan/index.ts';
import { endpoint, service, slice } from '../objects.ts';
import { CONTEXT } from './context.ts';

function planOf(
  object: ServiceFields,
  slices: readonly SliceFields[],
  more: { readonly context?: Partial<PlanContext>; readonly policies?: readonly PolicyFields[] } = {},
): ServicePlan {
  const catalog = new Catalog();
  const key = `${object.metadata?.namespace}/${object.metadata?.name}`;
  catalog.apply([
    { kind: 'Service', key, record: projectService(object) },
    ...slices.map((one, index) => ({
      kind: 'EndpointSlice' as const,
      key: `slice-${index}`,
      record: projectSlice(one),
    })),
    ...(more.policies ?? []).map((one, index) => ({
      kind: 'TrafficPolicy' as const,
      key: `policy-${index}`,
      record: projectPolicy(one),
    })),
  ]);
  const view = catalog.view(key);
  if (view === undefined) throw new Error(`${key} is not in the catalog`);
  return planService(view, { ...CONTEXT, ...more.context });
}

test('a port plan names its Service, port, family and who carries it', (t) => {
  const plan = planOf(service('a/b', { clusterIPs: ['10.96.0.1', 'fd00::1'] }), [
    slice('a/b-1', ['10.0.0.1']),
  ]);
  t.same(
    plan.ports.map(({ id, handling, clusterIP }) => ({ id, handling, clusterIP })),
    [
      { id: 'a/b:http/TCP/IPv4', handling: 'l7', clusterIP: '10.96.0.1' },
      { id: 'a/b:http/TCP/IPv6', handling: 'l7', clusterIP: 'fd00::1' },
    ],
  );
  const unnamed = planOf(service('a/b', { ports: [{ port: 81 }] }), []);
  t.equal(unnamed.ports[0]?.id, 'a/b:81/TCP/IPv4', 'an unnamed port is known by its number');
  t.equal(planOf(service('a/b'), [], { context: { mode: 'nftables' } }).ports[0]?.handling, 'kernel');
  t.end();
});

test('Services without an address are planned in the families they have or ask for', (t) => {
  const families = (object: ServiceFields, ...slices: SliceFields[]): string[] =>
    planOf(object, slices).ports.map((port) => `${port.family}${port.clusterIP}`);
  const v6 = slice('a/b-1', ['fd00::2'], { addressType: 'IPv6' });
  t.same(families(service('a/b', { clusterIP: 'None' }), slice('a/b-1', ['10.0.0.1'])), ['IPv4']);
  t.same(families(service('a/b', { clusterIP: 'None' }), v6), ['IPv6']);
  t.same(families(service('a/b', { clusterIP: 'None', ipFamilies: ['IPv6', 'IPv4'] })), ['IPv6', 'IPv4']);
  t.same(families(service('a/b', { clusterIP: '' })), ['IPv4'], 'IPv4 when nothing says otherwise');
  t.end();
});

test('what cannot be planned says why', (t) => {
  t.match(planOf(service('a/b', { type: 'ExternalName' }), []).skipped, /ExternalName/);
  t.match(planOf(service('a/b', { ports: [] }), []).skipped, /no ports/);
  t.equal(planOf(service('a/b'), []).skipped, undefined);
  t.end();
});

test('the health check counts backends on this node that are ready, each once', (t) => {
  const spec = {
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
    healthCheckNodePort: 32000,
    ports: [
      { name: 'http', port: 80 },
      { name: 'admin', port: 81 },
    ],
  };
  const ports = [
    { name: 'http', port: 8080 },
    { name: 'admin', port: 8081 },
  ];
  const plan = planOf(service('a/b', spec), [
    slice('a/b-1', [endpoint('10.0.0.1', 'ready', 'n1'), endpoint('10.0.0.2', 'ready', 'n2')], { ports }),
    slice('a/b-2', [endpoint('10.0.0.1', 'ready', 'n1'), endpoint('10.0.0.3', 'terminating', 'n1')], {
      ports,
    }),
    slice('a/b-3', [endpoint('fd00::1', 'ready', 'n1')], { addressType: 'IPv6', ports }),
  ]);
  t.same(plan.healthCheck, { port: 32000, localEndpoints: 1 });
  t.equal(planOf(service('a/b'), []).healthCheck, undefined);
  t.end();
});

test('a policy for one port leaves the others alone', (t) => {
  const policies = [
    {
      metadata: { namespace: 'a', name: 'p' },
      spec: { targetRefs: [{ name: 'b', sectionName: 'http' }], balancing: 'roundRobin' },
    },
  ];
  const object = service('a/b', {
    ports: [
      { name: 'http', port: 80 },
      { name: 'db', port: 81 },
    ],
  });
  const plan = planOf(object, [], { policies, context: { mode: 'nftables' } });
  t.same(
    plan.ports.map(({ name, policy, handling, settings }) => [name, policy, handling, settings.balancing]),
    [
      ['http', 'a/p', 'l7', 'roundRobin'],
      ['db', '', 'kernel', 'leastConnections'],
    ],
  );
  t.end();
});

test('a selection says which fallbacks it took', (t) => {
  const local = service('a/b', { internalTrafficPolicy: 'Local' });
  const draining = [slice('a/b-1', [endpoint('10.0.0.1', 'terminating', 'n1')])];
  t.match(planOf(local, draining).ports[0]?.selection, {
    usesLocal: true,
    usesCluster: false,
    localFallback: true,
    clusterFallback: false,
    cluster: [],
  });
  t.match(planOf(service('a/b'), draining).ports[0]?.selection, {
    usesLocal: false,
    clusterFallback: true,
    localFallback: false,
    local: [],
  });
  t.end();
});
