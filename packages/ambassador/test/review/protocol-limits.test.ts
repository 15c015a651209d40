/** Requests above the limits of the protocol. */

import { test } from 'tap';
import { needs } from '../../../../test/harness/index.ts';
import { command, config, startAmbassador, startServers } from '../session/setting.ts';

const redis = needs('redis-server', 'redis-cli');

test('a request above a limit is refused in the words of Redis, and reaches no server', redis, async (t) => {
  const { primary } = await startServers(t, 0);
  const limits = { maxBulkBytes: '1KiB', maxArguments: 10, maxInlineBytes: '1KiB' };
  const ambassador = await startAmbassador(t, { primary: primary.address, limits });
  const value = 'x'.repeat(2000);
  const cases = [
    { request: command('SET', 'bulk', value), error: 'invalid bulk length' },
    { request: command('RPUSH', 'arguments', ...'abcdefghijkl'), error: 'invalid multibulk length' },
    { request: `SET inline ${value}\r\n`, error: 'too big inline request' },
  ];
  for (const { request, error } of cases) {
    const client = await ambassador.client();
    client.send(command('SET', 'k', 'v') + request + command('SET', 'behind', 'v'));
    t.same(await client.replies(2), ['+OK\r\n', `-ERR Protocol error: ${error}\r\n`]);
    await client.closed();
  }
  t.equal(await primary.cli('DBSIZE'), '1');
});

test('the limits of a reload hold for those who connect then', redis, async (t) => {
  const { primary } = await startServers(t, 0);
  const ambassador = await startAmbassador(t, { primary: primary.address });
  const before = await ambassador.client();
  t.equal(await before.ask('RPUSH', 'list', 'a', 'b', 'c'), ':3\r\n');
  await ambassador.daemon.reload(config({ primary: primary.address, limits: { maxArguments: 3 } }));
  const later = await ambassador.client();
  t.match(await later.ask('RPUSH', 'list', 'a', 'b', 'c'), /^-ERR Protocol error: invalid multibulk length/);
  t.equal(await before.ask('LLEN', 'list'), ':3\r\n');
});
