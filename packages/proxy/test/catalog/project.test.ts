/** Projections: what is kept of each object, what is ignored, and that nothing odd in an object breaks them. */

import { test } from 'tap';
import type { EndpointSlice, Node, Service, TrafficPolicy } from '@outrigger/core/api';
import { projectNode, projectPolicy, projectService, projectSlice } from '../../src/catalog/index.ts';
import type { NodeFields, PolicyFields, ServiceFields, SliceFields } from '../../src/catalog/index.ts';
import { service, slice } from '../objects.ts';

test('API objects are accepted as they are', (t) => {
  // Assignability is what this test is about: it fails in the type check.
  const accepted: [
    Service extends ServiceFields ? true : false,
    EndpointSlice extends SliceFields ? true : false,
    Node extends NodeFields ? true : false,
    TrafficPolicy extends PolicyFields ? true : false,
  ] = [true, true, true, true];
  t.same(accepted, [true, true, true, true]);
  t.end();
});

test('a Service keeps what traffic depends on', (t) => {
  const record = projectService(
    service(
      'shop/web',
      {
        type: 'LoadBalancer',
        clusterIP: '010.96.0.1',
        clusterIPs: ['010.96.0.1', 'FD00::1'],
        ports: [{ name: 'http', port: 80, nodePort: 30080, appProtocol: 'http', protocol: 'TCP' }],
        externalIPs: ['192.0.2.1', '192.0.2.01'],
        loadBalancerSourceRanges: [' 10.0.0.0/8'],
        externalTrafficPolicy: 'Local',
        healthCheckNodePort: 32000,
        sessionAffinity: 'ClientIP',
      },
      { status: { loadBalancer: { ingress: [{ ip: '198.51.100.7' }] } } },
    ),
  );
  t.same(record, {
    namespace: 'shop',
    name: 'web',
    type: 'LoadBalancer',
    headless: false,
    clusterIPs: ['10.96.0.1', 'fd00::1'],
    families: ['IPv4', 'IPv6'],
    ports: [{ name: 'http', protocol: 'TCP', port: 80, nodePort: 30080, appProtocol: 'http' }],
    externalIPs: ['192.0.2.1'],
    loadBalancerIPs: ['198.51.100.7'],
    sourceRanges: ['10.0.0.0/8'],
    internalTrafficPolicy: 'Cluster',
    externalTrafficPolicy: 'Local',
    affinitySeconds: 10_800,
    healthCheckNodePort: 32000,
  });
  t.same(JSON.parse(JSON.stringify(record)), record, 'a record survives the snapshot');
  t.end();
});

test('a Service of another proxy is none of ours', (t) => {
  const labels = { 'service.kubernetes.io/service-proxy-name': '' };
  t.equal(projectService(service('a/b', {}, { metadata: { namespace: 'a', name: 'b', labels } })), undefined);
  t.end();
});

test('headless, unallocated and ExternalName Services have no address', (t) => {
  const labels = { 'service.kubernetes.io/headless': '' };
  const labelled = projectService(service('a/b', {}, { metadata: { namespace: 'a', name: 'b', labels } }));
  t.match(labelled, { headless: true, clusterIPs: [] }, 'by label');
  const none = projectService(service('a/b', { clusterIP: 'None', ipFamilies: ['IPv6'] }));
  t.match(none, { headless: true, clusterIPs: [], families: ['IPv6'] }, 'by clusterIP None');
  const pending = projectService(service('a/b', { clusterIP: '' }));
  t.match(pending, { headless: false, clusterIPs: [] }, 'not allocated yet');
  const external = projectService(service('a/b', { type: 'ExternalName' }));
  t.match(external, { type: 'ExternalName', clusterIPs: [], ports: [] });
  t.end();
});

test('load-balancer ingress: ipMode Proxy and host names are not ours', (t) => {
  const record = projectService(
    service(
      'a/b',
      { type: 'LoadBalancer' },
      {
        status: {
          loadBalancer: {
            ingress: [
              { ip: '1.2.3.4', ipMode: 'VIP' },
              { ip: '1.2.3.5', ipMode: 'Proxy' },
              { ip: '1.2.3.6' },
              {},
            ],
          },
        },
      },
    ),
  );
  t.same(record?.loadBalancerIPs, ['1.2.3.4', '1.2.3.6']);
  t.end();
});

test('source ranges that are all unreadable shut everyone out', (t) => {
  const record = projectService(service('a/b', { loadBalancerSourceRanges: ['everyone'] }));
  t.same(record?.sourceRanges, ['0.0.0.0/32', '::/128']);
  t.match(record?.problems, [/source range "everyone" ignored/]);
  t.end();
});

test('a health-check port counts only for a Local load balancer', (t) => {
  const spec = { healthCheckNodePort: 32000, externalTrafficPolicy: 'Local' };
  t.equal(projectService(service('a/b', { ...spec, type: 'LoadBalancer' }))?.healthCheckNodePort, 32000);
  t.equal(projectService(service('a/b', { ...spec, type: 'NodePort' }))?.healthCheckNodePort, 0);
  t.end();
});

test('bad parts of a Service are left out and named', (t) => {
  const record = projectService(
    service('a/b', {
      ports: [
        { name: 'x', port: 0 },
        { name: 'y', port: 1, protocol: 'QUIC' },
        { name: 'z', port: 2 },
      ],
      externalIPs: ['nowhere'],
    }),
  );
  t.same(
    record?.ports.map((port) => port.name),
    ['z'],
  );
  t.match(record?.problems, [
    /port x ignored: no number/,
    /port y ignored: protocol QUIC/,
    /externalIP "nowhere"/,
  ]);
  t.end();
});

test('a slice keeps the first address, conditions with their defaults, and hints', (t) => {
  const record = projectSlice(
    slice('shop/web-1', [
      {
        addresses: ['10.0.0.01', '10.9.9.9'],
        nodeName: 'n1',
        zone: 'z1',
        hints: { forZones: [{ name: 'z1' }], forNodes: [{ name: 'n1' }] },
        targetRef: { kind: 'Pod', name: 'web-abc' },
      },
      { addresses: ['10.0.0.2'], conditions: { ready: false, terminating: true } },
      { addresses: ['10.0.0.3'], conditions: { ready: false, serving: true, terminating: true } },
    ]),
  );
  t.equal(record?.service, 'shop/web');
  t.same(record?.endpoints[0], {
    address: '10.0.0.1',
    ready: true,
    serving: true,
    terminating: false,
    node: 'n1',
    zone: 'z1',
    nodeHints: ['n1'],
    zoneHints: ['z1'],
    target: 'Pod/web-abc',
  });
  t.match(record?.endpoints[1], { ready: false, serving: false, terminating: true }, 'serving follows ready');
  t.match(record?.endpoints[2], { ready: false, serving: true, terminating: true });
  t.same(JSON.parse(JSON.stringify(record)), record, 'a record survives the snapshot');
  t.end();
});

test('slices that cannot be joined are ignored', (t) => {
  t.equal(
    projectSlice(slice('a/b-1', ['10.0.0.1'], { metadata: { namespace: 'a', name: 'b-1', labels: {} } })),
    undefined,
  );
  const empty = { 'kubernetes.io/service-name': '' };
  t.equal(
    projectSlice(slice('a/b-1', [], { metadata: { namespace: 'a', name: 'b-1', labels: empty } })),
    undefined,
  );
  t.equal(projectSlice(slice('a/b-1', ['web.example'], { addressType: 'FQDN' })), undefined);
  t.equal(projectSlice({ addressType: 'IPv4' }), undefined);
  t.end();
});

test('bad parts of a slice are left out and named', (t) => {
  const record = projectSlice(
    slice('a/b-1', ['fd00::1', 'localhost', { addresses: [] }, '10.0.0.1'], {
      ports: [
        { port: 80 },
        { name: 'x', port: null },
        { name: 'y', port: 1, protocol: 'DCCP' },
        { name: '', port: 2 },
      ],
    }),
  );
  t.same(
    record?.endpoints.map((endpoint) => endpoint.address),
    ['10.0.0.1'],
  );
  t.same(record?.ports, [{ name: '', protocol: 'TCP', port: 2 }]);
  t.equal(record?.problems?.length, 6);
  t.match(record?.problems, [
    /has no name/,
    /has no number/,
    /DCCP/,
    /not IPv4/,
    /not an IP address/,
    /no address/,
  ]);
  t.end();
});

test('the change time of a slice is read, and 0 when it is not a time', (t) => {
  const at = (text: string): SliceFields => {
    const annotations = { 'endpoints.kubernetes.io/last-change-trigger-time': text };
    const labels = { 'kubernetes.io/service-name': 'b' };
    return slice('a/b-1', [], { metadata: { namespace: 'a', name: 'b-1', labels, annotations } });
  };
  t.equal(projectSlice(at('2026-01-01T00:00:00Z'))?.changedAtMs, Date.UTC(2026, 0, 1));
  t.equal(projectSlice(at('yesterday'))?.changedAtMs, 0);
  t.end();
});

test('a Node keeps its zone, pod ranges, addresses and whether it is leaving', (t) => {
  const node: NodeFields = {
    metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'z1' } },
    spec: { podCIDR: '10.244.0.0/24', podCIDRs: ['10.244.0.0/24', 'fd00::/64'], taints: [{ key: 'other' }] },
    status: {
      addresses: [
        { type: 'ExternalIP', address: '198.51.100.1' },
        { type: 'Hostname', address: 'n1' },
        { type: 'InternalIP', address: '192.168.0.2' },
      ],
    },
  };
  t.same(projectNode(node), {
    name: 'n1',
    zone: 'z1',
    podCIDRs: ['10.244.0.0/24', 'fd00::/64'],
    addresses: ['192.168.0.2', '198.51.100.1'],
    leaving: false,
  });
  const tainted = { ...node, spec: { taints: [{ key: 'ToBeDeletedByClusterAutoscaler' }] } };
  t.equal(projectNode(tainted)?.leaving, true);
  t.equal(
    projectNode({ metadata: { name: 'n1', deletionTimestamp: '2026-01-01T00:00:00Z' } })?.leaving,
    true,
  );
  t.end();
});

test('a TrafficPolicy becomes settings in milliseconds; wrong values are left out and named', (t) => {
  const policy: PolicyFields = {
    metadata: { namespace: 'a', name: 'p', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: {
      targetRefs: [
        { group: '', kind: 'Service', name: 'b', sectionName: 'http' },
        { group: 'apps', kind: 'Deployment', name: 'c' },
      ],
      balancing: 'roundRobin',
      connectTimeout: '250ms',
      idleTimeout: 'soon',
      connectionLimit: { total: 10, perEndpoint: -1 },
      ejection: { baseEjectionTime: '1m' },
    },
  };
  const record = projectPolicy(policy);
  t.same(record?.targets, [{ service: 'a/b', port: 'http' }]);
  t.same(record?.settings, {
    balancing: 'roundRobin',
    connectTimeoutMs: 250,
    maxConnections: 10,
    baseEjectionMs: 60_000,
  });
  t.match(record?.problems, [/idleTimeout ignored: "soon"/, /connectionLimit.perEndpoint ignored: -1/]);
  t.equal(record?.createdAtMs, Date.UTC(2026, 0, 1));
  t.end();
});

test('empty and null objects project to nothing, without an error', (t) => {
  for (const empty of [{}, { metadata: null }, { metadata: { name: 'x' } }]) {
    t.equal(projectService(empty), undefined);
    t.equal(projectSlice(empty), undefined);
    t.equal(projectPolicy(empty), undefined);
  }
  t.equal(projectNode({ metadata: null }), undefined);
  t.same(projectService({ metadata: { name: 'x', namespace: 'y' }, spec: null, status: null })?.ports, []);
  t.same(projectNode({ metadata: { name: 'x' }, spec: null, status: null })?.addresses, []);
  t.end();
});
