import type { IPFamily, Service } from '@outrigger/core/api';
import { defaultFamilies, pairClusterIPs, serviceKind } from '@outrigger/core/api';
import { test } from 'tap';
import type { Loose } from '../fixtures.ts';
import { admitted, line, service, where } from '../fixtures.ts';

const spec = (fields: Loose): Service['spec'] => admitted(serviceKind, service(fields)).spec;

test('the target port is the port', (t) => {
  t.equal(spec({ ports: [{ port: 80 }] }).ports?.[0]?.targetPort, 80);
  t.equal(spec({ ports: [{ port: 80, targetPort: 0 }] }).ports?.[0]?.targetPort, 80);
  t.equal(spec({ ports: [{ port: 80, targetPort: '' }] }).ports?.[0]?.targetPort, 80);
  t.equal(spec({ ports: [{ port: 80, targetPort: 'web' }] }).ports?.[0]?.targetPort, 'web');
  t.end();
});

test('policies are there exactly where they mean something', (t) => {
  t.match(spec({}), { internalTrafficPolicy: 'Cluster', externalTrafficPolicy: undefined });
  t.match(spec({ type: 'NodePort' }), { internalTrafficPolicy: 'Cluster', externalTrafficPolicy: 'Cluster' });
  t.match(spec({ type: 'LoadBalancer' }), {
    externalTrafficPolicy: 'Cluster',
    allocateLoadBalancerNodePorts: true,
  });
  t.match(spec({ externalIPs: ['203.0.113.1'] }), { externalTrafficPolicy: 'Cluster' });
  t.match(spec({ type: 'ExternalName', externalName: 'a' }), {
    internalTrafficPolicy: undefined,
    externalTrafficPolicy: undefined,
  });
  t.equal(
    spec({ type: 'LoadBalancer', allocateLoadBalancerNodePorts: false }).allocateLoadBalancerNodePorts,
    false,
  );
  t.end();
});

test('affinity lasts three hours unless said', (t) => {
  t.same(spec({ sessionAffinity: 'ClientIP' }).sessionAffinityConfig, {
    clientIP: { timeoutSeconds: 10_800 },
  });
  t.same(
    spec({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } })
      .sessionAffinityConfig,
    {
      clientIP: { timeoutSeconds: 5 },
    },
  );
  t.end();
});

test('an assigned load balancer address is a virtual address unless said', (t) => {
  const status = {
    loadBalancer: {
      ingress: [{ ip: '203.0.113.1' }, { ip: '203.0.113.2', ipMode: 'Proxy' }, { hostname: 'a' }],
    },
  };
  const object = admitted(serviceKind, { ...service(), status });
  t.same(
    object.status?.loadBalancer?.ingress?.map(({ ipMode }) => ipMode),
    ['VIP', 'Proxy', undefined],
  );
  t.end();
});

const four: IPFamily[] = ['IPv4'];
const both: IPFamily[] = ['IPv4', 'IPv6'];
const sixFirst: IPFamily[] = ['IPv6', 'IPv4'];

const families: [string, IPFamily[], Loose, string, IPFamily[]][] = [
  ['one family', four, {}, 'SingleStack', four],
  ['one family of two', both, {}, 'SingleStack', four],
  ['the first family of the cluster', sixFirst, {}, 'SingleStack', ['IPv6']],
  ['the family of the given address', both, { clusterIP: 'fd00::1' }, 'SingleStack', ['IPv6']],
  ['the family asked for', both, { ipFamilies: ['IPv6'] }, 'SingleStack', ['IPv6']],
  ['two, preferred and there', both, { ipFamilyPolicy: 'PreferDualStack' }, 'PreferDualStack', both],
  ['two, preferred and not there', four, { ipFamilyPolicy: 'PreferDualStack' }, 'PreferDualStack', four],
  [
    'two, required',
    both,
    { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6'] },
    'RequireDualStack',
    sixFirst,
  ],
  [
    'two, named and preferred',
    both,
    { ipFamilies: sixFirst, ipFamilyPolicy: 'PreferDualStack' },
    'PreferDualStack',
    sixFirst,
  ],
  [
    'two, as two addresses are given',
    both,
    { clusterIP: 'fd00::1', clusterIPs: ['fd00::1', '10.96.0.1'], ipFamilyPolicy: 'RequireDualStack' },
    'RequireDualStack',
    sixFirst,
  ],
  ['a name and an address', both, { clusterIPs: ['fd00::1'], ipFamilies: ['IPv6'] }, 'SingleStack', ['IPv6']],
  ['headless', four, { clusterIP: 'None' }, 'SingleStack', four],
  ['headless without a selector', four, { clusterIP: 'None', selector: undefined }, 'RequireDualStack', both],
  [
    'headless without a selector, of one family',
    four,
    { clusterIP: 'None', selector: undefined, ipFamilyPolicy: 'SingleStack' },
    'SingleStack',
    four,
  ],
];

for (const [name, cluster, fields, policy, want] of families) {
  test(`families: ${name}`, (t) => {
    const object = admitted(serviceKind, service(fields));
    pairClusterIPs(object);
    t.same(defaultFamilies(object, cluster), []);
    t.equal(object.spec.ipFamilyPolicy, policy);
    t.same(object.spec.ipFamilies, want);
    t.end();
  });
}

const impossible: [string, IPFamily[], Loose, string[]][] = [
  ['two on a cluster of one', four, { ipFamilyPolicy: 'RequireDualStack' }, ['Invalid spec.ipFamilyPolicy']],
  ['a family the cluster lacks', four, { ipFamilies: ['IPv6'] }, ['Invalid spec.ipFamilies[0]']],
  [
    'two families as one',
    both,
    { ipFamilies: both, ipFamilyPolicy: 'SingleStack' },
    ['Invalid spec.ipFamilyPolicy'],
  ],
  [
    'two addresses as one family',
    both,
    { clusterIPs: ['10.96.0.1', 'fd00::1'], ipFamilyPolicy: 'SingleStack' },
    ['Invalid spec.ipFamilyPolicy'],
  ],
];

for (const [name, cluster, fields, want] of impossible) {
  test(`families refused: ${name}`, (t) => {
    t.same(where(defaultFamilies(admitted(serviceKind, service(fields)), cluster).map(line)), want);
    t.end();
  });
}

test('an external name has no families', (t) => {
  const object = admitted(serviceKind, service({ type: 'ExternalName', externalName: 'a' }));
  t.same(defaultFamilies(object, both), []);
  t.equal(object.spec.ipFamilies, undefined);
  t.end();
});
