/** Guard rails through the whole ambassador, against real servers: who may log in, and what they may. */

import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import { needs, startRedis, tempDir } from '../../../../test/harness/index.ts';
import { Client, command, config, startAmbassador } from '../session/setting.ts';
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
test('a command refused within MULTI makes EXEC fail, as at the server', redis, async (t) => {
  const server = await startRedis(t);
  const amb = await startAmbassador(t, { primary: server.address, denyCommands: ['DEL'] });
  const client = await amb.client();
  t.same(
    await asked(client, ['SET', 'k', 'v'], ['MULTI'], ['SET', 'k', 'w'], ['DEL', 'k'], ['EXEC'], ['GET', 'k']),
    ['+OK\r\n', '+OK\r\n', '+QUEUED\r\n', noPermission('del'), '-EXECABORT Transaction discarded because of previous errors.\r\n', '$1\r\nv\r\n'],
  ); // prettier-ignore
  t.same(
    await asked(client, ['MULTI'], ['SET', 'k', 'w'], ['EXEC']),
    ['+OK\r\n', '+QUEUED\r\n', '*1\r\n+OK\r\n'],
    'and the next one is its own',
  );
});

test('no way round the rules: what would be passed on unseen is not', redis, async (t) => {
  const server = await startRedis(t);
  await server.cli('SET', 'k', 'v');
  const amb = await startAmbassador(t, { primary: server.address, denyCommands: ['FLUSHALL', 'DEL'] });
  const client = await amb.client();
  t.same(
    await asked(client, ['REPLCONF', 'listening-port', '1'], ['FLUSHALL']),
    [noPermission('replconf'), noPermission('flushall')],
  ); // prettier-ignore
  client.send('DEL k\r\nflushall\r\n');
  t.same(await client.replies(2), [noPermission('del'), noPermission('flushall')]);
  for (const garbage of ['*1\r\n+FLUSHALL\r\n', '*-5\r\n', '*3\r\n$4\r\nPING\r\n$-1\r\n']) {
    const other = await amb.client();
    other.send(`${garbage}${command('FLUSHALL')}DEL k\r\n${command('DEL', 'k')}`);
    other.socket.end();
    await other.closed();
    t.notMatch(other.bytes, /\+OK|:1/, garbage);
  }
  t.equal(await server.cli('GET', 'k'), 'v');
});

for (const [name, ...before] of [
  [
    'a subscription in RESP3 that something else follows',
    ['HELLO', '3'],
    ['SUBSCRIBE', 'c'],
    ['MULTI'],
    ['DISCARD'],
  ],
  ['a subscription and WATCH', ['HELLO', '3'], ['SUBSCRIBE', 'c'], ['WATCH', 'x']],
  ['CLIENT TRACKING', ['HELLO', '3'], ['CLIENT', 'TRACKING', 'ON']],
  ['CLIENT REPLY OFF', ['CLIENT', 'REPLY', 'OFF']],
  ['DEBUG', ['DEBUG', 'JMAP']],
] as const) {
  test(`behind ${name} the rules hold`, redis, async (t) => {
    const server = await startRedis(t);
    await server.cli('SET', 'k', 'v');
    const amb = await startAmbassador(t, { primary: server.address, denyCommands: ['FLUSHALL', 'DEL'] });
    const client = await amb.client();
    for (const words of before) client.send(command(...words));
    await eventually('they have arrived', async () => client.bytes !== '' || name === 'CLIENT REPLY OFF');
    client.send(command('SET', 'first', '1') + command('DEL', 'k') + command('SET', 'last', '1'));
    await eventually('the last has arrived', async () => (await server.cli('EXISTS', 'last')) === '1');
    t.equal(await server.cli('GET', 'k'), 'v');
  });
}

test('nobody gets past AUTH by a frame that is none', redis, async (t) => {
  const server = await startGuarded(t);
  const own = ['-a', 'upstream', '--no-auth-warning'];
  await server.cli(...own, 'SET', 'k', 'v');
  const amb = await startAmbassador(t, { primary: server.address, ...ownLogin, users }, { environment });
  for (const garbage of ['*1\r\n+X\r\n', '*-5\r\n', '*3\r\n$4\r\nPING\r\n$-1\r\n', 'GET "k\r\n', '\r\n']) {
    const client = await amb.client();
    client.send(`${garbage}${command('DEL', 'k')}GET k\r\n${command('GET', 'k')}`);
    client.socket.end();
    await client.closed();
    t.notMatch(client.bytes, /\$1\r\nv|:1/, JSON.stringify(garbage));
  }
  t.equal(await server.cli(...own, 'GET', 'k'), 'v');
});

test('without a login of ours the servers judge, and users do not share what they may', redis, async (t) => {
  const server = await startRedis(t, {
    config: { user: 'app on >secret ~* +@all', requirepass: 'upstream' },
  });
  await server.cli(
    '-a',
    'upstream',
    '--no-auth-warning',
    'ACL',
    'SETUSER',
    'viewer',
    'on',
    '>look',
    '~*',
    '+@read',
    '+ping',
  );
  const amb = await startAmbassador(t, { primary: server.address });
  const [app, viewer, nobody] = [await amb.client(), await amb.client(), await amb.client()];
  t.equal(await app.ask('GET', 'k'), noAuth);
  t.equal(await app.ask('AUTH', 'app', 'wrong'), wrongPass);
  t.equal(await app.ask('AUTH', 'app', 'secret'), '+OK\r\n');
  t.equal(await viewer.ask('AUTH', 'viewer', 'look'), '+OK\r\n');
  t.equal(await app.ask('SET', 'k', 'v'), '+OK\r\n');
  t.match(await viewer.ask('SET', 'k', 'x'), /^-NOPERM/);
  t.equal(await viewer.ask('GET', 'k'), '$1\r\nv\r\n');
  t.equal(await nobody.ask('GET', 'k'), noAuth);
  t.equal(await app.ask('ACL', 'WHOAMI'), '$3\r\napp\r\n');
});

test('failures are counted', redis, async (t) => {
  const server = await startGuarded(t);
  const amb = await startAmbassador(t, { primary: server.address, ...ownLogin, users }, { environment });
  const client = await amb.client();
  await asked(
    client,
    ['GET', 'k'],
    ['AUTH', 'wrong'],
    ['AUTH', 'viewer', 'viewer-password'],
    ['SET', 'k', 'v'],
    ['KEYS', '*'],
  );
  t.equal(await amb.metric('auth_failures_total'), 1);
  t.equal(await amb.metric('denied_total', 'rule="unauthenticated"'), 1);
  t.ok((await amb.metric('denied_total', 'rule="command"')) >= 1);
});

test('a unix client is named as Redis names it', redis, async (t) => {
  const server = await startRedis(t);
  const path = join(tempDir(t), 'a');
  await startAmbassador(t, { primary: server.address, listen: `unix:${path}` });
  const client = new Client(connect(path));
  t.match(await client.ask('CLIENT', 'INFO'), `addr=${path}:0 laddr=${path}:0`);
  client.destroy();
});

test('a client that sends nothing is cut off after idleTimeout', redis, async (t) => {
  const server = await startRedis(t);
  const amb = await startAmbassador(t, { primary: server.address }, { limits: { idleTimeoutMs: 100 } });
  const client = await amb.client();
  await client.ask('PING');
  await client.closed();
});

test('limits move with a reload', redis, async (t) => {
  const server = await startRedis(t);
  const amb = await startAmbassador(t, { primary: server.address });
  await amb.daemon.reload(config({ primary: server.address, limits: { maxClients: 1 } }));
  await (await amb.client()).ask('PING');
  const second = await amb.client();
  await second.closed();
  t.match(second.bytes, /^-ERR max number of clients reached/);
});
