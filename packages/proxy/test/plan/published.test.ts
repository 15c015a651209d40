/** What `--publish NS/SERVICE[:PORT]` means, and what it says when it means nothing. */

import { test } from 'tap';
import { Catalog, projectService, projectSlice } from '../../src/catalog/index.ts';
import { planAll, poolOf, publishedPort } from '../../src/plan/index.ts';
import type { Published, ServicePlan } from '../../src/plan/index.ts';
import { service, slice } from '../objects.ts';
import { CONTEXT } from './context.ts';

function planOf(spec: Parameters<typeof service>[1], ...slices: Parameters<typeof slice>[]): ServicePlan {
  const catalog = new Catalog();
  catalog.apply([
    { kind: 'Service', key: 'a/b', record: projectService(service('a/b', spec)) },
    ...slices.map((args) => ({
      kind: 'EndpointSlice' as const,
      key: args[0],
      record: projectSlice(slice(...args)),
    })),
  ]);
  const plan = planAll(catalog, CONTEXT).get('a/b');
  if (plan === undefined) throw new Error('a/b was not planned');
  return plan;
}

function idOrProblem(published: Published): string {
  return 'plan' in published ? published.plan.id : published.problem;
}

test('a port is found by name, then by number, or because it is the only one', (t) => {
  const two = planOf({
    ports: [
      { name: 'http', port: 80 },
      { name: '8080', port: 81 },
      { name: 'x', port: 8080 },
    ],
  });
  t.equal(idOrProblem(publishedPort(two, 'http')), 'a/b:http/TCP/IPv4');
  t.equal(idOrProblem(publishedPort(two, '80')), 'a/b:http/TCP/IPv4');
  t.equal(idOrProblem(publishedPort(two, '8080')), 'a/b:8080/TCP/IPv4', 'a name before a number');
  t.match(idOrProblem(publishedPort(two, undefined)), /several TCP ports \(http \(80\), .*name one/);
  t.match(idOrProblem(publishedPort(two, 'ftp')), /a\/b has no TCP port ftp; it has http \(80\)/);
  const mixed = planOf({
    ports: [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'http', port: 80 },
    ],
  });
  t.equal(idOrProblem(publishedPort(mixed, undefined)), 'a/b:http/TCP/IPv4', 'the only TCP port');
  t.match(idOrProblem(publishedPort(mixed, 'dns')), /no TCP port dns/);
  t.end();
});

test('a Service that cannot be published says why', (t) => {
  t.match(
    idOrProblem(publishedPort(planOf({ type: 'ExternalName' }), undefined)),
    /a\/b cannot be published: .*ExternalName/,
  );
  const udp = planOf({ ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] });
  t.equal(idOrProblem(publishedPort(udp, undefined)), 'a/b has no TCP port; it has none');
  t.end();
});

test('dual stack: the preferred family, or the one with endpoints', (t) => {
  const spec = { clusterIPs: ['fd00::1', '10.96.0.1'] };
  const v4: Parameters<typeof slice> = ['a/b-4', ['10.0.0.1']];
  const v6: Parameters<typeof slice> = ['a/b-6', ['fd00::2'], { addressType: 'IPv6' }];
  t.match(idOrProblem(publishedPort(planOf(spec, v4, v6), undefined)), /IPv6$/);
  t.match(idOrProblem(publishedPort(planOf(spec, v4), undefined)), /IPv4$/);
  t.match(idOrProblem(publishedPort(planOf(spec), undefined)), /IPv6$/);
  t.end();
});

test('the pool of a published port is what the node reaches through the ClusterIP', (t) => {
  const ports = [{ name: 'http', port: 80, nodePort: 30080 }];
  const spec = { ports, internalTrafficPolicy: 'Local', sessionAffinity: 'ClientIP' };
  const plan = planOf(spec, ['a/b-1', [{ addresses: ['10.0.0.1'], nodeName: 'n1' }, '10.0.0.2']]);
  const [port] = plan.ports;
  if (port === undefined) throw new Error('no port');
  const pool = poolOf(port);
  t.same(
    pool.endpoints.map((endpoint) => endpoint.key),
    ['10.0.0.1:8080'],
  );
  t.equal(pool.affinitySeconds, 10_800);
  t.equal(pool.settings, CONTEXT.defaults);
  t.same(poolOf(port, port.external, 'external').endpoints.length, 2, 'other traffic has its own');
  t.same(poolOf(planOf(spec).ports[0] ?? port).endpoints, [], 'drop and reject have nobody');
  t.end();
});
