import type { Kind, KubernetesObject } from '@outrigger/core/api';
import {
  configMapKind,
  endpointsKind,
  endpointSliceKind,
  eventKind,
  leaseKind,
  metricsAdapterKind,
  namespaceKind,
  nodeKind,
  podKind,
  redisAmbassadorKind,
  serviceKind,
  trafficPolicyKind,
} from '@outrigger/core/api';
import { test } from 'tap';
import type { Loose } from '../fixtures.ts';
import { admitted, named, pod, policy, service, slice } from '../fixtures.ts';

const now = Date.UTC(2026, 0, 2, 3, 0, 0);

function row<T extends KubernetesObject>(kind: Kind<T>, object: Loose): Record<string, string | number> {
  const typed = admitted(kind, object);
  return Object.fromEntries(kind.columns.map((column) => [column.name, column.cell(typed, now)]));
}

test('Service', (t) => {
  t.same(row(serviceKind, service({ clusterIP: '10.96.0.1' })), {
    Type: 'ClusterIP',
    'Cluster-IP': '10.96.0.1',
    'External-IP': '<none>',
    'Port(s)': '80/TCP',
    Selector: 'app=web',
  });
  const ports = [
    { name: 'a', port: 80, nodePort: 30_080 },
    { name: 'b', port: 53, protocol: 'UDP' },
  ];
  t.match(row(serviceKind, service({ type: 'LoadBalancer', ports, selector: { b: '2', a: '1' } })), {
    'External-IP': '<pending>',
    'Port(s)': '80:30080/TCP,53/UDP',
    Selector: 'a=1,b=2',
  });
  t.match(row(serviceKind, service({ type: 'ExternalName', externalName: 'db', ports: [], selector: {} })), {
    'Cluster-IP': '<none>',
    'External-IP': 'db',
    'Port(s)': '<none>',
    Selector: '<none>',
  });
  t.match(row(serviceKind, service({ externalIPs: ['203.0.113.1'] })), { 'External-IP': '203.0.113.1' });
  const status = { loadBalancer: { ingress: [{ ip: '203.0.113.9' }, { hostname: 'lb' }] } };
  t.match(row(serviceKind, { ...service({ type: 'LoadBalancer', externalIPs: ['203.0.113.9'] }), status }), {
    'External-IP': '203.0.113.9,lb',
  });
  t.end();
});

test('Endpoints and EndpointSlice show the first three', (t) => {
  const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5'];
  const subset = { addresses: addresses.map((ip) => ({ ip })), ports: [{ port: 80 }] };
  t.same(row(endpointsKind, named({ subsets: [subset] })), {
    Endpoints: '10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more...',
  });
  t.same(row(endpointsKind, named({ subsets: [{ addresses: [{ ip: '2001:db8::1' }] }] })), {
    Endpoints: '[2001:db8::1]',
  });
  t.same(row(endpointsKind, named({})), { Endpoints: '<none>' });
  const endpoints = addresses.map((address) => ({ addresses: [address] }));
  t.same(row(endpointSliceKind, slice({ endpoints })), {
    AddressType: 'IPv4',
    Ports: '8080',
    Endpoints: '10.0.0.1,10.0.0.2,10.0.0.3 + 2 more...',
  });
  t.same(row(endpointSliceKind, slice({ endpoints: null, ports: null })), {
    AddressType: 'IPv4',
    Ports: '<unset>',
    Endpoints: '<unset>',
  });
  t.match(row(endpointSliceKind, slice({ ports: [{ name: 'any' }] })), { Ports: '*' });
  t.end();
});

test('Pod', (t) => {
  const status = (fields: Loose): Loose => ({ ...pod({ nodeName: 'n1' }), status: fields });
  const container = (fields: Loose): Loose => ({
    name: 'app',
    ready: true,
    restartCount: 2,
    image: '',
    imageID: '',
    ...fields,
  });
  t.same(row(podKind, status({ phase: 'Running', podIP: '10.0.0.1', containerStatuses: [container({})] })), {
    Ready: '1/1',
    Status: 'Running',
    Restarts: '2',
    IP: '10.0.0.1',
    Node: 'n1',
    'Nominated Node': '<none>',
    'Readiness Gates': '<none>',
  });
  t.match(row(podKind, pod()), {
    Ready: '0/1',
    Status: 'Pending',
    Restarts: '0',
    IP: '<none>',
    Node: '<none>',
  });
  const waiting = container({ ready: false, state: { waiting: { reason: 'CrashLoopBackOff' } } });
  t.match(row(podKind, status({ phase: 'Running', containerStatuses: [waiting] })), {
    Ready: '0/1',
    Status: 'CrashLoopBackOff',
  });
  t.match(row(podKind, status({ phase: 'Failed', reason: 'Lost' })), { Status: 'Lost' });
  t.match(row(podKind, { ...pod(), metadata: { name: 'web', deletionTimestamp: '2026-01-01T00:00:00Z' } }), {
    Status: 'Terminating',
  });
  const gated = {
    ...pod({ readinessGates: [{ conditionType: 'a' }, { conditionType: 'b' }] }),
    status: {
      conditions: [
        { type: 'a', status: 'True' },
        { type: 'b', status: 'False' },
      ],
    },
  };
  t.match(row(podKind, gated), { 'Readiness Gates': '1/2' });
  t.end();
});

test('Node', (t) => {
  const node = (spec: Loose, ready?: string, labels: Loose = {}): Loose => ({
    metadata: { name: 'n', labels },
    spec,
    status: {
      conditions: ready === undefined ? [] : [{ type: 'Ready', status: ready }],
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      nodeInfo: { kubeletVersion: 'v1.36.0' },
    },
  });
  t.same(row(nodeKind, node({}, 'True')), {
    Status: 'Ready',
    Roles: '<none>',
    Version: 'v1.36.0',
    'Internal-IP': '10.0.0.1',
    'External-IP': '<none>',
  });
  t.match(row(nodeKind, node({ unschedulable: true }, 'False')), { Status: 'NotReady,SchedulingDisabled' });
  const labels = { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/edge': '', other: '' };
  t.match(row(nodeKind, node({}, undefined, labels)), { Status: 'Unknown', Roles: 'edge,worker' });
  t.match(row(nodeKind, { metadata: { name: 'n' } }), { Version: '' });
  t.end();
});

test('Event tells ages, and falls back between the two forms of events', (t) => {
  const involvedObject = { kind: 'Pod', name: 'web', namespace: 'default' };
  const old = {
    involvedObject,
    type: 'Warning',
    reason: 'Unhealthy',
    message: ' probe failed\n',
    firstTimestamp: '2026-01-02T02:00:00Z',
    lastTimestamp: '2026-01-02T02:57:55Z',
    count: 3,
    source: { component: 'probe', host: 'n1' },
  };
  t.same(row(eventKind, named(old)), {
    'Last Seen': '2m5s',
    Type: 'Warning',
    Reason: 'Unhealthy',
    Object: 'pod/web',
    Source: 'probe, n1',
    Message: 'probe failed',
    'First Seen': '60m',
    Count: '3',
    Name: 'web',
  });
  const fresh = {
    involvedObject,
    eventTime: '2026-01-02T02:00:00.000000Z',
    series: { count: 7, lastObservedTime: '2026-01-02T02:59:30.000000Z' },
    reportingComponent: 'example.com/probe',
    reportingInstance: 'n2',
  };
  t.match(row(eventKind, named(fresh)), {
    'Last Seen': '30s',
    'First Seen': '60m',
    Count: '7',
    Source: 'example.com/probe, n2',
  });
  t.match(row(eventKind, named({ involvedObject: {} })), {
    'Last Seen': '<unknown>',
    Object: '',
    Count: '1',
  });
  t.ok(eventKind.wholeTable, 'its columns are the whole table');
  t.end();
});

test('the other kinds', (t) => {
  t.same(row(namespaceKind, { metadata: { name: 'a' } }), { Status: 'Active' });
  t.same(row(configMapKind, named({ data: { a: '', b: '' }, binaryData: { c: '' } })), { Data: '3' });
  t.same(row(configMapKind, named({})), { Data: '0' });
  t.same(row(leaseKind, named({ spec: { holderIdentity: 'me' } })), { Holder: 'me' });
  t.same(row(leaseKind, named({})), { Holder: '' });
  t.same(row(trafficPolicyKind, policy({ targetRefs: [{ name: 'a' }, { name: 'b' }] })), {
    Targets: 'a,b',
    Balancing: 'leastConnections',
  });
  t.same(row(redisAmbassadorKind, named({ spec: { primary: 'svc:a/b' } })), {
    Listen: '127.0.0.1:6379',
    Primary: 'svc:a/b',
    'Read-Policy': 'preferReplica',
  });
  t.same(row(metricsAdapterKind, named({ spec: {} })), {
    Listen: '127.0.0.1:9102',
    StatsD: '127.0.0.1:9125',
  });
  t.end();
});
