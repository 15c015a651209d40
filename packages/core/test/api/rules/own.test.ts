import { metricsAdapterKind, trafficPolicyKind, validateMetricsAdapterSpec } from '@outrigger/core/api';
import { test } from 'tap';
import type { Loose } from '../fixtures.ts';
import { admitted, line, named, policy, problems, where } from '../fixtures.ts';

const badPolicies: [string, Loose, string[]][] = [
  ['no targets', { targetRefs: undefined }, ['Required spec.targetRefs']],
  ['an empty list of targets', { targetRefs: [] }, ['Required spec.targetRefs']],
  [
    'too many targets',
    { targetRefs: Array.from({ length: 17 }, (_, i) => ({ name: `s${i}` })) },
    ['TooMany spec.targetRefs'],
  ],
  ['a target without a name', { targetRefs: [{}] }, ['Required spec.targetRefs[0].name']],
  [
    'a target of another kind',
    { targetRefs: [{ kind: 'Gateway', name: 'a' }] },
    ['NotSupported spec.targetRefs[0].kind'],
  ],
  [
    'a target of another group',
    { targetRefs: [{ group: 'apps', name: 'a' }] },
    ['NotSupported spec.targetRefs[0].group'],
  ],
  ['a bad target name', { targetRefs: [{ name: 'A' }] }, ['Invalid spec.targetRefs[0].name']],
  [
    'a bad port name',
    { targetRefs: [{ name: 'a', sectionName: 'A' }] },
    ['Invalid spec.targetRefs[0].sectionName'],
  ],
  ['one target twice', { targetRefs: [{ name: 'a' }, { name: 'a' }] }, ['Duplicate spec.targetRefs[1]']],
  ['an unknown way to balance', { balancing: 'random' }, ['NotSupported spec.balancing']],
  ['no time to connect', { connectTimeout: '0s' }, ['Invalid spec.connectTimeout']],
  [
    'a time that is none',
    { connectTimeout: '1 s', idleTimeout: 'never' },
    ['Invalid spec.connectTimeout', 'Invalid spec.idleTimeout'],
  ],
  ['a negative limit', { connectionLimit: { total: -1 } }, ['Invalid spec.connectionLimit.total']],
  [
    'a limit that cannot be reached',
    { connectionLimit: { total: 1, perEndpoint: 2 } },
    ['Invalid spec.connectionLimit.perEndpoint'],
  ],
  [
    'a maximum below the base',
    { ejection: { baseEjectionTime: '10s', maxEjectionTime: '5s' } },
    ['Invalid spec.ejection.maxEjectionTime'],
  ],
  [
    'ejection for no time',
    { ejection: { baseEjectionTime: '0' } },
    ['Invalid spec.ejection.baseEjectionTime'],
  ],
  ['more than all', { ejection: { maxEjectionPercent: 101 } }, ['Invalid spec.ejection.maxEjectionPercent']],
];

for (const [name, spec, want] of badPolicies) {
  test(`TrafficPolicy: refuses ${name}`, (t) => {
    t.same(where(problems(trafficPolicyKind, policy(spec))), want);
    t.end();
  });
}

test('TrafficPolicy: accepts all its settings', (t) => {
  const spec = {
    targetRefs: [{ name: 'a' }, { name: 'a', sectionName: 'http' }],
    balancing: 'roundRobin',
    connectTimeout: '250ms',
    idleTimeout: '0s',
    connectionLimit: { total: 0, perEndpoint: 5 },
    ejection: {
      consecutiveFailures: 0,
      baseEjectionTime: '1s',
      maxEjectionTime: '1s',
      maxEjectionPercent: 0,
    },
  };
  t.same(problems(trafficPolicyKind, policy(spec)), []);
  t.end();
});

const badAdapters: [string, Loose, string[]][] = [
  ['a bad place to listen', { listen: 'x' }, ['Invalid spec.listen']],
  ['a bad StatsD address', { statsdUdp: 'x' }, ['Invalid spec.statsdUdp']],
  ['a bad label', { labels: { 'a-b': 'x' } }, ['Invalid spec.labels[a-b]']],
  ['a reserved label', { labels: { __name__: 'x' } }, ['Invalid spec.labels[__name__]']],
  [
    'buckets out of order',
    { timerBuckets: [1, 1, 0.5] },
    ['Invalid spec.timerBuckets[1]', 'Invalid spec.timerBuckets[2]'],
  ],
  ['no series', { maxSeries: 0 }, ['Invalid spec.maxSeries']],
];

for (const [name, spec, want] of badAdapters) {
  test(`MetricsAdapter: refuses ${name}`, (t) => {
    t.same(where(problems(metricsAdapterKind, named({ spec }))), want);
    t.end();
  });
}

test('MetricsAdapter: StatsD is on by default and off where it is left empty', (t) => {
  t.equal(admitted(metricsAdapterKind, named({ spec: {} })).spec.statsdUdp, '127.0.0.1:9125');
  t.equal(admitted(metricsAdapterKind, named({ spec: { statsdUdp: '' } })).spec.statsdUdp, '');
  t.same(problems(metricsAdapterKind, named({ spec: { statsdUdp: '', labels: { team: 'a' } } })), []);
  t.end();
});

test('a spec is checked without its object too, as a configuration file has it', (t) => {
  const spec = admitted(metricsAdapterKind, named({ spec: { listen: 'x' } })).spec;
  t.same(where(validateMetricsAdapterSpec(spec, '').map(line)), ['Invalid listen']);
  t.end();
});
