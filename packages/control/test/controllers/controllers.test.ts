/** The controllers together, from a change in the API to the slices and Endpoints it leads to. */

import { endpointsKind, endpointSliceKind, nodeKind, podKind, serviceKind } from '@outrigger/core/api';
import { test } from 'tap';
import { ipAt, Lab, podObject, serviceObject, setConditions } from './lab.ts';
import type { LabOptions } from './lab.ts';

const services: readonly (readonly [string, LabOptions])[] = [
  ['with a cache that shows writes at once', {}],
  ['with a cache that lags 50 ms', { lagMs: () => 50 }],
  ['in the true service', { service: true }],
];

for (const [name, lagging] of services) {
  /** Long enough for several rounds of lag, rest and retry. */
  const pass = 2;

  test(`a ready pod becomes an endpoint, ${name}`, async (t) => {
    const lab = await Lab.started(lagging);
    await lab.service('web');
    await lab.advance(pass);
    t.strictSame(
      lab.slicesOf('web').map(({ endpoints }) => endpoints),
      [[]],
      'a placeholder says that there are none',
    );
    await lab.pod('web-1', { ip: '10.0.0.1', node: 'node-a' });
    await lab.advance(pass);
    const pod = lab.get(podKind, 'web-1');
    const service = lab.get(serviceKind, 'web');
    t.equal(lab.slicesOf('web').length, 1);
    t.match(lab.slicesOf('web'), [
      {
        metadata: {
          generateName: 'web-',
          labels: {
            'kubernetes.io/service-name': 'web',
            'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
          },
          ownerReferences: [{ kind: 'Service', name: 'web', uid: service.metadata.uid, controller: true }],
        },
        addressType: 'IPv4',
        ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
        endpoints: [
          {
            addresses: ['10.0.0.1'],
            conditions: { ready: true, serving: true, terminating: false },
            nodeName: 'node-a',
            targetRef: { kind: 'Pod', namespace: 'default', name: 'web-1', uid: pod.metadata.uid },
          },
        ],
      },
    ]);
    t.match(lab.get(endpointsKind, 'web').subsets, [
      { addresses: [{ ip: '10.0.0.1', nodeName: 'node-a' }], ports: [{ name: 'http', port: 8080 }] },
    ]);
    await lab.close();
  });

  test(`a pod on its way out, ${name}`, async (t) => {
    const lab = await Lab.started(lagging);
    await lab.service('web');
    await lab.pod('web-1', { node: 'node-a' });
    await lab.advance(pass);
    await lab.api.deleteGracefully(podKind, lab.get(podKind, 'web-1'), 30);
    await lab.advance(pass);
    t.strictSame(
      lab.endpointsOf('web').map(({ conditions }) => conditions),
      [{ ready: false, serving: true, terminating: true }],
    );
    t.strictSame(lab.get(endpointsKind, 'web').subsets, [], 'Endpoints know no such state');
    await lab.remove(podKind, 'web-1');
    await lab.advance(pass);
    t.strictSame(lab.endpointsOf('web'), []);
    await lab.close();
  });

  test(`many pods at once, ${name}`, async (t) => {
    const lab = await Lab.started(lagging);
    await lab.service('web');
    await lab.advance(pass);
    lab.api.writes.splice(0);
    await Promise.all(
      Array.from({ length: 250 }, async (_, i) => {
        const pod = podObject(`web-${i}`, { ip: ipAt(i) });
        const created = await lab.api.create(podKind, pod);
        await lab.api.updateStatus(podKind, { ...created, ...(pod.status && { status: pod.status }) });
      }),
    );
    await lab.advance(5);
    t.equal(lab.readyOf('web').length, 250);
    t.strictSame(
      lab
        .slicesOf('web')
        .map(({ endpoints }) => endpoints?.length)
        .sort(),
      [100, 100, 50].sort(),
    );
    t.ok(lab.writesOf('EndpointSlice') <= 8, `${lab.writesOf('EndpointSlice')} slice writes for 250 pods`);
    t.ok(lab.writesOf('Endpoints') <= 4, `${lab.writesOf('Endpoints')} Endpoints writes for 250 pods`);
    await lab.close();
  });

  test(`what others do to our slices is undone, ${name}`, async (t) => {
    const lab = await Lab.started(lagging);
    await lab.service('web');
    await lab.pod('web-1');
    await lab.advance(pass);
    const slice = lab.slicesOf('web')[0]?.metadata.name ?? '';
    await lab.change(endpointSliceKind, slice, (object) => {
      object.endpoints = [];
      object.metadata.labels = { ...object.metadata.labels, extra: 'yes' };
    });
    await lab.advance(pass);
    t.strictSame(lab.readyOf('web'), ['10.0.0.1']);
    t.equal(lab.slicesOf('web')[0]?.metadata.labels?.['extra'], undefined);
    await lab.remove(endpointSliceKind, slice);
    await lab.advance(pass);
    t.strictSame(lab.readyOf('web'), ['10.0.0.1']);
    await lab.close();
  });

  test(`hand-written Endpoints are mirrored, ${name}`, async (t) => {
    const lab = await Lab.started(lagging);
    await lab.create(serviceKind, withoutSelector('legacy'));
    await lab.create(endpointsKind, {
      metadata: { name: 'legacy', namespace: 'default', labels: { team: 'a' } },
      subsets: [
        {
          addresses: [{ ip: '192.0.2.1' }],
          notReadyAddresses: [{ ip: '192.0.2.2' }],
          ports: [{ port: 5432, protocol: 'TCP' }],
        },
      ],
    });
    await lab.advance(pass);
    t.equal(lab.slicesOf('legacy').length, 1);
    t.equal(lab.endpointsOf('legacy').length, 2);
    t.match(lab.slicesOf('legacy'), [
      {
        metadata: {
          labels: {
            team: 'a',
            'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
          },
          ownerReferences: [{ kind: 'Endpoints', name: 'legacy' }],
        },
        ports: [{ name: '', port: 5432, protocol: 'TCP' }],
        endpoints: [
          { addresses: ['192.0.2.1'], conditions: { ready: true } },
          { addresses: ['192.0.2.2'], conditions: { ready: false } },
        ],
      },
    ]);
    await lab.change(endpointsKind, 'legacy', (object) => {
      object.subsets = [{ addresses: [{ ip: '192.0.2.9' }], ports: [{ port: 5432, protocol: 'TCP' }] }];
    });
    await lab.advance(pass);
    t.strictSame(lab.readyOf('legacy'), ['192.0.2.9']);
    await lab.change(endpointsKind, 'legacy', (object) => {
      object.metadata.labels = { 'endpointslice.kubernetes.io/skip-mirror': 'true' };
    });
    await lab.advance(pass);
    t.strictSame(lab.slicesOf('legacy'), []);
    t.strictSame(
      lab.get(endpointsKind, 'legacy').subsets?.length,
      1,
      'the Endpoints themselves are left alone',
    );
    await lab.close();
  });

  test(`a Service that goes takes what it owns along, ${name}`, async (t) => {
    const lab = await Lab.started(lagging);
    await lab.service('web');
    await lab.pod('web-1');
    await lab.create(serviceKind, withoutSelector('legacy'));
    await lab.create(endpointsKind, {
      metadata: { name: 'legacy', namespace: 'default' },
      subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 5432, protocol: 'TCP' }] }],
    });
    await lab.advance(pass);
    await lab.remove(serviceKind, 'web');
    await lab.remove(serviceKind, 'legacy');
    await lab.advance(pass);
    t.strictSame(lab.api.list(endpointSliceKind), []);
    t.strictSame(lab.api.list(endpointsKind), []);
    t.ok(lab.find(podKind, 'web-1'), 'pods are nobody’s');
    await lab.close();
  });

  test(`a Service deleted and made anew has its slices again, ${name}`, async (t) => {
    const lab = await Lab.started(lagging);
    await lab.service('web');
    await lab.pod('web-1');
    await lab.advance(pass);
    await lab.api.delete(serviceKind, lab.get(serviceKind, 'web'));
    const again = await lab.api.create(serviceKind, serviceObject('web'));
    await lab.advance(pass);
    t.strictSame(lab.readyOf('web'), ['10.0.0.1']);
    t.ok(
      lab.slicesOf('web').every(({ metadata }) => metadata.ownerReferences?.[0]?.uid === again.metadata.uid),
    );
    await lab.advance(60);
    t.strictSame(lab.readyOf('web'), ['10.0.0.1'], 'and keeps them');
    await lab.close();
  });
}

test('one change is written in the same moment, without waiting', async (t) => {
  const lab = await Lab.started();
  await lab.service('web');
  await lab.pod('web-1', { ready: false });
  await lab.advance(10);
  const before = lab.clock.now();
  await lab.change(podKind, 'web-1', (pod) => setConditions(pod, ['Ready'], 'True'));
  t.strictSame(lab.readyOf('web'), ['10.0.0.1']);
  t.match(lab.get(endpointsKind, 'web').subsets, [{ addresses: [{ ip: '10.0.0.1' }] }]);
  t.equal(lab.clock.now(), before);
  await lab.stop();
});

test('under steady change, writes are bounded by the rest of the Service', async (t) => {
  const lab = await Lab.started({ controllers: { restPerSliceMs: 100 } });
  await lab.service('web');
  await lab.pod('web-1');
  await lab.advance(1);
  lab.api.writes.splice(0);
  for (let i = 0; i < 1_000; i += 1) {
    await lab.change(
      podKind,
      'web-1',
      (pod) => (pod.status = { ...pod.status, podIP: ipAt(i), podIPs: [{ ip: ipAt(i) }] }),
    );
    await lab.clock.advance(1);
  }
  await lab.advance(1);
  t.ok(
    lab.writesOf('EndpointSlice') <= 11,
    `${lab.writesOf('EndpointSlice')} writes in one second of 1000 changes`,
  );
  t.strictSame(lab.readyOf('web'), [ipAt(999)], 'and the last state is written');
  await lab.stop();
});

test('a change that changes no endpoint writes nothing', async (t) => {
  const lab = await Lab.started();
  await lab.service('web');
  await lab.pod('web-1');
  await lab.advance(1);
  lab.api.writes.splice(0);
  const syncs = 'outrigger_controller_sync_duration_seconds_count{controller="endpointslice"}';
  const before = await lab.metric(syncs);
  await lab.change(podKind, 'web-1', (pod) => (pod.metadata.annotations = { note: 'x' }));
  t.equal(await lab.metric(syncs), before, 'nor is the Service looked at for what is no part of an endpoint');
  await lab.change(serviceKind, 'web', (service) => (service.metadata.annotations = { note: 'x' }));
  await lab.advance(10);
  t.strictSame([lab.writesOf('EndpointSlice'), lab.writesOf('Endpoints')], [0, 0]);
  await lab.stop();
});

test('zones come from nodes, also when they come late', async (t) => {
  const lab = await Lab.started();
  await lab.service('web', { trafficDistribution: 'PreferClose' });
  await lab.pod('web-1', { node: 'node-a' });
  t.equal(lab.endpointsOf('web')[0]?.zone, undefined);
  await lab.create(nodeKind, {
    metadata: { name: 'node-a', labels: { 'topology.kubernetes.io/zone': 'z1' } },
    spec: {},
  });
  await lab.advance(1);
  t.match(lab.endpointsOf('web'), [{ zone: 'z1', hints: { forZones: [{ name: 'z1' }] } }]);
  await lab.stop();
});

test('a Service without a selector, or of type ExternalName, is left alone', async (t) => {
  const lab = await Lab.started();
  await lab.create(serviceKind, withoutSelector('manual'));
  await lab.service('far', { type: 'ExternalName', externalName: 'example.com' });
  await lab.pod('far-1');
  await lab.advance(1);
  t.strictSame(lab.api.list(endpointSliceKind), []);
  t.strictSame(lab.api.list(endpointsKind), []);
  await lab.stop();
});

test('changes of labels and selectors move pods between Services', async (t) => {
  const lab = await Lab.started();
  await lab.service('blue');
  await lab.service('green');
  await lab.pod('x-1', { labels: { app: 'blue' }, ip: '10.0.0.1' });
  await lab.pod('y-1', { labels: { app: 'other' }, ip: '10.0.0.2' });
  await lab.advance(1);
  t.strictSame([lab.readyOf('blue'), lab.readyOf('green')], [['10.0.0.1'], []]);
  await lab.change(podKind, 'x-1', (pod) => (pod.metadata.labels = { app: 'green' }));
  await lab.advance(1);
  t.strictSame([lab.readyOf('blue'), lab.readyOf('green')], [[], ['10.0.0.1']]);
  await lab.change(serviceKind, 'blue', (service) => (service.spec.selector = { app: 'other' }));
  await lab.advance(1);
  t.strictSame([lab.readyOf('blue'), lab.readyOf('green')], [['10.0.0.2'], ['10.0.0.1']]);
  await lab.stop();
});

test('failed writes are tried again, at growing distances, until they succeed', async (t) => {
  const lab = await Lab.started();
  const tries: number[] = [];
  lab.api.onWrite = ({ kind }) => {
    if (kind !== 'EndpointSlice') return;
    tries.push(lab.clock.now());
    if (tries.length <= 8) throw new Error('disk full');
  };
  await lab.service('web');
  await lab.pod('web-1');
  await lab.advance(60);
  t.strictSame(lab.readyOf('web'), ['10.0.0.1']);
  const gaps = tries.slice(1, 9).map((at, index) => at - (tries[index] ?? 0));
  t.ok(
    gaps.every((gap, index) => gap > (gaps[index - 1] ?? 0)),
    `waits grow: ${gaps.map(Math.round).join(', ')} ms`,
  );
  t.equal(
    await lab.metric('outrigger_controller_sync_failures_total{controller="endpointslice",reason="error"}'),
    8,
  );
  await lab.stop();
});

test('on a restart, what is right is not written again, and what went wrong meanwhile is mended', async (t) => {
  const lab = await Lab.started();
  await lab.service('web');
  await lab.service('gone');
  await lab.pod('web-1', { ip: '10.0.0.1' });
  await lab.advance(1);
  await lab.stop();
  await lab.remove(serviceKind, 'gone');
  lab.api.writes.splice(0);
  await lab.start();
  await lab.advance(60);
  t.strictSame(lab.readyOf('web'), ['10.0.0.1']);
  t.strictSame(lab.slicesOf('gone'), []);
  t.equal(lab.find(endpointsKind, 'gone'), undefined);
  t.strictSame(
    lab.api.writes.map(({ verb, kind }) => `${verb} ${kind}`).sort(),
    ['delete EndpointSlice', 'delete Endpoints'],
    'nothing else was written',
  );
  await lab.stop();
});

test('Endpoints that wait for their Service, or are a lock, are not taken for orphans', async (t) => {
  const lab = await Lab.open();
  await lab.create(endpointsKind, {
    metadata: {
      name: 'lock',
      namespace: 'default',
      annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' },
    },
  });
  await lab.start();
  await lab.create(endpointsKind, { metadata: { name: 'early', namespace: 'default' } });
  await lab.advance(120);
  t.strictSame(
    lab.api
      .list(endpointsKind)
      .map(({ metadata }) => metadata.name)
      .sort(),
    ['early', 'lock'],
  );
  await lab.stop();
});

test('a cache that never shows a write does not stop the Service for ever', async (t) => {
  let lag = 0;
  const lab = await Lab.started({ lagMs: () => lag });
  await lab.service('web');
  await lab.pod('web-1', { ip: '10.0.0.1' });
  await lab.advance(1);
  lag = 8_000;
  await lab.pod('web-2', { ip: '10.0.0.2' });
  await lab.advance(60);
  t.strictSame(lab.readyOf('web'), ['10.0.0.1', '10.0.0.2']);
  t.ok((await lab.metric('outrigger_controller_stale_cache_waits_total{controller="endpointslice"}')) >= 0);
  await lab.stop();
});

test('closing stops everything', async (t) => {
  const lab = await Lab.started();
  await lab.service('web');
  await lab.stop();
  lab.api.writes.splice(0);
  await lab.pod('web-1');
  await lab.advance(60);
  t.strictSame([lab.writesOf('EndpointSlice'), lab.writesOf('Endpoints')], [0, 0]);
  t.equal(lab.clock.pending, 0, 'no timer is left');
});

function withoutSelector(name: string) {
  const service = serviceObject(name);
  delete service.spec.selector;
  return service;
}
