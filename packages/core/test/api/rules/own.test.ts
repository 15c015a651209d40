import {
  metricsAdapterKind,
  redisAmbassadorKind,
  trafficPolicyKind,
  validateMetricsAdapterSpec,
} from '@outrigger/core/api';
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

const ambassador = (spec: Loose): Loose => named({ spec: { primary: '127.0.0.1:6379', ...spec } });

const badAmbassadors: [string, Loose, string[]][] = [
  ['no primary', { primary: undefined }, ['Required spec.primary']],
  ['a primary that is no address', { primary: 'redis' }, ['Invalid spec.primary']],
  ['a replica that is no address', { replica: ['10.0.0.1:6379', ':0'] }, ['Invalid spec.replica[1]']],
  ['one replica twice', { replica: ['10.0.0.1:6379', '10.0.0.1:6379'] }, ['Duplicate spec.replica[1]']],
  [
    'too many replicas',
    { replica: Array.from({ length: 65 }, (_, i) => `10.0.0.${i}:1`) },
    ['TooMany spec.replica'],
  ],
  ['a bad place to listen', { listen: '6379' }, ['Invalid spec.listen']],
  ['a bad admin address', { admin: 'x' }, ['Invalid spec.admin']],
  ['an unknown read policy', { readPolicy: 'any' }, ['NotSupported spec.readPolicy']],
  ['unknown consistency', { consistency: 'strong' }, ['NotSupported spec.consistency']],
  ['no lag at all', { maxLag: '0s' }, ['Invalid spec.maxLag']],
  ['a password from nowhere', { passwordFrom: {} }, ['Required spec.passwordFrom']],
  [
    'a password from two places',
    { passwordFrom: { file: '/p', env: 'P' } },
    ['Forbidden spec.passwordFrom.env'],
  ],
  ['a Secret without a key', { passwordFrom: { secret: 'redis' } }, ['Invalid spec.passwordFrom.secret']],
  ['an unknown log level', { logLevel: 'loud' }, ['NotSupported spec.logLevel']],
];

for (const [name, spec, want] of badAmbassadors) {
  test(`RedisAmbassador: refuses ${name}`, (t) => {
    t.same(where(problems(redisAmbassadorKind, ambassador(spec))), want);
    t.end();
  });
}

test('RedisAmbassador: accepts every way to name a server, and a password by reference alone', (t) => {
  const spec = {
    primary: 'svc:default/redis:6379',
    replica: [
      'redis://10.0.0.2:6379',
      'rediss://redis.example.com',
      'unix:/run/redis.sock',
      '[2001:db8::1]:6379',
    ],
    username: 'app',
    passwordFrom: { secret: 'redis/password' },
  };
  t.same(problems(redisAmbassadorKind, ambassador(spec)), []);
  t.match(admitted(redisAmbassadorKind, ambassador({})).spec, {
    listen: '127.0.0.1:6379',
    admin: '127.0.0.1:9121',
    readPolicy: 'preferReplica',
    consistency: 'session',
    maxLag: '10s',
    drainTimeout: '25s',
    logLevel: 'info',
  });
  t.notOk('password' in redisAmbassadorKind.schema.fields);
  t.end();
});

test('RedisAmbassador: says why an address is none', (t) => {
  t.same(problems(redisAmbassadorKind, ambassador({ primary: 'redis' })), [
    'Invalid spec.primary: Invalid value: "redis": "redis" is not an address; want HOST:PORT, [V6]:PORT, :PORT, ' +
      'unix:/path or fd:N',
  ]);
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
