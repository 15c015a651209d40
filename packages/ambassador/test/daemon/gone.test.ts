/** Whoever may not be there any more is closed: users that are gone, and what a reload has forbidden. */

import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { command, config, startAmbassador } from '../session/setting.ts';
import type { Client } from '../session/setting.ts';
import { environment, ownLogin, startGuarded } from './guarded.ts';

const redis = needs('redis-server', 'redis-cli');
const killed = 'reason="killed"';

async function logIn(client: Client, user: string, password: string): Promise<Client> {
  if ((await client.ask('AUTH', user, password)) !== '+OK\r\n') throw new Error(`${user} may not log in`);
  return client;
}

test(
  'ACL DELUSER closes the clients of its user, idle ones too, and ACL SETUSER off does not',
  redis,
  async (t) => {
    const server = await startRedis(t);
    for (const user of ['ann', 'bob'])
      await server.cli('ACL', 'SETUSER', user, 'on', '>pw', '~*', '&*', '+@all');
    const amb = await startAmbassador(t, { primary: server.address });
    const [ann, idle, busy, listening] = [
      await logIn(await amb.client(), 'ann', 'pw'),
      await logIn(await amb.client(), 'bob', 'pw'),
      await logIn(await amb.client(), 'bob', 'pw'),
      await logIn(await amb.client(), 'bob', 'pw'),
    ];
    await listening.ask('SUBSCRIBE', 'c');
    t.equal(await ann.ask('ACL', 'SETUSER', 'bob', 'off'), '+OK\r\n');
    t.match(await (await amb.client()).ask('AUTH', 'bob', 'pw'), /^-WRONGPASS/);
    t.equal(await busy.ask('SET', 'k', 'v'), '+OK\r\n', 'who is in stays in, as at a Redis');
    t.equal(await ann.ask('ACL', 'DELUSER', 'bob'), ':1\r\n');
    await Promise.all([idle.closed(), busy.closed(), listening.closed()]);
    t.equal(await ann.ask('GET', 'k'), '$1\r\nv\r\n', 'others go on');
  },
);

test('a user that a reload takes away is closed, whatever its clients are doing', redis, async (t) => {
  const server = await startGuarded(t);
  const values = { primary: server.address, ...ownLogin };
  const app = { name: 'app', passwordFrom: { env: 'APP' } };
  const viewer = { name: 'viewer', passwordFrom: { env: 'VIEWER' } };
  const amb = await startAmbassador(t, { ...values, users: [app, viewer] }, { environment });
  const stays = await logIn(await amb.client(), 'viewer', 'viewer-password');
  const [idle, listening, blocked] = [
    await logIn(await amb.client(), 'app', 'app-password'),
    await logIn(await amb.client(), 'app', 'app-password'),
    await logIn(await amb.client(), 'app', 'app-password'),
  ];
  await listening.ask('SUBSCRIBE', 'c');
  blocked.send(command('BLPOP', 'list', '0'));
  await eventually('it blocks', async () => (await server.cli('-a', 'upstream', 'INFO', 'clients')).includes('blocked_clients:1')); // prettier-ignore
  await amb.daemon.reload(config({ ...values, users: [viewer] }));
  await Promise.all([idle.closed(), listening.closed(), blocked.closed()]);
  t.equal(await stays.ask('PING'), '+PONG\r\n');
  t.equal(await amb.metric('sessions_ended_total', killed), 3);
  await eventually('the server has let go of it', async () =>
    (await server.cli('-a', 'upstream', 'INFO', 'clients')).includes('blocked_clients:0'),
  );
});

test('what is joined to a server ends when a reload forbids it, and only then', redis, async (t) => {
  const server = await startRedis(t);
  const values = { primary: server.address };
  const amb = await startAmbassador(t, values);
  const [monitoring, listening, plain] = [await amb.client(), await amb.client(), await amb.client()];
  t.equal(await monitoring.ask('MONITOR'), '+OK\r\n');
  await listening.ask('SUBSCRIBE', 'c');
  await amb.daemon.reload(config({ ...values, readPolicy: 'primary' }));
  t.equal(await plain.ask('PUBLISH', 'c', '1'), ':1\r\n', 'a reload that forbids nothing ends nobody');
  t.match((await listening.replies(1))[0], /message/);
  await amb.daemon.reload(config({ ...values, denyCommands: ['MONITOR'] }));
  await monitoring.closed();
  t.equal(await plain.ask('PUBLISH', 'c', '2'), ':1\r\n', 'who is subscribed stays');
  await amb.daemon.reload(config({ ...values, denyCommands: ['SUBSCRIBE'] }));
  await listening.closed();
  t.equal(await plain.ask('PUBLISH', 'c', '3'), ':0\r\n');
});

test('who is spliced cannot be judged, so any rule that concerns it ends it', redis, async (t) => {
  const server = await startRedis(t);
  const values = { primary: server.address };
  const amb = await startAmbassador(t, values);
  const client = await amb.client();
  // REPLCONF is passed on blindly from there on.
  client.send(command('REPLCONF', 'listening-port', '1'));
  t.equal((await client.replies(1))[0], '+OK\r\n');
  t.equal(await client.ask('SET', 'k', 'v'), '+OK\r\n');
  await amb.daemon.reload(config({ ...values, denyCommands: ['FLUSHALL'] }));
  await client.closed();
  t.equal(await server.cli('GET', 'k'), 'v');
});

test(
  'what a client has to itself at a server that a reload takes away ends, after a time',
  redis,
  async (t) => {
    const [old, next] = [await startRedis(t), await startRedis(t)];
    const amb = await startAmbassador(t, { primary: old.address }, { limits: { removedServerMs: 300 } });
    const [listening, blocked, queueing] = [await amb.client(), await amb.client(), await amb.client()];
    await listening.ask('SUBSCRIBE', 'c');
    t.equal(await queueing.ask('MULTI'), '+OK\r\n');
    blocked.send(command('BLPOP', 'list', '0'));
    await eventually('it blocks', async () =>
      (await old.cli('INFO', 'clients')).includes('blocked_clients:1'),
    );
    const reloadedAt = Date.now();
    await amb.daemon.reload(config({ primary: next.address }));
    await old.cli('PUBLISH', 'c', 'hi');
    t.match(await listening.replies(1), [/\r\nhi\r\n$/], 'it goes on for a while');
    await Promise.all([listening.closed(), queueing.closed()]);
    t.ok(Date.now() - reloadedAt >= 300);
    t.match(await blocked.replies(1), [/^-OUTRIGGER write outcome unknown: .*not one of ours any longer/]);
    t.equal(await blocked.ask('SET', 'k', 'v'), '+OK\r\n');
    t.equal(await next.cli('GET', 'k'), 'v');
    const there = `server="${old.address}"`;
    await eventually(
      'nothing is left there',
      async () => (await amb.metric('upstream_connections', there)) === 0,
    );
  },
);
