/** Mirroring: what hand-written Endpoints become as slices, and what is not mirrored. */

import type { Endpoints, EndpointSlice, Service } from '@outrigger/core/api';
import { test } from 'tap';
import { reconcileMirror } from '../../../src/controllers/mirror/reconcile.ts';
import { ipAt, serviceObject } from '../lab.ts';

const options = { maxEndpointsPerSlice: 100, maxMirroredPerSubset: 1_000, triggerTime: undefined };

function manual(): Service {
  const service = serviceObject('db');
  delete service.spec.selector;
  return service;
}

function endpoints(
  subsets: NonNullable<Endpoints['subsets']>,
  metadata: Partial<Endpoints['metadata']> = {},
): Endpoints {
  return { metadata: { name: 'db', namespace: 'default', uid: 'ep', ...metadata }, subsets };
}

const one = endpoints([{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 5432, protocol: 'TCP' }] }]);

test('subsets become slices by family and ports', async (t) => {
  const plan = reconcileMirror(
    manual(),
    endpoints([
      {
        addresses: [{ ip: '192.0.2.1', hostname: 'a', nodeName: 'n' }, { ip: '2001:db8::1' }],
        notReadyAddresses: [{ ip: '192.0.2.2' }],
        ports: [{ name: 'sql', port: 5432, protocol: 'TCP', appProtocol: 'postgres' }],
      },
      { addresses: [{ ip: '192.0.2.3' }], ports: [{ name: 'sql', port: 5433, protocol: 'TCP' }] },
    ]),
    [],
    options,
  );
  t.match(plan.create, [
    {
      addressType: 'IPv4',
      ports: [{ name: 'sql', port: 5432, appProtocol: 'postgres' }],
      endpoints: [
        { addresses: ['192.0.2.1'], conditions: { ready: true }, hostname: 'a', nodeName: 'n' },
        { addresses: ['192.0.2.2'], conditions: { ready: false } },
      ],
    },
    { addressType: 'IPv4', ports: [{ port: 5433 }], endpoints: [{ addresses: ['192.0.2.3'] }] },
    { addressType: 'IPv6', ports: [{ port: 5432 }], endpoints: [{ addresses: ['2001:db8::1'] }] },
  ]);
});

test('labels and annotations come along, but not kubectl’s', async (t) => {
  const plan = reconcileMirror(
    manual(),
    endpoints(one.subsets ?? [], {
      labels: { team: 'a' },
      annotations: { note: 'x', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
    }),
    [],
    options,
  );
  t.match(plan.create[0]?.metadata, {
    labels: { team: 'a', 'kubernetes.io/service-name': 'db' },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Endpoints', name: 'db', uid: 'ep', controller: true }],
  });
  t.strictSame(plan.create[0]?.metadata.annotations, { note: 'x' });
});

test('an address both ready and not is ready', async (t) => {
  const plan = reconcileMirror(
    manual(),
    endpoints([
      {
        addresses: [{ ip: '192.0.2.1' }],
        notReadyAddresses: [{ ip: '192.0.2.1' }],
        ports: [{ port: 1, protocol: 'TCP' }],
      },
    ]),
    [],
    options,
  );
  t.match(plan.create[0]?.endpoints, [{ conditions: { ready: true } }]);
  t.equal(plan.create[0]?.endpoints?.length, 1);
});

test('at most a thousand of a subset, ready ones first, a hundred a slice', async (t) => {
  const many = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => ({ ip: ipAt(from + i) }));
  const plan = reconcileMirror(
    manual(),
    endpoints([
      { addresses: many(0, 900), notReadyAddresses: many(5_000, 300), ports: [{ port: 1, protocol: 'TCP' }] },
    ]),
    [],
    options,
  );
  t.equal(plan.create.length, 10);
  const all = plan.create.flatMap((slice) => slice.endpoints ?? []);
  t.equal(all.filter(({ conditions }) => conditions?.ready).length, 900);
  t.equal(all.length, 1_000);
});

test('what is not mirrored, and is taken back if it was', async (t) => {
  const [slice] = reconcileMirror(manual(), one, [], options).create;
  const existing: EndpointSlice[] =
    slice === undefined ? [] : [{ ...slice, metadata: { ...slice.metadata, name: 'db-1' } }];
  const again = reconcileMirror(manual(), one, existing, options);
  t.strictSame([again.create.length, again.update.length, again.delete.length], [0, 0, 0], 'stable');
  const cases: readonly [string, Service | undefined, Endpoints | undefined][] = [
    ['no Service', undefined, one],
    ['a Service with a selector', serviceObject('db'), one],
    ['no Endpoints', manual(), undefined],
    [
      'asked not to',
      manual(),
      endpoints(one.subsets ?? [], { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }),
    ],
    [
      'a lock',
      manual(),
      endpoints(one.subsets ?? [], { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } }),
    ],
    ['on its way out', manual(), endpoints(one.subsets ?? [], { deletionTimestamp: '2026-01-01T00:00:00Z' })],
    ['empty', manual(), endpoints([])],
  ];
  for (const [name, service, object] of cases) {
    const plan = reconcileMirror(service, object, existing, options);
    t.strictSame([plan.create.length, plan.update.length, plan.delete.length], [0, 0, 1], name);
  }
});
