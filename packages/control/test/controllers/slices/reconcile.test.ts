/** From a Service and its pods to slices: what an endpoint says, how slices are labelled, and which are written. */

import type { EndpointSlice, Pod, Service } from '@outrigger/core/api';
import { test } from 'tap';
import { podRecord } from '../../../src/controllers/pod-record.ts';
import { reconcileSlices } from '../../../src/controllers/slices/reconcile.ts';
import { ipAt, podObject, serviceObject } from '../lab.ts';
import type { PodOptions } from '../lab.ts';

function service(spec: Partial<Service['spec']> = {}, metadata: Partial<Service['metadata']> = {}): Service {
  const object = serviceObject('web', spec);
  return { ...object, metadata: { ...object.metadata, uid: 'svc-uid', ...metadata } };
}

function pod(name: string, options: PodOptions = {}, change: (pod: Pod) => void = () => {}): Pod {
  const object = podObject(name, options);
  object.metadata.uid = `uid-${name}`;
  change(object);
  return object;
}

function reconcile(
  owner: Service,
  pods: readonly Pod[],
  existing: readonly EndpointSlice[] = [],
  options: { max?: number; triggerTime?: string; zones?: Record<string, string> } = {},
) {
  return reconcileSlices(
    owner,
    pods.map((pod) => podRecord(pod)),
    existing,
    {
      maxEndpointsPerSlice: options.max ?? 100,
      zoneOf: (node) => options.zones?.[node],
      triggerTime: options.triggerTime,
    },
  );
}

/** The slices a plan leaves behind, with the names a server would give. */
function applied(
  plan: ReturnType<typeof reconcile>,
  existing: readonly EndpointSlice[] = [],
): EndpointSlice[] {
  const gone = new Set(plan.delete.map(({ metadata }) => metadata.name));
  const updated = new Map(plan.update.map((slice) => [slice.metadata.name, slice]));
  const kept = existing.filter(({ metadata }) => !gone.has(metadata.name));
  return [
    ...kept.map((slice) => updated.get(slice.metadata.name) ?? slice),
    ...plan.create.map((slice, index) => ({
      ...slice,
      metadata: { ...slice.metadata, name: `web-new-${existing.length + index}` },
    })),
  ];
}

/** How many slices are created, updated, deleted. */
function writes({ create, update, delete: gone }: ReturnType<typeof reconcile>): [number, number, number] {
  return [create.length, update.length, gone.length];
}

function pods(count: number, from = 0): Pod[] {
  return Array.from({ length: count }, (_, i) => pod(`web-${from + i}`, { ip: ipAt(from + i) }));
}

function sizes(slices: readonly EndpointSlice[]): number[] {
  return slices.map(({ endpoints }) => endpoints?.length ?? 0).sort((a, b) => a - b);
}

test('what an endpoint says', async (t) => {
  const terminating = (object: Pod): void => {
    object.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
  };
  const cases: readonly [string, Partial<Service['spec']>, Pod, unknown][] = [
    ['ready', {}, pod('a'), { conditions: { ready: true, serving: true, terminating: false } }],
    [
      'not ready',
      {},
      pod('a', { ready: false }),
      { conditions: { ready: false, serving: false, terminating: false } },
    ],
    [
      'terminating',
      {},
      pod('a', {}, terminating),
      { conditions: { ready: false, serving: true, terminating: true } },
    ],
    [
      'terminating and not ready',
      {},
      pod('a', { ready: false }, terminating),
      { conditions: { ready: false, serving: false, terminating: true } },
    ],
    [
      'not ready, wanted all the same',
      { publishNotReadyAddresses: true },
      pod('a', { ready: false }, terminating),
      { conditions: { ready: true, serving: false, terminating: true } },
    ],
    [
      'without a Ready condition',
      {},
      pod('a', {}, (object) => delete object.status?.conditions),
      { conditions: { ready: false } },
    ],
    ['on a node', {}, pod('a', { node: 'n1' }), { nodeName: 'n1', zone: 'z1' }],
    ['on an unknown node', {}, pod('a', { node: 'n2' }), { nodeName: 'n2', zone: undefined }],
    [
      'close to its clients',
      { trafficDistribution: 'PreferClose' },
      pod('a', { node: 'n1' }),
      { hints: { forZones: [{ name: 'z1' }] } },
    ],
    [
      'without a zone to be close in',
      { trafficDistribution: 'PreferSameZone' },
      pod('a'),
      { hints: undefined },
    ],
    [
      'on the same node',
      { trafficDistribution: 'PreferSameNode' },
      pod('a', { node: 'n1' }),
      { hints: { forZones: [{ name: 'z1' }], forNodes: [{ name: 'n1' }] } },
    ],
    [
      'with a name of its own',
      {},
      pod('a', {}, (object) => Object.assign(object.spec, { hostname: 'db-0', subdomain: 'web' })),
      { hostname: 'db-0' },
    ],
    [
      'with a name below another Service',
      {},
      pod('a', {}, (object) => Object.assign(object.spec, { hostname: 'db-0', subdomain: 'other' })),
      { hostname: undefined },
    ],
  ];
  for (const [name, spec, object, want] of cases) {
    const plan = reconcile(service(spec), [object], [], { zones: { n1: 'z1' } });
    t.match(plan.create[0]?.endpoints?.[0], want, name);
  }
});

test('pods that are no endpoints', async (t) => {
  const none = [
    pod('a', { phase: 'Failed' }),
    pod('b', { phase: 'Succeeded' }),
    pod('c', { ip: '' }),
    pod('d', { ip: 'fd00::1' }),
  ];
  t.strictSame(sizes(reconcile(service(), none).create), [0], 'only the placeholder');
});

test('labels and owner', async (t) => {
  const labelled = service(
    { clusterIP: 'None' },
    {
      labels: {
        team: 'a',
        'kubernetes.io/service-name': 'forged',
        'endpointslice.kubernetes.io/managed-by': 'forged',
      },
    },
  );
  t.strictSame(reconcile(labelled, []).create[0]?.metadata, {
    generateName: 'web-',
    namespace: 'default',
    labels: {
      team: 'a',
      'service.kubernetes.io/headless': '',
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    },
    ownerReferences: [
      {
        apiVersion: 'v1',
        kind: 'Service',
        name: 'web',
        uid: 'svc-uid',
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  });
});

test('a change of the Service’s labels is written to every slice, once', async (t) => {
  const before = applied(reconcile(service(), pods(150)));
  const plan = reconcile(service({}, { labels: { team: 'b' } }), pods(150), before);
  t.equal(plan.update.length, 2);
  const after = applied(plan, before);
  t.strictSame(writes(reconcile(service({}, { labels: { team: 'b' } }), pods(150), after)), [0, 0, 0]);
});

test('named ports: pods that mean different numbers get different slices', async (t) => {
  const named = service({ ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'web' }] });
  const plan = reconcile(named, [
    pod('a', { ip: ipAt(1), ports: [{ name: 'web', port: 8080 }] }),
    pod('b', { ip: ipAt(2), ports: [{ name: 'web', port: 9090 }] }),
    pod('c', { ip: ipAt(3), ports: [{ name: 'other', port: 1 }] }),
  ]);
  t.strictSame(
    plan.create.map(({ ports, endpoints }) => [ports?.map(({ port }) => port), endpoints?.[0]?.addresses[0]]),
    [
      [[8080], ipAt(1)],
      [[9090], ipAt(2)],
      [[], ipAt(3)],
    ],
  );
});

test('named ports of sidecar containers count, those of other init containers do not', async (t) => {
  const named = service({ ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'web' }] });
  const init = (restartPolicy: string | undefined) => (object: Pod) => {
    object.spec.initContainers = [
      {
        name: 'side',
        ports: [{ name: 'web', containerPort: 7070, protocol: 'TCP' }],
        ...(restartPolicy && { restartPolicy }),
      },
    ];
  };
  t.match(reconcile(named, [pod('a', {}, init('Always'))]).create[0]?.ports, [{ port: 7070 }]);
  t.strictSame(reconcile(named, [pod('a', {}, init(undefined))]).create[0]?.ports, []);
});

test('ports keep the Service’s order; a new order alone is not written', async (t) => {
  const two = [
    { name: 'http', port: 80, protocol: 'TCP' as const, targetPort: 8080 },
    { name: 'dns', port: 53, protocol: 'UDP' as const },
  ];
  const before = applied(reconcile(service({ ports: two }), pods(1)));
  t.strictSame(before[0]?.ports, [
    { name: 'http', port: 8080, protocol: 'TCP' },
    { name: 'dns', port: 53, protocol: 'UDP' },
  ]);
  t.strictSame(writes(reconcile(service({ ports: two.toReversed() }), pods(1), before)), [0, 0, 0]);
});

test('both families, each in its own slices', async (t) => {
  const dual = service({ ipFamilies: ['IPv4', 'IPv6'] });
  const both = pod('a', {}, (object) => {
    object.status = { ...object.status, podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] };
  });
  const plan = reconcile(dual, [both, pod('b', { ip: '10.0.0.2' })]);
  t.strictSame(
    plan.create.map(({ addressType, endpoints }) => [
      addressType,
      endpoints?.map(({ addresses }) => addresses[0]),
    ]),
    [
      ['IPv4', ['10.0.0.1', '10.0.0.2']],
      ['IPv6', ['fd00::1']],
    ],
  );
  const before = applied(plan);
  const single = reconcile(service(), [both, pod('b', { ip: '10.0.0.2' })], before);
  t.strictSame(writes(single), [0, 0, 1]);
  t.equal(single.delete[0]?.addressType, 'IPv6');
});

test('a hundred endpoints a slice', async (t) => {
  t.strictSame(sizes(reconcile(service(), pods(250)).create), [50, 100, 100]);
  t.strictSame(sizes(reconcile(service(), pods(7), [], { max: 3 }).create), [1, 3, 3]);
});

test('one more endpoint goes where there is room, in one write', async (t) => {
  const before = applied(reconcile(service(), pods(250)));
  const plan = reconcile(service(), pods(251), before);
  t.strictSame(writes(plan), [0, 1, 0]);
  t.strictSame(sizes(plan.update), [51]);
});

test('a slice that must be written anyway takes new endpoints first', async (t) => {
  const before = applied(reconcile(service(), pods(250)));
  const plan = reconcile(service(), [...pods(10), ...pods(239, 11), ...pods(1, 500)], before);
  t.equal(plan.update.length, 1, 'the slice that lost one gains the other');
  t.strictSame(sizes(plan.update), [100]);
});

test('among unchanged slices, the fullest with room for all takes what is left', async (t) => {
  const before = [
    ...applied(reconcile(service(), pods(60))),
    ...applied(reconcile(service(), pods(80, 100))).map((slice) => ({
      ...slice,
      metadata: { ...slice.metadata, name: 'second' },
    })),
  ];
  const plan = reconcile(service(), [...pods(60), ...pods(95, 100)], before);
  t.strictSame(sizes(plan.update), [95]);
  const tooMany = reconcile(service(), [...pods(60), ...pods(130, 100)], before);
  t.strictSame(
    [tooMany.create.length, tooMany.update.length],
    [1, 0],
    'fifty fit nowhere: a new slice, nothing rewritten',
  );
});

test('a removed endpoint rewrites its slice alone; an empty slice goes', async (t) => {
  const before = applied(reconcile(service(), pods(201)));
  const one = reconcile(service(), [...pods(100), ...pods(100, 101)], before);
  t.strictSame(writes(one), [0, 1, 0]);
  const gone = reconcile(service(), pods(200), before);
  t.strictSame(writes(gone), [0, 0, 1]);
});

test('a new port number for all rewrites the slices instead of making others', async (t) => {
  const before = applied(reconcile(service(), pods(150)));
  const changed = service({ ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 9999 }] });
  const plan = reconcile(changed, pods(150), before);
  t.strictSame(writes(plan), [0, 2, 0]);
  t.ok(plan.update.every(({ ports }) => ports?.[0]?.port === 9999));
});

test('the placeholder: made once, kept, filled, and made of what would be deleted', async (t) => {
  const empty = applied(reconcile(service(), []));
  t.strictSame([empty.length, empty[0]?.endpoints, empty[0]?.ports], [1, [], []]);
  t.strictSame(writes(reconcile(service(), [], empty)), [0, 0, 0]);
  const filled = reconcile(service(), pods(1), empty);
  t.strictSame(writes(filled), [0, 1, 0]);
  const full = applied(reconcile(service(), pods(150)));
  const emptied = reconcile(service(), [], full);
  t.strictSame([emptied.create.length, sizes(emptied.update), emptied.delete.length], [0, [0], 1]);
});

test('a Service that is going gets no new slices', async (t) => {
  const going = service({}, { deletionTimestamp: '2026-01-01T00:00:00Z' });
  t.strictSame(writes(reconcile(going, pods(3))), [0, 0, 0]);
});

test('slices of an earlier Service of this name change hands', async (t) => {
  const before = applied(reconcile(service({}, { uid: 'old' }), pods(3)));
  const plan = reconcile(service(), pods(3), before);
  t.equal(plan.update.length, 1);
  t.match(plan.update[0]?.metadata.ownerReferences, [{ uid: 'svc-uid' }]);
});

test('the trigger time is written with a change, goes with the next, and is no change itself', async (t) => {
  const time = '2026-01-01T00:00:05Z';
  const annotation = 'endpoints.kubernetes.io/last-change-trigger-time';
  const before = applied(reconcile(service(), pods(1), [], { triggerTime: time }));
  t.equal(before[0]?.metadata.annotations?.[annotation], time);
  t.strictSame(
    writes(reconcile(service(), pods(1), before, { triggerTime: '2026-01-01T00:00:09Z' })),
    [0, 0, 0],
  );
  const next = reconcile(service(), pods(2), before);
  t.strictSame(next.update[0]?.metadata.annotations, {});
});

test('a pod that came back under its name is another endpoint', async (t) => {
  const before = applied(reconcile(service(), pods(1)));
  const again = pod('web-0', { ip: ipAt(0) }, (object) => (object.metadata.uid = 'second life'));
  const plan = reconcile(service(), [again], before);
  t.match(plan.update[0]?.endpoints, [{ targetRef: { uid: 'second life' } }]);
});

test('two pods with the address of their node are two endpoints', async (t) => {
  const plan = reconcile(service(), [pod('a', { ip: '10.0.0.9' }), pod('b', { ip: '10.0.0.9' })]);
  t.equal(plan.create[0]?.endpoints?.length, 2);
});

test('a headless Service without ports still names its pods', async (t) => {
  const plan = reconcile(service({ clusterIP: 'None', ports: [] }), pods(2));
  t.strictSame([plan.create[0]?.ports, plan.create[0]?.endpoints?.length], [[], 2]);
});
