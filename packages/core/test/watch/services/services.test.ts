import { test } from 'tap';
import type { EndpointSlice, Service } from '@outrigger/core/api';
import type { Source, WatchSpec } from '@outrigger/core/watch';
import { formatAddress } from '@outrigger/core/net';
import type { ServiceTarget } from '@outrigger/core/net';
import { endpointsOf, projectService, projectSlice } from '../../../src/watch/services/endpoints.ts';
import type { ServiceRecord, SliceRecord } from '../../../src/watch/services/endpoints.ts';
import { watchServices } from '@outrigger/core/watch';

const target = (port?: string): ServiceTarget => ({
  kind: 'service',
  namespace: 'default',
  name: 'redis',
  port,
});
const service = (...ports: [name: string, port: number][]): ServiceRecord => ({
  ports: ports.map(([name, port]) => ({ name, port })),
});
const slice = (ports: [name: string, port: number][], ...endpoints: [string, boolean][]): SliceRecord => ({
  service: 'default/redis',
  ports: ports.map(([name, port]) => ({ name, port })),
  endpoints: endpoints.map(([address, ready]) => ({ address, ready })),
});

const names = (endpoints: readonly { address: string; port: number; ready: boolean }[]): string[] =>
  endpoints.map(({ address, port, ready }) => {
    const name = formatAddress({ kind: 'tcp', host: address, port });
    return ready ? name : `${name} not ready`;
  });

test('the endpoints are those behind the port that is meant', async (t) => {
  const slices = [
    slice([['redis', 7000], ['tls', 7001]], ['10.0.0.1', true], ['10.0.0.2', false]), // prettier-ignore
    slice([['redis', 7002]], ['10.0.0.3', true], ['fd00::1', true]),
  ];
  const both = service(['redis', 6379], ['tls', 6380]);
  const found = (port: string | undefined, of = both): unknown => {
    const { endpoints, problem } = endpointsOf(target(port), of, slices);
    return problem === '' ? names(endpoints) : problem;
  };
  t.strictSame(found('redis'), [
    '10.0.0.1:7000',
    '10.0.0.2:7000 not ready',
    '10.0.0.3:7002',
    '[fd00::1]:7002',
  ]);
  t.strictSame(found('6380'), ['10.0.0.1:7001', '10.0.0.2:7001 not ready']);
  t.strictSame(found(undefined, service(['redis', 6379])), ['10.0.0.1:7000', '10.0.0.2:7000 not ready', '10.0.0.3:7002', '[fd00::1]:7002']); // prettier-ignore
  t.equal(found(undefined), 'Service default/redis has several ports (redis, tls): name one');
  t.equal(found('http'), 'Service default/redis has no TCP port http (it has: redis, tls)');
  t.equal(found('x', service(['x', 1])), 'Service default/redis has no ready endpoint');
  t.match(endpointsOf(target(), undefined, slices), {
    endpoints: [],
    problem: 'Service default/redis does not exist',
  });
});

test('what is kept of the objects', async (t) => {
  t.strictSame(
    projectService({ metadata: {}, spec: { ports: [{ port: 6379 }, { name: 'u', port: 1, protocol: 'UDP' }] } } as unknown as Service), // prettier-ignore
    service(['', 6379]),
  );
  const object = {
    metadata: { namespace: 'default', name: 'redis-1', labels: { 'kubernetes.io/service-name': 'redis' } },
    addressType: 'IPv4',
    ports: [{ port: 7000 }, { name: 'all' }, { name: 'u', port: 1, protocol: 'UDP' }],
    endpoints: [{ addresses: ['10.0.0.1'] }, { addresses: ['10.0.0.2'], conditions: { ready: false } }],
  } as unknown as EndpointSlice;
  t.strictSame(projectSlice(object), slice([['', 7000]], ['10.0.0.1', true], ['10.0.0.2', false]));
  t.equal(projectSlice({ ...object, addressType: 'FQDN' }), undefined);
  t.equal(projectSlice({ ...object, metadata: { namespace: 'default', name: 'x' } }), undefined);
});

test('an endpoint has the zone it is meant for, or else the one it is in', async (t) => {
  const record = projectSlice({
    metadata: { namespace: 'default', name: 'redis-1', labels: { 'kubernetes.io/service-name': 'redis' } },
    addressType: 'IPv4',
    ports: [{ name: 'redis', port: 7000 }],
    endpoints: [
      { addresses: ['10.0.0.1'], zone: 'a' },
      { addresses: ['10.0.0.2'], zone: 'a', hints: { forZones: [{ name: 'b' }] } },
      { addresses: ['10.0.0.3'] },
    ],
  } as unknown as EndpointSlice) as SliceRecord;
  const { endpoints } = endpointsOf(target(), service(['redis', 6379]), [record]);
  t.strictSame(endpoints.map(({ zone }) => zone), ['a', 'b', undefined]); // prettier-ignore
});

test('an endpoint knows its pod, its node and its namespace', async (t) => {
  const record = projectSlice({
    metadata: { namespace: 'default', name: 'redis-1', labels: { 'kubernetes.io/service-name': 'redis' } },
    addressType: 'IPv4',
    ports: [{ name: 'redis', port: 7000 }],
    endpoints: [
      { addresses: ['10.0.0.1'], nodeName: 'n1', targetRef: { kind: 'Pod', name: 'redis-0' } },
      { addresses: ['10.0.0.2'], targetRef: { kind: 'Node', name: 'n2' } },
    ],
  } as unknown as EndpointSlice) as SliceRecord;
  const { endpoints } = endpointsOf(target(), service(['redis', 6379]), [record]);
  t.strictSame(endpoints, [
    { address: '10.0.0.1', ready: true, node: 'n1', pod: 'redis-0', namespace: 'default', port: 7000 },
    { address: '10.0.0.2', ready: true, namespace: 'default', port: 7000 },
  ]);
});

test('an endpoint in two slices counts once, as ready if it is in one', async (t) => {
  const slices = [
    slice([['redis', 7000]], ['10.0.0.1', true]),
    slice([['redis', 7000]], ['10.0.0.1', false]),
  ];
  for (const order of [slices, slices.toReversed()])
    t.strictSame(names(endpointsOf(target(), service(['redis', 6379]), order).endpoints), ['10.0.0.1:7000']);
});

test('a Service is watched once, however often it is named, and as long as anybody follows it', async (t) => {
  const specs: WatchSpec<unknown>[] = [];
  let closed = 0;
  const source = {
    watch: (spec: WatchSpec<unknown>) => {
      specs.push(spec);
      return { synced: Promise.resolve(), setScopes: () => {}, close: () => Promise.resolve(void closed++) };
    },
  } as unknown as Source;
  const follow = watchServices(source);
  let changes = 0;
  const first = await follow(target(), () => void changes++);
  const second = await follow(target('redis'), () => void changes++);
  t.equal(specs.length, 2, 'its Service and its slices');
  t.strictSame(specs[0]?.scopes, [{ namespace: 'default', fieldSelector: 'metadata.name=redis' }]);
  t.strictSame(specs[1]?.scopes, [
    { namespace: 'default', labelSelector: 'kubernetes.io/service-name=redis' },
  ]);
  const batch = { revision: '1', cause: 'list', doubt: undefined, identity: undefined } as const;
  const put = (key: string, record: unknown) => ({
    ...batch,
    put: [{ key, revision: '1', record }],
    delete: [],
  });
  specs[0]?.onChanges(put('default/redis', service(['redis', 6379])));
  specs[1]?.onChanges(put('default/redis-1', slice([['redis', 7000]], ['10.0.0.1', true])));
  t.strictSame([names(first.endpoints), second.problem, changes], [['10.0.0.1:7000'], '', 4]);
  specs[1]?.onChanges({ ...batch, put: [], delete: [{ key: 'default/redis-1', revision: '2', record: {} }] });
  t.strictSame([second.endpoints, second.problem], [[], 'Service default/redis has no ready endpoint']);
  first.close();
  t.equal(closed, 0);
  second.close();
  t.equal(closed, 2);
  await follow(target(), () => {});
  t.equal(specs.length, 4, 'and again when it is named again');
});

test('endpoints that a doubtful list lacks are kept as they were', async (t) => {
  const specs: WatchSpec<SliceRecord>[] = [];
  const source = {
    watch: (spec: WatchSpec<SliceRecord>) => (specs.push(spec), { synced: Promise.resolve() }),
  };
  await watchServices(source as unknown as Source)(target(), () => {});
  const hold = specs[1]?.hold;
  const before = slice([['redis', 1]], ['a', true], ['b', true], ['c', false]);
  t.equal(hold?.groupOf(before), 'default/redis');
  t.strictSame([...(hold?.readyIn(before) ?? [])], ['a', 'b']);
  t.strictSame([...(hold?.knownIn(before) ?? [])], ['a', 'b', 'c']);
  const after = slice([['redis', 1]], ['a', true], ['b', false]);
  t.strictSame(hold?.retain(before, after, new Set(['b'])), slice([['redis', 1]], ['a', true], ['b', true]));
  t.strictSame(hold?.retain(before, undefined, new Set(['a'])), slice([['redis', 1]], ['a', true]));
});
