/** Who a client is, and which database it uses, as the server judges it. */

import { test } from 'tap';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { startAmbassador } from '../session/setting.ts';

const redis = needs('redis-server', 'redis-cli');

test('a password that was good once is asked about each time', redis, async (t) => {
  const server = await startRedis(t);
  await server.cli('ACL', 'SETUSER', 'bob', 'on', '>pw', '~*', '+@all');
  const amb = await startAmbassador(t, { primary: server.address });
  const [first, second, third] = [await amb.client(), await amb.client(), await amb.client()];
  t.equal(await first.ask('AUTH', 'bob', 'pw'), '+OK\r\n');
  t.equal(await first.ask('SET', 'k', 'v'), '+OK\r\n');
  await server.cli('ACL', 'SETUSER', 'bob', 'off');
  t.match(await second.ask('AUTH', 'bob', 'pw'), /^-WRONGPASS/);
  t.equal(await second.ask('ACL', 'WHOAMI'), '$7\r\ndefault\r\n', 'and it is who it was');
  await server.cli('ACL', 'SETUSER', 'bob', 'on');
  t.equal(await third.ask('AUTH', 'bob', 'pw'), '+OK\r\n');
  t.equal(await third.ask('ACL', 'WHOAMI'), '$3\r\nbob\r\n');
});

test('a database that is none, selected inside a transaction, changes nothing', redis, async (t) => {
  const server = await startRedis(t);
  const amb = await startAmbassador(t, { primary: server.address });
  const client = await amb.client();
  for (const words of [['MULTI'], ['PING'], ['SELECT', '1'], ['SELECT', '99']]) await client.ask(...words);
  t.match(await client.ask('EXEC'), /^\*3\r\n\+PONG\r\n\+OK\r\n-ERR/);
  t.equal(await client.ask('SET', 'k', 'one'), '+OK\r\n');
  t.equal(await server.cli('-n', '1', 'GET', 'k'), 'one');
});
