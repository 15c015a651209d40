import { FakeClock } from '@outrigger/core/clock';
import { silentLogger } from '@outrigger/core/log';
import { resolveConnection } from '@outrigger/core/watch';
import type { ControlConnection } from '@outrigger/core/watch';
import { join } from 'node:path';
import { test } from 'tap';
import type { Test } from 'tap';

const deps = { clock: new FakeClock(), log: silentLogger() };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

function config(user: string, cluster = ''): string {
  return `
apiVersion: v1
kind: Config
current-context: main
contexts:
- {name: main, context: {cluster: c, user: u, namespace: shop}}
- {name: other, context: {cluster: plain}}
- {name: broken, context: {cluster: nowhere, user: u}}
clusters:
- name: c
  cluster:
    server: https://api.example:6443
    ${cluster}
- {name: plain, cluster: {server: 'http://127.0.0.1:8001'}}
users:
- name: u
  user: {${user}}
`;
}

async function connect(t: Test, files: Record<string, string>, context?: string): Promise<ControlConnection> {
  const dir = t.testdir(files);
  const kubeconfig = join(dir, 'config');
  return resolveConnection({ kubeconfig, ...(context === undefined ? {} : { context }) }, deps);
}

test('everything in place', async (t) => {
  const user = `client-certificate-data: ${base64('CERT')}, client-key-data: ${base64('KEY')}, token: tok`;
  const cluster = `certificate-authority-data: ${base64('CA')}\n    tls-server-name: kubernetes`;
  const connection = await connect(t, { config: config(user, cluster) });
  t.equal(connection.urls[0]?.text, 'https://api.example:6443');
  t.equal(connection.namespace, 'shop');
  t.equal(await connection.authorization(), 'Bearer tok');
  t.same(await connection.tls(), {
    ca: 'CA',
    cert: 'CERT',
    key: 'KEY',
    serverName: 'kubernetes',
    rejectUnauthorized: true,
  });
});

test('everything in files beside it; a token file wins over a token', async (t) => {
  const user = 'client-certificate: c.pem, client-key: c.key, token: old, tokenFile: tok';
  const connection = await connect(t, {
    config: config(user, 'certificate-authority: ca.pem'),
    'c.pem': 'CERT',
    'c.key': 'KEY',
    'ca.pem': 'CA',
    tok: 'new',
  });
  t.match(await connection.tls(), { ca: 'CA', cert: 'CERT', key: 'KEY' });
  t.equal(await connection.authorization(), 'Bearer new');
});

test('another context, without a user', async (t) => {
  const connection = await connect(t, { config: config('token: t') }, 'other');
  t.equal(connection.urls[0]?.text, 'http://127.0.0.1:8001');
  t.equal(connection.namespace, undefined);
  t.equal(await connection.authorization(), undefined);
});

test('insecure-skip-tls-verify', async (t) => {
  const connection = await connect(t, { config: config('token: t', 'insecure-skip-tls-verify: true') });
  t.match(await connection.tls(), { rejectUnauthorized: false });
});

test('what would change who we are is refused, not ignored', async (t) => {
  const users: [string, RegExp][] = [
    ['exec: {command: aws}', /exec is not supported/],
    ['auth-provider: {name: gcp}', /auth-provider is not supported/],
    ['username: me, password: p', /username is not supported/],
    ['as: admin', /as is not supported/],
  ];
  for (const [user, message] of users) {
    await t.rejects(connect(t, { config: config(user) }), { code: 'KUBECONFIG_INVALID', message }, user);
  }
  await t.rejects(connect(t, { config: config('token: t', 'proxy-url: http://p') }), {
    message: /proxy-url/,
  });
});

test('what is wrong in it is said', async (t) => {
  const valid = config('token: t');
  const cases: [string, RegExp, string?][] = [
    [valid, /no context named "nothing"/, 'nothing'],
    [valid, /no cluster named "nowhere"/, 'broken'],
    [valid.replace('current-context: main', ''), /no current-context/],
    [valid.replace('server: https://api.example:6443', 'x: y'), /has no server/],
    [valid.replace('https://api.example:6443', 'api.example'), /not a control URL/],
    ['{', /is not YAML/],
    ['[]', /is not a mapping/],
    [valid.replace('cluster: c,', 'cluster: [1],'), /cluster is not a text/],
  ];
  for (const [text, message, context] of cases) {
    await t.rejects(connect(t, { config: text }, context), { message }, String(message));
  }
  await t.rejects(resolveConnection({ kubeconfig: '/nonexistent' }, deps), {
    code: 'KUBECONFIG_INVALID',
    message: /ENOENT/,
  });
});
