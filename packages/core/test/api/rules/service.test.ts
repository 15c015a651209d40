import { serviceKind } from '@outrigger/core/api';
import { test } from 'tap';
import type { Loose } from '../fixtures.ts';
import { problems, service, where } from '../fixtures.ts';

const of = (spec: Loose): string[] => problems(serviceKind, service(spec));
const port = (fields: Loose): Loose => ({ ports: [{ port: 80, ...fields }] });

const accepted: Record<string, Loose> = {
  minimal: {},
  'several ports': {
    ports: [
      { name: 'http', port: 80, targetPort: 'web' },
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53 },
    ],
  },
  'an application protocol': port({ appProtocol: 'kubernetes.io/h2c' }),
  'a given address': { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'], ipFamilies: ['IPv4'] },
  'two families': {
    clusterIP: '10.96.0.9',
    clusterIPs: ['10.96.0.9', 'fd00::9'],
    ipFamilies: ['IPv4', 'IPv6'],
    ipFamilyPolicy: 'RequireDualStack',
  },
  headless: { clusterIP: 'None', clusterIPs: ['None'] },
  'headless without ports': { clusterIP: 'None', clusterIPs: ['None'], ports: [] },
  'without a selector': { selector: undefined },
  'node ports': { type: 'NodePort', ...port({ nodePort: 30_080 }) },
  'one node port for two protocols': {
    type: 'NodePort',
    ports: [
      { name: 'a', port: 53, nodePort: 30_053 },
      { name: 'b', port: 53, protocol: 'UDP', nodePort: 30_053 },
    ],
  },
  'a load balancer': {
    type: 'LoadBalancer',
    loadBalancerSourceRanges: ['10.0.0.0/8', ' 192.168.0.0/16 '],
    loadBalancerClass: 'example.com/lb',
    externalTrafficPolicy: 'Local',
    healthCheckNodePort: 30_099,
  },
  'an external name': { type: 'ExternalName', externalName: 'db.example.com.', ports: [] },
  affinity: { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_400 } } },
  'external addresses': { externalIPs: ['203.0.113.7', '2001:db8::7'], externalTrafficPolicy: 'Local' },
  'a traffic distribution': { trafficDistribution: 'PreferSameZone' },
};

for (const [name, spec] of Object.entries(accepted)) {
  test(`accepts ${name}`, (t) => {
    t.same(of(spec), []);
    t.end();
  });
}

const refused: [string, Loose, string[]][] = [
  ['no ports', { ports: [] }, ['Required spec.ports']],
  ['port 0', port({ port: 0, targetPort: 1 }), ['Invalid spec.ports[0].port']],
  ['port 65536', port({ port: 65_536, targetPort: 1 }), ['Invalid spec.ports[0].port']],
  ['a missing port', { ports: [{ targetPort: 1 }] }, ['Required spec.ports[0].port']],
  ['an unknown protocol', port({ protocol: 'ICMP' }), ['NotSupported spec.ports[0].protocol']],
  ['targetPort 65536', port({ targetPort: 65_536 }), ['Invalid spec.ports[0].targetPort']],
  [
    'a targetPort name that is too long',
    port({ targetPort: 'a'.repeat(16) }),
    ['Invalid spec.ports[0].targetPort'],
  ],
  ['a targetPort of digits in quotes', port({ targetPort: '80' }), ['Invalid spec.ports[0].targetPort']],
  ['a bad application protocol', port({ appProtocol: 'a b' }), ['Invalid spec.ports[0].appProtocol']],
  ['a bad port name', port({ name: 'Web' }), ['Invalid spec.ports[0].name']],
  [
    'two ports without names',
    { ports: [{ port: 1 }, { port: 2 }] },
    ['Required spec.ports[0].name', 'Required spec.ports[1].name'],
  ],
  [
    'one name twice',
    {
      ports: [
        { name: 'a', port: 1 },
        { name: 'a', port: 2 },
      ],
    },
    ['Duplicate spec.ports[1].name'],
  ],
  [
    'one port twice',
    {
      ports: [
        { name: 'a', port: 1 },
        { name: 'b', port: 1 },
        { name: 'c', port: 1, protocol: 'UDP' },
      ],
    },
    ['Duplicate spec.ports[1]'],
  ],
  [
    'one node port twice',
    {
      type: 'NodePort',
      ports: [
        { name: 'a', port: 1, nodePort: 30_000 },
        { name: 'b', port: 2, nodePort: 30_000 },
      ],
    },
    ['Duplicate spec.ports[1].nodePort'],
  ],
  ['a node port of a ClusterIP', port({ nodePort: 30_000 }), ['Forbidden spec.ports[0].nodePort']],
  [
    'a node port above all ports',
    { type: 'NodePort', ...port({ nodePort: 70_000 }) },
    ['Invalid spec.ports[0].nodePort'],
  ],
  ['an unknown type', { type: 'Magic' }, ['NotSupported spec.type']],
  [
    'a bad selector',
    { selector: { 'a b': 'x', a: 'x y' } },
    ['Invalid spec.selector', 'Invalid spec.selector'],
  ],
  [
    'a headless NodePort',
    { type: 'NodePort', clusterIP: 'None', clusterIPs: ['None'] },
    ['Invalid spec.clusterIPs[0]'],
  ],
  [
    'a headless LoadBalancer',
    { type: 'LoadBalancer', clusterIP: 'None', clusterIPs: ['None'] },
    ['Invalid spec.clusterIPs[0]'],
  ],
  [
    "the kubelet's port on a load balancer",
    { type: 'LoadBalancer', ...port({ port: 10_250 }) },
    ['Invalid spec.ports[0]'],
  ],
  ['an address that is none', { clusterIP: 'web', clusterIPs: ['web'] }, ['Invalid spec.clusterIPs[0]']],
  [
    'None among addresses',
    { clusterIP: 'None', clusterIPs: ['None', '10.96.0.1'] },
    ['Invalid spec.clusterIPs'],
  ],
  ['a pair that differs', { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.2'] }, ['Invalid spec.clusterIPs']],
  ['an address without its list', { clusterIP: '10.96.0.1' }, ['Required spec.clusterIPs']],
  ['a list without its first', { clusterIPs: ['10.96.0.2'] }, ['Invalid spec.clusterIPs']],
  [
    'three addresses',
    { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1', 'fd00::1', '10.96.0.2'] },
    ['Invalid spec.clusterIPs'],
  ],
  [
    'two addresses of one family',
    { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1', '10.96.0.2'] },
    ['Invalid spec.clusterIPs'],
  ],
  [
    'an address of the other family',
    { clusterIP: 'fd00::1', clusterIPs: ['fd00::1'], ipFamilies: ['IPv4'] },
    ['Invalid spec.clusterIPs[0]'],
  ],
  ['a family twice', { ipFamilies: ['IPv4', 'IPv4'] }, ['Duplicate spec.ipFamilies[1]']],
  ['an unknown family', { ipFamilies: ['IPX'] }, ['NotSupported spec.ipFamilies[0]']],
  ['an unknown family policy', { ipFamilyPolicy: 'Any' }, ['NotSupported spec.ipFamilyPolicy']],
  ['an external name without a name', { type: 'ExternalName', ports: [] }, ['Required spec.externalName']],
  [
    'an external name that is none',
    { type: 'ExternalName', externalName: 'a_b' },
    ['Invalid spec.externalName'],
  ],
  [
    'addresses of an external name',
    {
      type: 'ExternalName',
      externalName: 'a',
      clusterIPs: ['10.96.0.1'],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    },
    ['Forbidden spec.clusterIPs', 'Forbidden spec.ipFamilies', 'Forbidden spec.ipFamilyPolicy'],
  ],
  ['an external address that is none', { externalIPs: ['web'] }, ['Invalid spec.externalIPs[0]']],
  [
    'external addresses of this machine',
    { externalIPs: ['127.0.0.1', '0.0.0.0', '169.254.1.1', '224.0.0.1'] },
    [
      'Invalid spec.externalIPs[0]',
      'Invalid spec.externalIPs[1]',
      'Invalid spec.externalIPs[2]',
      'Invalid spec.externalIPs[3]',
    ],
  ],
  ['unknown affinity', { sessionAffinity: 'Cookie' }, ['NotSupported spec.sessionAffinity']],
  [
    'affinity for no time',
    { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } } },
    ['Invalid spec.sessionAffinityConfig.clientIP.timeoutSeconds'],
  ],
  [
    'affinity for more than a day',
    { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_401 } } },
    ['Invalid spec.sessionAffinityConfig.clientIP.timeoutSeconds'],
  ],
  [
    'an external policy without an outside',
    { externalTrafficPolicy: 'Local' },
    ['Invalid spec.externalTrafficPolicy'],
  ],
  [
    'unknown policies',
    { externalTrafficPolicy: 'Near', internalTrafficPolicy: 'Near' },
    ['NotSupported spec.externalTrafficPolicy', 'NotSupported spec.internalTrafficPolicy'],
  ],
  ['an unknown distribution', { trafficDistribution: 'Near' }, ['NotSupported spec.trafficDistribution']],
  [
    'a health check port without a load balancer',
    { healthCheckNodePort: 30_000 },
    ['Invalid spec.healthCheckNodePort'],
  ],
  [
    'a health check port above all ports',
    { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 70_000 },
    ['Invalid spec.healthCheckNodePort'],
  ],
  [
    'bad source ranges',
    { type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/8', 'x'] },
    ['Invalid spec.loadBalancerSourceRanges[1]'],
  ],
  [
    'a bad load balancer class',
    { type: 'LoadBalancer', loadBalancerClass: 'a b' },
    ['Invalid spec.loadBalancerClass'],
  ],
  [
    'load balancer fields of another type',
    { loadBalancerSourceRanges: ['10.0.0.0/8'], loadBalancerClass: 'a', allocateLoadBalancerNodePorts: true },
    [
      'Forbidden spec.loadBalancerSourceRanges',
      'Forbidden spec.allocateLoadBalancerNodePorts',
      'Forbidden spec.loadBalancerClass',
    ],
  ],
];

for (const [name, spec, want] of refused) {
  test(`refuses ${name}`, (t) => {
    t.same(where(of(spec)), want);
    t.end();
  });
}

test('the texts people search for', (t) => {
  t.same(of(port({ nodePort: 30_000 })), [
    "Forbidden spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
  ]);
  t.same(
    of({
      ports: [
        { name: 'a', port: 1 },
        { name: 'b', port: 1 },
      ],
    }),
    ['Duplicate spec.ports[1]: Duplicate value: {"protocol":"TCP","port":1}'],
  );
  t.same(of({ type: 'LoadBalancer', clusterIP: 'None', clusterIPs: ['None'] }), [
    'Invalid spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for LoadBalancer services',
  ]);
  t.same(of({ type: 'Magic' }), [
    'NotSupported spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", ' +
      '"LoadBalancer", "NodePort"',
  ]);
  t.same(of({ externalTrafficPolicy: 'Local' }), [
    'Invalid spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
  ]);
  t.same(of({ loadBalancerClass: 'a' }), [
    "Forbidden spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
  ]);
  t.same(of({ clusterIP: 'fd00::1', clusterIPs: ['fd00::1'], ipFamilies: ['IPv4'] }), [
    'Invalid spec.clusterIPs[0]: Invalid value: "fd00::1": expected an IPv4 value as indicated by `ipFamilies[0]`',
  ]);
  t.end();
});

test('affinity settings without affinity are dropped, and filled in with it', (t) => {
  t.same(of({ sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } }), []);
  t.same(of({ sessionAffinity: 'ClientIP' }), []);
  t.end();
});
