import {
  any,
  applySchemaDefaults,
  configMapKind,
  defaultsOf,
  eventKind,
  integer,
  leaseKind,
  list,
  map,
  namespaceKind,
  object,
  podKind,
  prune,
  serviceKind,
  string,
  trafficPolicyKind,
  trafficPolicySpec,
} from '@outrigger/core/api';
import { test } from 'tap';
import type { Loose } from './fixtures.ts';
import { admitted, named, pod, policy, service } from './fixtures.ts';

test('absent, null and empty fields take their default, others keep their value', (t) => {
  const schema = object({
    name: string('', { default: 'x' }),
    kept: string('', { default: 'x', keepEmpty: true }),
    count: integer('', { default: 3, omitZero: true }),
    pointer: integer('', { default: 3 }),
  });
  const fill = (value: object): object => {
    applySchemaDefaults(schema, value);
    return value;
  };
  t.same(fill({}), { name: 'x', kept: 'x', count: 3, pointer: 3 });
  t.same(fill({ name: null, kept: null, count: null }), { name: 'x', kept: 'x', count: 3, pointer: 3 });
  t.same(fill({ name: '', kept: '', count: 0, pointer: 0 }), { name: 'x', kept: '', count: 3, pointer: 0 });
  t.same(fill({ name: 'y', count: 1 }), { name: 'y', kept: 'x', count: 1, pointer: 3 });
  t.end();
});

test('defaults reach into lists, maps and defaulted objects', (t) => {
  const part = object({ protocol: string('', { default: 'TCP' }) });
  const schema = object({
    parts: list(part),
    byName: map(part),
    inner: object({ part }, { default: { part: {} } }),
  });
  const value = { parts: [{}, { protocol: 'UDP' }], byName: { a: {} } };
  applySchemaDefaults(schema, value);
  t.same(value, {
    parts: [{ protocol: 'TCP' }, { protocol: 'UDP' }],
    byName: { a: { protocol: 'TCP' } },
    inner: { part: { protocol: 'TCP' } },
  });
  t.end();
});

test('a default is copied, so that no object changes another', (t) => {
  const schema = object({ tags: list(string(), '', { default: ['a'] }) });
  const first = defaultsOf(schema);
  (first['tags'] as string[]).push('b');
  t.same(defaultsOf(schema), { tags: ['a'] });
  t.end();
});

test('values of a wrong type are left for validation', (t) => {
  const schema = object({ inner: object({ a: string('', { default: 'x' }) }), list: list(string()) });
  const value = { inner: 'text', list: { not: 'a list' } };
  applySchemaDefaults(schema, value);
  t.same(value, { inner: 'text', list: { not: 'a list' } });
  t.same(prune(schema, value), value);
  t.end();
});

test('pruning drops what the schema does not know, and what means absent', (t) => {
  const value: Loose = {
    ...service({ bogus: 1, clusterIP: '', externalName: null, healthCheckNodePort: 0 }),
    other: {},
  };
  const pruned = prune(serviceKind.schema, value);
  t.same(Object.keys(pruned), ['metadata', 'spec']);
  t.same(pruned['spec'], { selector: { app: 'web' }, ports: [{ port: 80 }] });
  t.ok('bogus' in (value['spec'] as Loose), 'the original is untouched');
  t.end();
});

test('pruning keeps every key of a map; null becomes the empty text', (t) => {
  const data = JSON.parse('{"a":null,"__proto__":"x","constructor":"y","b":""}') as unknown;
  const pruned = prune(configMapKind.schema, named({ data })) as { data: Record<string, string> };
  t.equal(JSON.stringify(pruned.data), '{"a":"","__proto__":"x","constructor":"y","b":""}');
  t.end();
});

test('pruning leaves the inside of unread fields alone', (t) => {
  const schema = object({ rest: any() });
  const rest = { a: null, b: '', c: [null] };
  t.same(prune(schema, { rest }), { rest });
  t.end();
});

test('a minimal Service is what the published API makes of it', (t) => {
  t.same(admitted(serviceKind, service()), {
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      selector: { app: 'web' },
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
    },
    status: { loadBalancer: {} },
  });
  t.end();
});

test('a minimal TrafficPolicy holds all its settings', (t) => {
  const settings = {
    balancing: 'leastConnections',
    connectTimeout: '1s',
    idleTimeout: '1h',
    connectionLimit: { total: 16_384, perEndpoint: 0 },
    ejection: {
      consecutiveFailures: 5,
      baseEjectionTime: '30s',
      maxEjectionTime: '300s',
      maxEjectionPercent: 50,
    },
  };
  t.same(admitted(trafficPolicyKind, policy()).spec, {
    targetRefs: [{ group: '', kind: 'Service', name: 'web' }],
    ...settings,
  });
  t.same(defaultsOf(trafficPolicySpec), settings, 'what holds where no policy applies');
  t.end();
});

test('a minimal Pod gets the defaults of its probes and ports', (t) => {
  const { spec } = admitted(
    podKind,
    pod({ hostNetwork: true }, { ports: [{ containerPort: 80 }], readinessProbe: { httpGet: { port: 80 } } }),
  );
  t.match(spec, { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, dnsPolicy: 'ClusterFirst' });
  t.same(spec.containers[0]?.ports, [{ containerPort: 80, protocol: 'TCP', hostPort: 80 }]);
  t.same(spec.containers[0]?.readinessProbe, {
    httpGet: { port: 80, path: '/', scheme: 'HTTP' },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  });
  t.equal(
    admitted(podKind, pod({}, { ports: [{ containerPort: 80 }] })).spec.containers[0]?.ports?.[0]?.hostPort,
    undefined,
  );
  t.end();
});

test('kinds without a spec from the client still have one', (t) => {
  t.same(admitted(namespaceKind, { metadata: { name: 'web' } }), {
    metadata: { name: 'web' },
    spec: {},
    status: { phase: 'Active' },
  });
  t.same(admitted(leaseKind, named({})).spec, {});
  t.equal(admitted(eventKind, named({ involvedObject: {}, eventTime: null })).eventTime, undefined);
  t.end();
});
