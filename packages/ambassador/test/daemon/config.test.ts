import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { tempDir } from '../../../../test/harness/index.ts';
import { authCommand, readCredentials, readPassword } from '../../src/upstream/credentials.ts';
import { ambassadorSchema } from '../../src/daemon/config.ts';
import { parseServer } from '../../src/upstream/server.ts';
import { read as config } from './read.ts';

test('defaults are those of the command line’s contract', async (t) => {
  const fields = ambassadorSchema.fields;
  t.match(
    Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.default])),
    { listen: '127.0.0.1:6379', admin: '127.0.0.1:9121', readPolicy: 'preferReplica', consistency: 'session', maxLag: '10s' }, // prettier-ignore
  );
  t.match(config({ primary: 'redis-0:6379', replica: ['unix:/run/redis.sock'], maxLag: '1500ms' }), {
    upstream: {
      kind: 'static',
      primary: { kind: 'server', server: { name: 'redis-0:6379', tls: false } },
      replicas: [{ server: { name: 'unix:/run/redis.sock' } }],
    },
    login: { username: undefined, password: undefined },
    maxLagMs: 1500,
  });
});

test('every problem is told at once, and no password with them', async (t) => {
  const error = await Promise.resolve()
    .then(() =>
      config({
        primary: 'redis://user:hunter2@h:1',
        replica: ['redis://h:1/3', 'http://h', 'nonsense'],
        passwordFrom: { secret: 'redis/password' },
        username: 'app',
        maxLag: '0s',
      }),
    )
    .catch((thrown: Error) => thrown);
  const message = (error as Error).message;
  for (const path of ['primary', 'replica[0]', 'replica[1]', 'replica[2]', 'passwordFrom.secret', 'maxLag']) {
    t.match(message, new RegExp(`^${path.replace(/[[\].]/g, '\\$&')}: `, 'm'), path);
  }
  t.notMatch(message, /hunter2/);
  t.match(message, /use username and passwordFrom/);
  t.throws(() => config({}), /^primary: .*the server that takes writes/);
  t.throws(() => config({ primary: 'svc:default/redis' }), /^control: .*where the control service is/m);
  t.throws(() => config({ primary: 'h:1', readPolicy: 'replica' }), /^replica: .*at least one/);
  t.throws(() => config({ primary: 'h:1', username: 'app' }), /^passwordFrom: .*password of username/);
});

test('servers are written in five ways', async (t) => {
  const server = (text: string): unknown => {
    const spec = parseServer(text);
    return spec.kind === 'server' ? [spec.server.name, spec.server.tls] : spec;
  };
  t.strictSame(server('h:1'), ['h:1', false]);
  t.strictSame(server('[::1]:1'), ['[::1]:1', false]);
  t.strictSame(server('unix:/a/b'), ['unix:/a/b', false]);
  t.strictSame(server('redis://h'), ['h:6379', false]);
  t.strictSame(server('redis://[::1]:7/0'), ['[::1]:7', false]);
  t.strictSame(server('rediss://h:7/'), ['h:7', true]);
  t.strictSame(server('svc:default/redis:tls'), { kind: 'service', namespace: 'default', name: 'redis', port: 'tls' }); // prettier-ignore
});

test('a password comes from a file or the environment, and is missed by name', async (t) => {
  const file = join(tempDir(t), 'password');
  writeFileSync(file, 'p w\n');
  t.strictSame(await readCredentials({ username: 'app', password: { from: 'file', path: file } }, {}), { username: 'app', password: 'p w' }); // prettier-ignore
  t.strictSame(await readCredentials({ username: undefined, password: { from: 'env', name: 'PW' } }, { PW: 'x' }), { username: undefined, password: 'x' }); // prettier-ignore
  t.equal(await readCredentials({ username: 'app', password: undefined }, {}), undefined);
  const missing = { code: 'AMBASSADOR_NO_PASSWORD' };
  await t.rejects(readPassword({ from: 'env', name: 'PW' }, {}), { ...missing, target: 'PW' });
  await t.rejects(readPassword({ from: 'file', path: `${file}.not` }, {}), { ...missing, message: /ENOENT/ }); // prettier-ignore
  writeFileSync(file, '\n');
  await t.rejects(readPassword({ from: 'file', path: file }, {}), missing);
  t.equal(String(authCommand({ username: undefined, password: 'p' })), '*2\r\n$4\r\nAUTH\r\n$1\r\np\r\n');
  t.equal(
    String(authCommand({ username: 'u', password: 'p' })),
    '*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$1\r\np\r\n',
  );
});
