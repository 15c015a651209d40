import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { durationMs, redisLimits } from '@outrigger/core/api';
import { loadConfig } from '@outrigger/core/config';
import { test } from 'tap';
import { tempDir } from '../../../../test/harness/index.ts';
import { ambassadorChecks, ambassadorSchema, parseConfig } from '../../src/daemon/config.ts';
import type { AmbassadorConfig } from '../../src/daemon/config.ts';
import { defaultLimits } from '../../src/daemon/limits.ts';
import { readPassword } from '../../src/upstream/credentials.ts';
import { parseServer } from '../../src/upstream/server.ts';
import { read } from './read.ts';

/** As the command does: flags, then the document, then the rules. */
function fromCommandLine(
  args: string[],
  document: Record<string, unknown> = {},
  environment: Record<string, string> = {},
): AmbassadorConfig {
  const source = { name: 'cache.yaml', document };
  const checks = ambassadorChecks;
  return parseConfig(loadConfig({ schema: ambassadorSchema, args, environment, checks, source }).values);
}

function problemsOf(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  return [];
}

test('defaults are those of the command line’s contract', async (t) => {
  const fields = ambassadorSchema.fields;
  t.match(
    Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.default])),
    { listen: '127.0.0.1:6379', admin: '127.0.0.1:9121', readPolicy: 'preferReplica', consistency: 'session', maxLag: '10s' }, // prettier-ignore
  );
  t.match(read({ primary: 'redis-0:6379', replica: ['unix:/run/redis.sock'], maxLag: '1500ms' }), {
    upstream: {
      kind: 'static',
      primary: { kind: 'server', server: { name: 'redis-0:6379', tls: false } },
      replicas: [{ server: { name: 'unix:/run/redis.sock' } }],
    },
    login: { username: undefined, password: undefined },
    maxLagMs: 1500,
    zone: '',
    writeAcks: 0,
    writeAcksTimeoutMs: 1000,
    failoverWaitMs: 15_000,
    allowNonAtomicMset: false,
    routes: [],
    users: [],
    commands: { readOnly: false, allow: [], deny: [] },
    tls: undefined,
    serverTls: undefined,
    limits: defaultLimits,
    slowLog: { thresholdMs: 10, entries: 128, keys: false },
    tracing: { endpoint: undefined, sample: 0.01 },
    presence: false,
  });
});

test('Sentinels and clusters are named by flags: repeated, by commas, or both', async (t) => {
  const names = (upstream: AmbassadorConfig['upstream']): string[] => {
    const specs = upstream.kind === 'sentinel' ? upstream.sentinels : upstream.kind === 'cluster' ? upstream.seeds : []; // prettier-ignore
    return specs.map((spec) => (spec.kind === 'server' ? spec.server.name : spec.name));
  };
  const sentinel = fromCommandLine([
    ...['--sentinel', 's1:26379, s2:26379', '--sentinel=redis://s3', '--master', 'mymaster'],
    ...['--sentinel-username', 'watcher'],
  ], { sentinelPasswordFrom: { env: 'SP' }, passwordFrom: { file: '/p' } }); // prettier-ignore
  t.match(sentinel.upstream, {
    kind: 'sentinel',
    master: 'mymaster',
    sentinelLogin: { username: 'watcher', password: { from: 'env', name: 'SP' } },
  });
  t.same(names(sentinel.upstream), ['s1:26379', 's2:26379', 's3:26379']);
  t.same(sentinel.login, { username: undefined, password: { from: 'file', path: '/p' } });
  const cluster = fromCommandLine([], {}, { OUTRIGGER_CLUSTER: 'a:1 b:2,c:3', OUTRIGGER_ZONE: 'z1' });
  t.same([cluster.upstream.kind, names(cluster.upstream), cluster.zone], ['cluster', ['a:1', 'b:2', 'c:3'], 'z1']); // prettier-ignore
  t.same(
    problemsOf(() => fromCommandLine(['--cluster', 'a:1,nowhere', '--sentinel', 'http://x'])),
    [
      '--cluster: got "a:1,nowhere", want HOST:PORT, [V6]:PORT, :PORT, unix:/path or fd:N',
      '--sentinel: got "http://x", want redis:// or rediss://',
    ],
  );
  t.same(
    problemsOf(() => fromCommandLine(['--cluster', 'a:1', '--sentinel', 'b:1'])),
    [
      'cluster: got a value, want none: it may not be set together with `sentinel`',
      'master: got nothing, want the name by which the Sentinels know the primary',
    ],
  );
});

test('a Service alone has all servers; with replicas beside it, the primary', async (t) => {
  const control = { control: ['http://127.0.0.1:1'] };
  t.match(read({ primary: 'svc:default/redis', ...control }).upstream, {
    kind: 'service',
    servers: [{ kind: 'service', name: 'redis' }],
  });
  t.match(read({ primary: 'svc:default/redis', replica: ['svc:default/copies'], ...control }).upstream, {
    kind: 'static',
    primary: { kind: 'service', name: 'redis' },
    replicas: [{ kind: 'service', name: 'copies' }],
  });
  t.throws(() => read({ primary: 'svc:default/redis' }), /^control: .*where the control service is/m);
  t.throws(
    () => read({ primary: 'h:1', routes: [{ prefix: 'a', cluster: ['svc:default/redis'] }] }),
    /^control: .*where the control service is/m,
  );
});

test('with serverTls every server has TLS whose scheme is left out', async (t) => {
  const tls = (upstream: AmbassadorConfig['upstream']): boolean[] =>
    upstream.kind === 'static'
      ? [upstream.primary, ...upstream.replicas].flatMap((spec) => (spec.kind === 'server' ? [spec.server.tls] : [])) // prettier-ignore
      : [];
  const servers = { primary: 'a:1', replica: ['redis://b:1', 'rediss://c:1', 'unix:/d'] };
  t.same(tls(read(servers).upstream), [false, false, true, false]);
  const config = read({
    ...servers,
    serverTls: { caFile: '/ca' },
    routes: [{ prefix: 'x', primary: 'e:1' }],
  });
  t.same(tls(config.upstream), [true, false, true, false]);
  t.same(tls(config.routes[0]?.upstream ?? config.upstream), [true]);
  t.same(config.serverTls, { caFile: '/ca', certFile: undefined, keyFile: undefined, serverName: undefined });
});

test('routes: the longest prefix first, and what they leave out is that of the whole', async (t) => {
  const { routes } = read({
    primary: 'h:1',
    username: 'app',
    passwordFrom: { env: 'P' },
    readPolicy: 'primary',
    routes: [
      { prefix: 'a:', primary: 'a:1' },
      { prefix: 'a:é:', primary: 'b:1', passwordFrom: { env: 'Q' }, consistency: 'eventual', readPolicy: 'nearest' }, // prettier-ignore
    ],
  });
  t.match(routes, [
    {
      prefix: Buffer.from('a:é:'),
      upstream: { primary: { server: { name: 'b:1' } } },
      login: { username: undefined, password: { name: 'Q' } },
      readPolicy: 'nearest',
      consistency: 'eventual',
    },
    {
      prefix: Buffer.from('a:'),
      login: { username: 'app', password: { name: 'P' } },
      readPolicy: 'primary',
      consistency: 'session',
    },
  ]);
});

test('users, lists and limits come from the document; lists from flags too', async (t) => {
  const config = fromCommandLine(['--deny-commands', 'flushall', '--deny-commands', 'config|set', '--read-only'], {
    primary: 'h:1',
    users: [{ name: 'viewer', passwordFrom: { file: '/v' }, allow: ['get'] }],
    limits: { maxClients: 7, idleTimeout: '1m', maxBulkBytes: '1MiB' },
    slowLog: { entries: 0 },
    tls: { certFile: '/c', keyFile: '/k' },
    tracing: { endpoint: 'http://127.0.0.1:4318' },
  }); // prettier-ignore
  t.same(config.commands, { readOnly: true, allow: [], deny: ['FLUSHALL', 'CONFIG|SET'] });
  t.same(config.users, [
    { name: 'viewer', password: { from: 'file', path: '/v' }, readOnly: false, allow: ['GET'], deny: [] },
  ]);
  t.same(config.limits, { ...defaultLimits, maxClients: 7, idleTimeoutMs: 60_000, maxBulkBytes: 2 ** 20 });
  t.same(config.slowLog, { thresholdMs: 10, entries: 0, keys: false });
  t.same(config.tls, { certFile: '/c', keyFile: '/k', clientCaFile: undefined });
  t.same(config.tracing, { endpoint: 'http://127.0.0.1:4318', sample: 0.01 });
  t.ok(Object.isFrozen(config));
});

test('the limits of the document are those of the program, under the same names', async (t) => {
  for (const [name, field] of Object.entries(redisLimits.fields)) {
    const isDuration = field.type === 'string' && field.format === 'duration';
    const value = (defaultLimits as unknown as Record<string, number>)[isDuration ? `${name}Ms` : name];
    t.type(value, 'number', name);
    if (field.type === 'integer') t.equal(value, field.default, name);
    if (isDuration) t.equal(value, durationMs(String(field.default), name), name);
  }
  t.match(defaultLimits, {
    maxClients: 10_000,
    maxBulkBytes: 512 * 2 ** 20,
    maxClientOutputBytes: 64 * 2 ** 20,
    maxBufferedBytes: 512 * 2 ** 20,
    maxLinesPerServer: 32,
    idleTimeoutMs: 0,
  });
});

test('every limit is described in docs/ambassador.md', async (t) => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/ambassador.md'), 'utf8');
  const names = [...Object.keys(redisLimits.fields), ...Object.keys(defaultLimits)];
  const spoken = new Set([...page.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  const configured = Object.entries(redisLimits.fields);
  const durations = new Set(
    configured.flatMap(([name, field]) => (field.type === 'string' && field.format === 'duration' ? [`${name}Ms`] : [])), // prettier-ignore
  );
  t.same(
    names.filter((name) => !spoken.has(name) && !durations.has(name)),
    [],
  );
});

test('what is missing deep inside, or unknown there, is told', async (t) => {
  t.same(
    problemsOf(() =>
      read({
        primary: 'h:1',
        users: [{ name: 'a' }],
        tls: { keyFile: '/k' },
        routes: [{ primary: 'h:1' }],
        limits: { maxClients: 0 },
      }),
    ),
    [
      'limits.maxClients: got 0, want must be greater than or equal to 1',
      'users[0].passwordFrom: got nothing, want a value',
      'tls.certFile: got nothing, want a value',
      'routes[0].prefix: got nothing, want a value',
    ],
  );
  const deep = {
    limits: { maxSessions: 1 },
    users: [{ name: 'a', passwordFrom: { env: 'P' }, password: 'x' }],
  };
  t.same(
    problemsOf(() => read({ primary: 'h:1', ...deep })),
    [
      'limits.maxSessions: got a value, want none: it is an unknown field',
      'users[0].password: got a value, want none: it is an unknown field',
    ],
  );
});

test('every problem is told at once, and no password with them', async (t) => {
  const message = problemsOf(() =>
    read({
      primary: 'redis://user:hunter2@h:1',
      replica: ['redis://h:1/3', 'http://h', 'nonsense'],
      passwordFrom: { secret: 'redis/password' },
      username: 'app',
      maxLag: '0s',
      users: [{ name: 'a', passwordFrom: { secret: 'redis/a' } }],
      routes: [
        { prefix: 'x', cluster: ['rediss://u:hunter2@h:1'], passwordFrom: { secret: 'redis/x' } },
        { prefix: 'y', sentinel: ['h:1'], master: 'm', sentinelPasswordFrom: { secret: 'redis/y' } },
      ],
    }),
  ).join('\n');
  const paths = [
    ...['primary', 'replica[0]', 'replica[1]', 'replica[2]', 'passwordFrom.secret', 'maxLag'],
    ...['users[0].passwordFrom.secret', 'routes[0].cluster[0]', 'routes[0].passwordFrom.secret'],
    'routes[1].sentinelPasswordFrom.secret',
  ];
  for (const path of paths) {
    t.match(message, new RegExp(`^${path.replace(/[[\].]/g, '\\$&')}: `, 'm'), path);
  }
  t.notMatch(message, /hunter2/);
  t.match(message, /use username and passwordFrom/);
  t.match(message, /mount the Secret and name its file/);
  t.throws(() => read({}), /^primary: .*the server that takes writes/);
  t.throws(() => read({ primary: 'h:1', readPolicy: 'replica' }), /^replica: .*at least one/);
  t.throws(() => read({ primary: 'h:1', username: 'app' }), /^passwordFrom: .*password of username/);
});

test('the control connection keeps what only the command knows', async (t) => {
  const { control } = read({
    primary: 'h:1',
    inCluster: true,
    inClusterAddress: '10.0.0.1:443',
    stateDir: '/s',
  });
  t.match(control, { inCluster: true, inClusterAddress: '10.0.0.1:443', stateDir: '/s' });
});

test('servers are written in five ways', async (t) => {
  const server = (text: string, defaults = {}): unknown => {
    const spec = parseServer(text, defaults);
    return spec.kind === 'server' ? [spec.server.name, spec.server.tls] : spec;
  };
  t.strictSame(server('h:1'), ['h:1', false]);
  t.strictSame(server('[::1]:1'), ['[::1]:1', false]);
  t.strictSame(server('unix:/a/b'), ['unix:/a/b', false]);
  t.strictSame(server('redis://h'), ['h:6379', false]);
  t.strictSame(server('redis://h', { port: 26_379 }), ['h:26379', false]);
  t.strictSame(server('redis://[::1]:7/0'), ['[::1]:7', false]);
  t.strictSame(server('rediss://h:7/'), ['h:7', true]);
  t.strictSame(server('h:7', { tls: true }), ['h:7', true]);
  t.strictSame(server('svc:default/redis:tls'), { kind: 'service', namespace: 'default', name: 'redis', port: 'tls' }); // prettier-ignore
});

test('a password comes from a file or the environment, and is missed by name', async (t) => {
  const file = join(tempDir(t), 'password');
  writeFileSync(file, 'p w\n');
  t.equal(await readPassword({ from: 'file', path: file }, {}), 'p w');
  t.equal(await readPassword({ from: 'env', name: 'PW' }, { PW: 'x' }), 'x');
  const missing = { code: 'AMBASSADOR_NO_PASSWORD' };
  await t.rejects(readPassword({ from: 'env', name: 'PW' }, {}), { ...missing, target: 'PW' });
  await t.rejects(readPassword({ from: 'file', path: `${file}.not` }, {}), { ...missing, message: /ENOENT/ });
  writeFileSync(file, '\n');
  await t.rejects(readPassword({ from: 'file', path: file }, {}), missing);
  writeFileSync(file, Buffer.of(0x70, 0xff));
  await t.rejects(readPassword({ from: 'file', path: file }, {}), { ...missing, hint: /UTF-8/ });
});
