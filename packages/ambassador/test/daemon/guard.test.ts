/** Guard rails through the whole ambassador, against real servers: who may log in, and what they may. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import { needs, startRedis, tempDir } from '../../../../test/harness/index.ts';
import { config, startAmbassador } from '../session/setting.ts';
import {
  asked,
  environment,
  noAuth,
  noPermission,
  ownLogin,
  startGuarded,
  users,
  wrongPass,
} from './guarded.ts';

const redis = needs('redis-server', 'redis-cli');
test('with users nothing is answered or sent before AUTH, and each may what it may', redis, async (t) => {
  const server = await startGuarded(t);
  const amb = await startAmbassador(
    t,
    { primary: server.address, ...ownLogin, users, denyCommands: ['FLUSHALL', 'CONFIG|SET'] },
    { environment },
  );
  const client = await amb.client();
  t.same(
    await asked(client, ['SET', 'k', 'v'], ['PING'], ['MULTI'], ['AUTH', 'upstream'], ['AUTH', 'viewer', 'app-password']),
    [noAuth, noAuth, noAuth, wrongPass, wrongPass],
  ); // prettier-ignore
  t.match(
    await client.ask('HELLO', '3'),
    /^-NOAUTH HELLO must be called with the client already authenticated/,
  );
  t.same(
    await asked(client, ['AUTH', 'app-password'], ['SET', 'k', 'v'], ['GET', 'k'], ['FLUSHALL'], ['config', 'set', 'maxmemory', '0'], ['CONFIG', 'GET', 'maxmemory']),
    ['+OK\r\n', '+OK\r\n', '$1\r\nv\r\n', noPermission('flushall'), noPermission('config|set'), '*2\r\n$9\r\nmaxmemory\r\n$1\r\n0\r\n'],
  ); // prettier-ignore

  const viewer = await amb.client();
  t.match(await viewer.ask('HELLO', '3', 'AUTH', 'viewer', 'viewer-password'), /^%7\r\n/);
  t.same(
    await asked(viewer, ['GET', 'k'], ['SET', 'k', 'x'], ['EVAL', 'return 1', '0'], ['KEYS', '*'], ['GET', 'k']),
    ['$1\r\nv\r\n', noPermission('set'), noPermission('eval'), noPermission('keys'), '$1\r\nv\r\n'],
  ); // prettier-ignore
  t.equal(await server.cli('-a', 'upstream', '--no-auth-warning', 'GET', 'k'), 'v');
});

test('read-only for everybody: transactions of reads run, nothing is changed', redis, async (t) => {
  const server = await startRedis(t);
  await server.cli('SET', 'k', 'v');
  const amb = await startAmbassador(t, { primary: server.address, readOnly: true });
  const client = await amb.client();
  t.same(
    await asked(client, ['SET', 'k', 'w'], ['MULTI'], ['GET', 'k'], ['EXEC'], ['BLPOP', 'l', '0'], ['EVAL_RO', "return redis.call('GET', KEYS[1])", '1', 'k']),
    [noPermission('set'), '+OK\r\n', '+QUEUED\r\n', '*1\r\n$1\r\nv\r\n', noPermission('blpop'), '$1\r\nv\r\n'],
  ); // prettier-ignore
});

test('with our login alone no AUTH is needed, and one that is said must be that login', redis, async (t) => {
  const server = await startGuarded(t);
  const amb = await startAmbassador(t, { primary: server.address, ...ownLogin }, { environment });
  const client = await amb.client();
  t.same(
    await asked(client, ['SET', 'k', 'v'], ['AUTH', 'default', 'wrong'], ['AUTH', 'upstream'], ['AUTH', 'default', 'upstream'], ['AUTH', 'nobody', 'upstream'], ['GET', 'k']),
    ['+OK\r\n', wrongPass, '+OK\r\n', '+OK\r\n', wrongPass, '$1\r\nv\r\n'],
  ); // prettier-ignore
  t.match(await client.ask('AUTH', 'wrong'), /^-(WRONGPASS|ERR AUTH) /);
});

test('users, their passwords and rules change while clients are connected', redis, async (t) => {
  const server = await startGuarded(t);
  const file = join(tempDir(t), 'password');
  writeFileSync(file, 'first');
  const values = { primary: server.address, ...ownLogin };
  const filed = { name: 'app', passwordFrom: { file } };
  const amb = await startAmbassador(
    t,
    { ...values, users: [filed] },
    { environment, limits: { fileCheckIntervalMs: 10 } },
  );
  const client = await amb.client();
  t.equal(await client.ask('AUTH', 'app', 'first'), '+OK\r\n');
  writeFileSync(file, 'second');
  const later = await amb.client();
  await eventually('the new password', async () => (await later.ask('AUTH', 'app', 'second')) === '+OK\r\n');
  t.equal(await later.ask('AUTH', 'app', 'first'), wrongPass);
  t.equal(await client.ask('SET', 'k', 'v'), '+OK\r\n', 'who is in stays in');

  await amb.daemon.reload(config({ ...values, users: [{ ...filed, readOnly: true }] }));
  t.equal(await client.ask('SET', 'k', 'w'), noPermission('set'));
  t.equal(await client.ask('GET', 'k'), '$1\r\nv\r\n');
  await t.rejects(
    amb.daemon.reload(config({ ...values, users: [{ name: 'app', passwordFrom: { env: 'NONE' } }] })),
    {
      code: 'AMBASSADOR_NO_PASSWORD',
    },
  );
  t.equal(await client.ask('GET', 'k'), '$1\r\nv\r\n', 'a reload that fails changes nothing');
  await amb.daemon.reload(config({ ...values, users: [{ name: 'other', passwordFrom: { env: 'APP' } }] }));
  t.match(
    await client.ask('GET', 'k').catch(() => 'closed'),
    /^-NO|closed/,
    'a user that is gone may nothing',
  );
});
