import { redisAmbassadorKind } from '@outrigger/core/api';
import { test } from 'tap';
import type { Loose } from '../fixtures.ts';
import { admitted, named, problems, where } from '../fixtures.ts';

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
  ['a user without a password', { username: 'app' }, ['Required spec.passwordFrom']],
  ['reads for replicas that are not there', { readPolicy: 'replica' }, ['Required spec.replica']],
  ['two kinds of upstream', { cluster: ['10.0.0.1:6379'] }, ['Forbidden spec.cluster']],
  [
    'three kinds of upstream',
    { sentinel: ['10.0.0.1:26379'], master: 'm', cluster: ['10.0.0.1:6379'] },
    ['Forbidden spec.sentinel', 'Forbidden spec.cluster'],
  ],
  [
    'replicas that Sentinel would tell',
    { primary: undefined, sentinel: ['10.0.0.1:26379'], master: 'm', replica: ['10.0.0.2:6379'] },
    ['Forbidden spec.replica'],
  ],
  ['Sentinels of nothing', { primary: undefined, sentinel: ['10.0.0.1:26379'] }, ['Required spec.master']],
  ['a master that nobody watches', { primary: undefined, master: 'm' }, ['Required spec.sentinel']],
  [
    'a login at Sentinels that are not there',
    { sentinelUsername: 'app', sentinelPasswordFrom: { env: 'P' } },
    ['Forbidden spec.sentinelUsername', 'Forbidden spec.sentinelPasswordFrom'],
  ],
  [
    'a user of Sentinels without a password',
    { primary: undefined, sentinel: ['10.0.0.1:26379'], master: 'm', sentinelUsername: 'app' },
    ['Required spec.sentinelPasswordFrom'],
  ],
  [
    'the second of two in one value',
    { primary: undefined, cluster: ['10.0.0.1:6379, nowhere'] },
    ['Invalid spec.cluster[1]'],
  ],
  [
    'one server of a cluster twice',
    { primary: undefined, cluster: ['10.0.0.1:6379,10.0.0.1:6379'] },
    ['Duplicate spec.cluster[1]'],
  ],
  ['more acknowledgements than there can be', { writeAcks: 65 }, ['Invalid spec.writeAcks']],
  ['no time to acknowledge', { writeAcksTimeout: '0s' }, ['Invalid spec.writeAcksTimeout']],
  ['a zone of any length', { zone: 'z'.repeat(64) }, ['TooLong spec.zone']],
  [
    'routes that lead nowhere or cross',
    {
      routes: [
        { prefix: 'a:' },
        { prefix: 'b:', primary: '10.0.0.1:6379', cluster: ['10.0.0.1:6379'], passwordFrom: {} },
        { prefix: 'b:', primary: '10.0.0.1:6379', readPolicy: 'replica' },
      ],
    },
    [
      'Required spec.routes[0].primary',
      'Forbidden spec.routes[1].cluster',
      'Required spec.routes[1].passwordFrom',
      'Required spec.routes[2].replica',
      'Duplicate spec.routes[2].prefix',
    ],
  ],
  ['a route of every key', { routes: [{ prefix: '', primary: '10.0.0.1:6379' }] }, ['Required spec.routes[0].prefix']], // prettier-ignore
  [
    'a route that reads from the replicas of nobody, as the whole does',
    {
      readPolicy: 'replica',
      replica: ['10.0.0.2:6379'],
      routes: [{ prefix: 'a', primary: '10.0.0.1:6379' }],
    },
    ['Required spec.routes[0].replica'],
  ],
  [
    'users without a name, a password, or a name of their own',
    { users: [{ passwordFrom: { env: 'P' } }, { name: 'a' }, { name: 'a', passwordFrom: { env: 'P' } }] },
    ['Required spec.users[0].name', 'Required spec.users[1].passwordFrom'],
  ],
  [
    'one user twice, and a name of two words',
    {
      users: [
        { name: 'a b', passwordFrom: { env: 'P' } },
        { name: 'a', passwordFrom: { env: 'P', file: '/p' } },
        { name: 'a', passwordFrom: { env: 'P' } },
      ],
    },
    [
      'Invalid spec.users[0].name',
      'Forbidden spec.users[1].passwordFrom.env',
      'Duplicate spec.users[2].name',
    ],
  ],
  [
    'lists of what is no command, and a command in both',
    { allowCommands: ['GET', '@read', 'config|set'], denyCommands: ['CONFIG|SET', 'a b', '', 'Auth'] },
    [
      'Invalid spec.allowCommands[1]',
      'Invalid spec.denyCommands[1]',
      'Invalid spec.denyCommands[2]',
      'Invalid spec.denyCommands[3]',
      'Invalid spec.denyCommands[0]',
    ],
  ],
  [
    'such lists of a user',
    { users: [{ name: 'a', passwordFrom: { env: 'P' }, allow: ['@all'], deny: ['|GET'] }] },
    ['Invalid spec.users[0].allow[0]', 'Invalid spec.users[0].deny[0]'],
  ],
  ['half a certificate', { tls: { certFile: '/c' } }, ['Required spec.tls.keyFile']],
  ['a key for servers alone', { serverTls: { keyFile: '/k' } }, ['Required spec.serverTls.certFile']],
  [
    'limits that let nothing through',
    {
      limits: {
        maxClients: 0,
        maxBulkBytes: 'big',
        maxIdleLeases: -1,
      },
    },
    [
      'Invalid spec.limits.maxClients',
      'Invalid spec.limits.maxBulkBytes',
      'Invalid spec.limits.maxIdleLeases',
    ],
  ],
  [
    'limits that contradict each other or cannot work',
    {
      limits: {
        maxBulkBytes: '1023',
        maxHeldBytes: '1KiB',
        maxClientOutputBytes: '2GiB',
        connectTimeout: '0s',
        idleTimeout: '10ms',
      },
    },
    [
      'Invalid spec.limits.connectTimeout',
      'Invalid spec.limits.maxBulkBytes',
      'Invalid spec.limits.maxBufferedBytes',
      'Invalid spec.limits.idleTimeout',
    ],
  ],
  ['a slow log without end', { slowLog: { entries: 10_001 } }, ['Invalid spec.slowLog.entries']],
  [
    'spans of more than every command, to nowhere',
    { tracing: { sample: 1.5, endpoint: 'collector:4318' } },
    ['Invalid spec.tracing.sample'],
  ],
  ['spans to nowhere', { tracing: { endpoint: 'collector:4318' } }, ['Invalid spec.tracing.endpoint']],
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

test('RedisAmbassador: accepts Sentinel, a cluster, and a Service that has all servers', (t) => {
  const alone = (spec: Loose): string[] => problems(redisAmbassadorKind, named({ spec }));
  t.same(
    alone({
      sentinel: ['10.0.0.1:26379,10.0.0.2:26379', 'rediss://s3.example.com'],
      master: 'mymaster',
      sentinelUsername: 'watcher',
      sentinelPasswordFrom: { file: '/s' },
      readPolicy: 'replica',
    }),
    [],
  );
  t.same(alone({ cluster: ['svc:default/redis'], readPolicy: 'replica' }), []);
  t.same(alone({ primary: 'svc:default/redis', readPolicy: 'replica' }), []);
  t.end();
});

test('RedisAmbassador: accepts all its guard rails', (t) => {
  const spec = {
    zone: 'a',
    writeAcks: 1,
    writeAcksTimeout: '100ms',
    failoverWait: '0s',
    allowNonAtomicMset: true,
    routes: [
      { prefix: 'a:', primary: '10.0.0.3:6379', username: 'u', passwordFrom: { file: '/p' } },
      { prefix: 'a:b:', sentinel: ['10.0.0.1:26379'], master: 'm', consistency: 'eventual' },
    ],
    users: [
      { name: 'default', passwordFrom: { file: '/p' } },
      {
        name: 'viewer',
        passwordFrom: { env: 'P' },
        readOnly: true,
        allow: ['GET', 'CONFIG|GET'],
        deny: ['KEYS'],
      },
    ],
    readOnly: true,
    denyCommands: ['FLUSHALL', 'config|set', 'FT.DROPINDEX', '_PRIVATE'],
    tls: { certFile: '/c', keyFile: '/k', clientCaFile: '/ca' },
    serverTls: { caFile: '/ca', certFile: '/c', keyFile: '/k', serverName: 'redis.internal' },
    limits: { maxClients: 5, maxIdleLeases: 0, idleTimeout: '5m', maxBulkBytes: '1MiB' },
    slowLog: { threshold: '0s', entries: 0 },
    tracing: { endpoint: 'http://127.0.0.1:4318', sample: 1 },
  };
  t.same(problems(redisAmbassadorKind, ambassador(spec)), []);
  t.match(admitted(redisAmbassadorKind, ambassador(spec)).spec, {
    users: [{ readOnly: false }, { readOnly: true }],
    limits: { maxClients: 5, maxPipelined: 10_000, maxBufferedBytes: '512MiB' },
  });
  t.match(admitted(redisAmbassadorKind, ambassador({})).spec, {
    writeAcks: 0,
    writeAcksTimeout: '1s',
    failoverWait: '15s',
    allowNonAtomicMset: false,
    readOnly: false,
    limits: { maxClients: 10_000, maxBulkBytes: '512MiB', maxLinesPerServer: 32 },
    slowLog: { threshold: '10ms', entries: 128, keys: false },
    tracing: { sample: 0.01 },
  });
  t.end();
});

test('RedisAmbassador: says what belongs to what', (t) => {
  const wording = (spec: Loose): string[] => problems(redisAmbassadorKind, ambassador(spec));
  t.same(wording({ primary: undefined }), [
    'Required spec.primary: Required value: the server that takes writes; or sentinel and master; or cluster',
  ]);
  t.same(wording({ cluster: ['10.0.0.1:6379'] }), [
    'Forbidden spec.cluster: Forbidden: may not be set together with `primary`',
  ]);
  t.same(wording({ denyCommands: ['@dangerous'] }), [
    'Invalid spec.denyCommands[0]: Invalid value: "@dangerous": categories are not known here: name the commands; ' +
      '`readOnly` refuses all that may write',
  ]);
  t.same(wording({ limits: { maxClientOutputBytes: '2GiB' } }), [
    'Invalid spec.limits.maxBufferedBytes: Invalid value: "512MiB": must not be smaller than `maxClientOutputBytes`, ' +
      'which would never be reached',
  ]);
  t.end();
});

test('RedisAmbassador: says why an address is none', (t) => {
  t.same(problems(redisAmbassadorKind, ambassador({ primary: 'redis' })), [
    'Invalid spec.primary: Invalid value: "redis": "redis" is not an address; want HOST:PORT, [V6]:PORT, :PORT, ' +
      'unix:/path or fd:N',
  ]);
  t.end();
});
