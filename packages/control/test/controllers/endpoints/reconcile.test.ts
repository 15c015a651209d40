/** From pods to one Endpoints object: subsets, capacity, and when nothing needs to be written. */

import type { Endpoints, Pod, Service } from '@outrigger/core/api';
import { test } from 'tap';
import { reconcileEndpoints } from '../../../src/controllers/endpoints/reconcile.ts';
import { truncateSubsets } from '../../../src/controllers/endpoints/truncate.ts';
import { podRecord } from '../../../src/controllers/pod-record.ts';
import { ipAt, podObject, serviceObject } from '../lab.ts';

function reconcile(
  service: Service,
  pods: readonly Pod[],
  existing?: Endpoints,
  max = 1_000,
): Endpoints | undefined {
  return reconcileEndpoints(
    service,
    pods.map((pod) => podRecord(pod)),
    existing,
    {
      maxEndpointsAddresses: max,
      triggerTime: undefined,
    },
  );
}

function pod(name: string, ip: string, ready = true): Pod {
  return podObject(name, { ip, ready });
}

test('ready and not ready, sorted by address', async (t) => {
  const web = serviceObject('web');
  const endpoints = reconcile(web, [pod('b', '10.0.0.2'), pod('c', '10.0.0.3', false), pod('a', '10.0.0.1')]);
  t.match(endpoints, {
    metadata: {
      name: 'web',
      namespace: 'default',
      labels: { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' },
    },
    subsets: [
      {
        addresses: [{ ip: '10.0.0.1', targetRef: { kind: 'Pod', name: 'a' } }, { ip: '10.0.0.2' }],
        notReadyAddresses: [{ ip: '10.0.0.3' }],
        ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      },
    ],
  });
});

test('terminating pods leave, unless all are wanted', async (t) => {
  const leaving = pod('a', '10.0.0.1');
  leaving.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
  t.strictSame(reconcile(serviceObject('web'), [leaving])?.subsets, []);
  const all = reconcile(serviceObject('web', { publishNotReadyAddresses: true }), [
    leaving,
    pod('b', '10.0.0.2', false),
  ]);
  t.match(all?.subsets, [{ addresses: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }] }]);
  t.notOk(all?.subsets?.[0]?.notReadyAddresses);
});

test('named ports that differ make subsets; pods without any of the ports are left out', async (t) => {
  const named = serviceObject('web', {
    ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'web' }],
  });
  const endpoints = reconcile(named, [
    podObject('a', { ip: '10.0.0.1', ports: [{ name: 'web', port: 8080 }] }),
    podObject('b', { ip: '10.0.0.2', ports: [{ name: 'web', port: 9090 }] }),
    podObject('c', { ip: '10.0.0.3' }),
  ]);
  t.match(endpoints?.subsets, [
    { addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 8080 }] },
    { addresses: [{ ip: '10.0.0.2' }], ports: [{ port: 9090 }] },
  ]);
  t.equal(endpoints?.subsets?.length, 2);
});

test('a headless Service without ports', async (t) => {
  const endpoints = reconcile(serviceObject('web', { clusterIP: 'None', ports: [] }), [pod('a', '10.0.0.1')]);
  t.match(endpoints, { metadata: { labels: { 'service.kubernetes.io/headless': '' } } });
  t.strictSame(endpoints?.subsets?.[0]?.ports, undefined);
  t.equal(endpoints?.subsets?.[0]?.addresses?.length, 1);
});

test('the Service’s first family is the one that is told', async (t) => {
  const dual = serviceObject('web', { ipFamilies: ['IPv6', 'IPv4'] });
  const both = pod('a', '10.0.0.1');
  both.status = { ...both.status, podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] };
  t.match(reconcile(dual, [both])?.subsets, [{ addresses: [{ ip: 'fd00::1' }] }]);
});

test('nothing is written when nothing changed, nor for revisions of pods', async (t) => {
  const web = serviceObject('web');
  const pods = [pod('a', '10.0.0.1'), pod('b', '10.0.0.2')];
  const existing = reconcile(web, pods);
  t.equal(reconcile(web, pods.toReversed(), existing), undefined);
  const other = structuredClone(existing);
  const target = other?.subsets?.[0]?.addresses?.[0]?.targetRef;
  if (target !== undefined) target.resourceVersion = '17';
  t.equal(reconcile(web, pods, other), undefined);
  t.ok(reconcile(web, pods.slice(1), existing));
  t.ok(
    reconcile({ ...web, metadata: { ...web.metadata, labels: { a: 'b' } } }, pods, existing),
    'new labels are',
  );
});

test('annotations of others stay, the trigger time of the last write does not', async (t) => {
  const web = serviceObject('web');
  const existing = reconcile(web, [pod('a', '10.0.0.1')]);
  if (existing === undefined) throw new Error('nothing to write');
  existing.metadata.annotations = {
    mine: 'yes',
    'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z',
  };
  t.equal(reconcile(web, [pod('a', '10.0.0.1')], existing), undefined);
  t.strictSame(reconcile(web, [], existing)?.metadata.annotations, { mine: 'yes' });
});

test('beyond the capacity: ready ones first, marked, and unmarked again', async (t) => {
  const web = serviceObject('web');
  const pods = [
    ...Array.from({ length: 8 }, (_, i) => pod(`r${i}`, ipAt(i))),
    ...Array.from({ length: 8 }, (_, i) => pod(`n${i}`, ipAt(100 + i), false)),
  ];
  const endpoints = reconcile(web, pods, undefined, 10);
  t.equal(endpoints?.subsets?.[0]?.addresses?.length, 8);
  t.equal(endpoints?.subsets?.[0]?.notReadyAddresses?.length, 2);
  t.equal(endpoints?.metadata.annotations?.['endpoints.kubernetes.io/over-capacity'], 'truncated');
  t.equal(reconcile(web, pods, endpoints, 10), undefined, 'and that is stable');
  const back = reconcile(web, pods.slice(0, 5), endpoints, 10);
  t.strictSame(back?.metadata.annotations, {});
});

test('every subset keeps its share', async (t) => {
  const addresses = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => ({ ip: ipAt(from + i) }));
  const { subsets, truncated } = truncateSubsets(
    [
      { addresses: addresses(0, 75) },
      { addresses: addresses(200, 25) },
      { notReadyAddresses: addresses(400, 50) },
    ],
    20,
  );
  t.ok(truncated);
  t.strictSame(
    subsets.map((subset) => subset.addresses?.length),
    [15, 5],
    'no room for those that are not ready',
  );
  const uneven = truncateSubsets(
    [{ addresses: addresses(0, 1) }, { addresses: addresses(10, 1) }, { addresses: addresses(20, 1) }],
    2,
  );
  t.equal(
    uneven.subsets.reduce((sum, subset) => sum + (subset.addresses?.length ?? 0), 0),
    2,
    'rounding loses none',
  );
});
