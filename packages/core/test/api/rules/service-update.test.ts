import type { Service } from '@outrigger/core/api';
import {
  applyDefaults,
  pairClusterIPs,
  prepareServiceUpdate,
  serviceKind,
  validateObject,
} from '@outrigger/core/api';
import { test } from 'tap';
import type { Loose } from '../fixtures.ts';
import { admitted, line, service, where } from '../fixtures.ts';

const dual = {
  clusterIP: '10.96.0.9',
  clusterIPs: ['10.96.0.9', 'fd00::9'],
  ipFamilies: ['IPv4', 'IPv6'],
  ipFamilyPolicy: 'RequireDualStack',
};
const single = {
  clusterIP: '10.96.0.9',
  clusterIPs: ['10.96.0.9'],
  ipFamilies: ['IPv4'],
  ipFamilyPolicy: 'SingleStack',
};
const nodePort = { ...single, type: 'NodePort', ports: [{ name: 'http', port: 80, nodePort: 30_080 }] };
const external = { type: 'ExternalName', externalName: 'db.example.com', ports: [] };
const headless = {
  clusterIP: 'None',
  clusterIPs: ['None'],
  ipFamilies: ['IPv4'],
  ipFamilyPolicy: 'SingleStack',
};
const balancer = { ...nodePort, type: 'LoadBalancer', loadBalancerClass: 'example.com/a' };

function updated(before: Loose, now: Loose): Service {
  const object = admitted(serviceKind, service(now));
  prepareServiceUpdate(object, admitted(serviceKind, service(before)));
  applyDefaults(serviceKind, object);
  return object;
}

function refused(before: Loose, now: Loose): string[] {
  const old = admitted(serviceKind, service(before));
  return where(validateObject(serviceKind, updated(before, now), old).map(line));
}

test('an update that does not mention allocated values keeps them', (t) => {
  t.match(updated(single, {}).spec, { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'] });
  t.equal(
    updated(nodePort, { type: 'NodePort', ports: [{ name: 'http', port: 81 }] }).spec.ports?.[0]?.nodePort,
    30_080,
  );
  t.equal(
    updated(nodePort, { type: 'NodePort', ports: [{ name: 'new', port: 80 }] }).spec.ports?.[0]?.nodePort,
    undefined,
  );
  const local = { ...balancer, externalTrafficPolicy: 'Local', healthCheckNodePort: 30_099 };
  t.equal(updated(local, { ...local, healthCheckNodePort: 0 }).spec.healthCheckNodePort, 30_099);
  t.end();
});

test('a node port that another port of the update takes is not kept', (t) => {
  const ports = [
    { name: 'other', port: 81, nodePort: 30_080 },
    { name: 'http', port: 80 },
  ];
  t.equal(updated(nodePort, { type: 'NodePort', ports }).spec.ports?.[1]?.nodePort, undefined);
  t.end();
});

test('a change of type alone drops what belonged to the old type', (t) => {
  t.equal(updated(nodePort, { ...nodePort, type: 'ClusterIP' }).spec.ports?.[0]?.nodePort, undefined);
  t.match(updated(single, { ...single, ...external }).spec, {
    clusterIP: undefined,
    clusterIPs: undefined,
    ipFamilies: undefined,
    ipFamilyPolicy: undefined,
  });
  const toCluster = updated(
    { ...balancer, externalTrafficPolicy: 'Local' },
    {
      ...balancer,
      allocateLoadBalancerNodePorts: true,
      externalTrafficPolicy: 'Local',
      type: 'ClusterIP',
    },
  );
  t.match(toCluster.spec, {
    loadBalancerClass: undefined,
    allocateLoadBalancerNodePorts: undefined,
    externalTrafficPolicy: undefined,
  });
  t.same(refused(nodePort, { ...nodePort, type: 'ClusterIP' }), []);
  t.same(refused(single, { ...single, ...external }), []);
  t.end();
});

test('what was asked for on purpose is not dropped but refused', (t) => {
  const ports = [{ name: 'http', port: 80, nodePort: 30_081 }];
  t.same(refused(nodePort, { ...nodePort, ports, type: 'ClusterIP' }), ['Forbidden spec.ports[0].nodePort']);
  t.same(refused(single, { ...external, clusterIPs: ['10.96.0.8'] }), ['Forbidden spec.clusterIPs']);
  t.end();
});

test('clusterIP and clusterIPs follow each other', (t) => {
  const created = admitted(serviceKind, service({ clusterIP: '10.96.0.1' }));
  pairClusterIPs(created);
  t.same(created.spec.clusterIPs, ['10.96.0.1']);
  const plain = admitted(serviceKind, service());
  pairClusterIPs(plain);
  t.equal(plain.spec.clusterIPs, undefined);
  t.same(updated(external, { clusterIP: '10.96.0.1' }).spec.clusterIPs, ['10.96.0.1']);
  const cleared = admitted(serviceKind, service({ clusterIPs: ['10.96.0.9'] }));
  pairClusterIPs(cleared, admitted(serviceKind, service(single)));
  t.equal(cleared.spec.clusterIPs, undefined);
  t.end();
});

test('SingleStack alone gives the second family back', (t) => {
  const spec = updated(dual, { ...dual, ipFamilyPolicy: 'SingleStack' }).spec;
  t.same(spec.clusterIPs, ['10.96.0.9']);
  t.same(spec.ipFamilies, ['IPv4']);
  t.same(refused(dual, { ...dual, ipFamilyPolicy: 'SingleStack' }), []);
  t.end();
});

const allowed: [string, Loose, Loose][] = [
  ['nothing', single, single],
  ['ports', single, { ...single, ports: [{ port: 81 }] }],
  ['a second family', single, { ...dual }],
  ['to an external name', nodePort, external],
  ['from an external name', external, { clusterIP: '10.96.0.1' }],
  ['headless to headless', headless, headless],
  [
    'families of a headless Service',
    { ...headless, selector: undefined },
    { ...headless, selector: undefined, ipFamilies: ['IPv6'] },
  ],
];

for (const [name, before, now] of allowed) {
  test(`may change: ${name}`, (t) => {
    t.same(refused(before, now), []);
    t.end();
  });
}

const forbidden: [string, Loose, Loose, string[]][] = [
  ['the address', single, { ...single, clusterIP: '10.96.0.8' }, ['Invalid spec.clusterIPs[0]']],
  ['to headless', single, { ...headless }, ['Invalid spec.clusterIPs[0]']],
  ['from headless', headless, { ...single }, ['Invalid spec.clusterIPs[0]']],
  [
    'the second address',
    dual,
    { ...dual, clusterIPs: ['10.96.0.9', 'fd00::8'] },
    ['Invalid spec.clusterIPs[1]'],
  ],
  [
    'the first address while a second comes',
    single,
    { ...dual, clusterIP: '10.96.0.8', clusterIPs: ['10.96.0.8', 'fd00::9'] },
    ['Invalid spec.clusterIPs[0]'],
  ],
  [
    'a second address away without saying so',
    dual,
    { ...dual, clusterIPs: ['10.96.0.9'], ipFamilies: ['IPv4'] },
    ['Invalid spec.ipFamilyPolicy', 'Invalid spec.ipFamilyPolicy'],
  ],
  [
    'the family',
    single,
    { ...single, ipFamilies: ['IPv6'] },
    ['Invalid spec.clusterIPs[0]', 'Invalid spec.ipFamilies[0]'],
  ],
  ['the family away', single, { ...single, ipFamilies: [] }, ['Invalid spec.ipFamilies[0]']],
  [
    'the order of families',
    { ...dual, clusterIP: undefined, clusterIPs: undefined },
    { ...dual, clusterIP: undefined, clusterIPs: undefined, ipFamilies: ['IPv6'] },
    ['Invalid spec.ipFamilies[0]', 'Invalid spec.ipFamilyPolicy'],
  ],
  [
    'the load balancer class',
    balancer,
    { ...balancer, loadBalancerClass: 'example.com/b' },
    ['Invalid spec.loadBalancerClass'],
  ],
];

for (const [name, before, now, want] of forbidden) {
  test(`may not change: ${name}`, (t) => {
    t.same(refused(before, now), want);
    t.end();
  });
}

test('addresses cannot be given back', (t) => {
  const object = admitted(serviceKind, service({ ...single, clusterIP: undefined, clusterIPs: undefined }));
  const errors = serviceKind.validate?.(object, admitted(serviceKind, service(single)), {}) ?? [];
  t.same(errors.map(line), [
    'Invalid spec.clusterIPs[0]: Invalid value: []: primary clusterIP can not be unset',
  ]);
  t.end();
});
