import { endpointsKind, endpointSliceKind, maxProblems } from '@outrigger/core/api';
import { test } from 'tap';
import type { Loose } from '../fixtures.ts';
import { admitted, named, problems, slice, where } from '../fixtures.ts';

const endpoint = (fields: Loose): Loose => slice({ endpoints: [{ addresses: ['10.0.0.1'], ...fields }] });
const address = (ip: string, type = 'IPv4'): Loose =>
  slice({ addressType: type, endpoints: [{ addresses: [ip] }] });

const good: Record<string, Loose> = {
  minimal: slice(),
  empty: slice({ endpoints: [], ports: [] }),
  'without lists': slice({ endpoints: undefined, ports: null }),
  IPv6: address('2001:db8::1', 'IPv6'),
  names: address('db.example.com.', 'FQDN'),
  'an unnamed port': slice({ ports: [{ port: 80 }] }),
  'a port for every number': slice({ ports: [{ name: 'any' }] }),
  'all of an endpoint': endpoint({
    conditions: { ready: false, serving: true, terminating: true },
    hostname: 'web-0',
    nodeName: 'node-1.example.com',
    zone: 'a',
    targetRef: { kind: 'Pod', name: 'web-0' },
    hints: { forZones: [{ name: 'a' }], forNodes: [{ name: 'n' }] },
    deprecatedTopology: { 'kubernetes.io/hostname': 'n' },
  }),
};

for (const [name, object] of Object.entries(good)) {
  test(`slice: accepts ${name}`, (t) => {
    t.same(problems(endpointSliceKind, object), []);
    t.end();
  });
}

const many = (count: number): { name: string }[] =>
  Array.from({ length: count }, (_, index) => ({ name: `p${index}` }));

const bad: [string, Loose, string[]][] = [
  ['no address type', slice({ addressType: undefined }), ['Required addressType']],
  ['an unknown address type', slice({ addressType: 'IPX' }), ['NotSupported addressType']],
  ['an address of the other family', address('2001:db8::1'), ['Invalid endpoints[0].addresses[0]']],
  ['an address that is none', address('web'), ['Invalid endpoints[0].addresses[0]']],
  ['a name that is none', address('a_b', 'FQDN'), ['Invalid endpoints[0].addresses[0]']],
  ['loopback', address('127.0.0.1'), ['Invalid endpoints[0].addresses[0]']],
  ['loopback over IPv6', address('::1', 'IPv6'), ['Invalid endpoints[0].addresses[0]']],
  ['unspecified', address('0.0.0.0'), ['Invalid endpoints[0].addresses[0]']],
  ['link-local', address('169.254.0.1'), ['Invalid endpoints[0].addresses[0]']],
  ['link-local multicast', address('224.0.0.1'), ['Invalid endpoints[0].addresses[0]']],
  ['an endpoint without addresses', endpoint({ addresses: [] }), ['Required endpoints[0].addresses']],
  ['an endpoint that lacks addresses', slice({ endpoints: [{}] }), ['Required endpoints[0].addresses']],
  [
    'an endpoint with too many addresses',
    endpoint({ addresses: Array.from({ length: 101 }, (_, index) => `10.0.1.${index}`) }),
    ['TooMany endpoints[0].addresses'],
  ],
  [
    'too many endpoints',
    slice({ endpoints: Array.from({ length: 1_001 }, () => ({ addresses: ['10.0.0.1'] })) }),
    ['TooMany endpoints'],
  ],
  ['a bad host name', endpoint({ hostname: 'a.b' }), ['Invalid endpoints[0].hostname']],
  ['a bad node name', endpoint({ nodeName: 'A' }), ['Invalid endpoints[0].nodeName']],
  [
    'a zone hinted twice',
    endpoint({ hints: { forZones: [{ name: 'a' }, { name: 'a' }] } }),
    ['Duplicate endpoints[0].hints.forZones[1].name'],
  ],
  ['too many hints', endpoint({ hints: { forZones: many(9) } }), ['TooMany endpoints[0].hints.forZones']],
  [
    'a bad node hint',
    endpoint({ hints: { forNodes: [{ name: 'A' }] } }),
    ['Invalid endpoints[0].hints.forNodes[0].name'],
  ],
  [
    'too many topology labels',
    endpoint({ deprecatedTopology: Object.fromEntries(many(17).map(({ name }) => [name, ''])) }),
    ['TooMany endpoints[0].deprecatedTopology'],
  ],
  [
    'a port name twice',
    slice({
      ports: [
        { name: 'a', port: 1 },
        { name: 'a', port: 2 },
      ],
    }),
    ['Duplicate ports[1].name'],
  ],
  ['two unnamed ports', slice({ ports: [{ port: 1 }, { port: 2 }] }), ['Duplicate ports[1].name']],
  ['a bad port name', slice({ ports: [{ name: 'A', port: 1 }] }), ['Invalid ports[0].name']],
  ['port 0', slice({ ports: [{ port: 0 }] }), ['Invalid ports[0].port']],
  [
    'an unknown protocol',
    slice({ ports: [{ port: 1, protocol: 'ICMP' }] }),
    ['NotSupported ports[0].protocol'],
  ],
  [
    'a bad application protocol',
    slice({ ports: [{ port: 1, appProtocol: 'a b' }] }),
    ['Invalid ports[0].appProtocol'],
  ],
  ['too many ports', slice({ ports: many(20_001) }), ['TooMany ports']],
];

for (const [name, object, want] of bad) {
  test(`slice: refuses ${name}`, (t) => {
    t.same(where(problems(endpointSliceKind, object)), want);
    t.end();
  });
}

test('a slice keeps its address type', (t) => {
  t.same(problems(endpointSliceKind, address('2001:db8::1', 'IPv6'), slice()), [
    'Invalid addressType: Invalid value: "IPv6": field is immutable',
  ]);
  t.same(problems(endpointSliceKind, slice(), slice()), []);
  t.end();
});

test('loopback endpoints are accepted where everything runs on one machine', (t) => {
  const options = { allowLoopbackEndpoints: true };
  t.same(problems(endpointSliceKind, address('127.0.0.1'), undefined, options), []);
  t.same(problems(endpointSliceKind, address('::1', 'IPv6'), undefined, options), []);
  t.same(where(problems(endpointSliceKind, address('0.0.0.0'), undefined, options)), [
    'Invalid endpoints[0].addresses[0]',
  ]);
  t.same(
    problems(endpointsKind, named({ subsets: [{ addresses: [{ ip: '127.0.0.1' }] }] }), undefined, options),
    [],
  );
  t.end();
});

test('a slice full of wrong addresses makes a readable answer', (t) => {
  const endpoints = Array.from({ length: 1_000 }, () => ({ addresses: ['web'] }));
  t.equal(problems(endpointSliceKind, slice({ endpoints })).length, maxProblems);
  t.end();
});

test('ports of a slice get a protocol and a name', (t) => {
  t.same(admitted(endpointSliceKind, slice({ ports: [{ port: 80 }] })).ports, [
    { port: 80, protocol: 'TCP', name: '' },
  ]);
  t.end();
});

const subset = (fields: Loose): Loose => named({ subsets: [{ addresses: [{ ip: '10.0.0.1' }], ...fields }] });

const badEndpoints: [string, Loose, string[]][] = [
  ['a subset without addresses', subset({ addresses: [] }), ['Required subsets[0]']],
  ['an address that is none', subset({ addresses: [{ ip: 'web' }] }), ['Invalid subsets[0].addresses[0].ip']],
  ['an address without an IP', subset({ addresses: [{}] }), ['Required subsets[0].addresses[0].ip']],
  [
    'loopback',
    subset({ notReadyAddresses: [{ ip: '127.0.0.1' }] }),
    ['Invalid subsets[0].notReadyAddresses[0].ip'],
  ],
  [
    'a bad host name',
    subset({ addresses: [{ ip: '10.0.0.1', hostname: 'A' }] }),
    ['Invalid subsets[0].addresses[0].hostname'],
  ],
  [
    'a bad node name',
    subset({ addresses: [{ ip: '10.0.0.1', nodeName: 'A' }] }),
    ['Invalid subsets[0].addresses[0].nodeName'],
  ],
  [
    'two ports without names',
    subset({ ports: [{ port: 1 }, { port: 2 }] }),
    ['Required subsets[0].ports[0].name', 'Required subsets[0].ports[1].name'],
  ],
  ['port 0', subset({ ports: [{ port: 0 }] }), ['Invalid subsets[0].ports[0].port']],
];

for (const [name, object, want] of badEndpoints) {
  test(`Endpoints: refuses ${name}`, (t) => {
    t.same(where(problems(endpointsKind, object)), want);
    t.end();
  });
}

test('Endpoints: accepts ready and not ready addresses, or none at all', (t) => {
  t.same(problems(endpointsKind, named({})), []);
  t.same(
    problems(
      endpointsKind,
      named({
        subsets: [
          { addresses: [{ ip: '10.0.0.1', hostname: 'a', nodeName: 'n' }], ports: [{ port: 80 }] },
          { notReadyAddresses: [{ ip: '10.0.0.2' }] },
        ],
      }),
    ),
    [],
  );
  t.end();
});
