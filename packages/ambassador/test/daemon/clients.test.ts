import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs, toolPath } from '../../../../test/harness/index.ts';
import { startAmbassador, startServers } from '../session/setting.ts';

const tools = needs('redis-server', 'redis-cli');
const replicaReads = 'class="read",route="replica"';

test('redis-cli works through it, one command or many', tools, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const amb = await startAmbassador(t, { primary: primary.address, replica: [replicas[0]?.address] });
  const cli = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)(toolPath('redis-cli'), ['-p', String(amb.port), ...args])).stdout.trim();
  t.equal(await cli('SET', 'k', 'v'), 'OK');
  t.equal(await cli('GET', 'missing'), '');
  t.match(await cli('INFO', 'replication'), /role:master/);
  t.match(await cli('-3', 'HELLO'), /proto 3|proto/);
  t.equal(await cli('--scan', '--pattern', 'k*'), 'k');
  t.equal(await cli('EVAL', 'return redis.call("GET", KEYS[1])', '1', 'k'), 'v');
});

for (const protocol of [2, 3] as const) {
  test(`ioredis over RESP${protocol}`, tools, async (t) => {
    const { primary, replicas } = await startServers(t, 1);
    const amb = await startAmbassador(t, { primary: primary.address, replica: [replicas[0]?.address] });
    const client = new Redis({ port: amb.port, host: '127.0.0.1', protocol, connectionName: 'app' });
    t.teardown(() => client.disconnect());
    t.equal(await client.set('k', 'v'), 'OK');
    t.equal(await client.get('k'), 'v');
    const many = await Promise.all(
      Array.from({ length: 200 }, (_, i) => client.incr('n').then((n) => n === i + 1)),
    );
    t.ok(many.every(Boolean), 'answers reach whom they belong to');
    t.strictSame(await client.multi().set('m', '1').get('m').exec(), [[null, 'OK'], [null, '1']]); // prettier-ignore
    t.strictSame(await client.hgetall('none'), {});
    const other = new Redis({ port: amb.port, host: '127.0.0.1', protocol, connectionName: 'reader' });
    t.teardown(() => other.disconnect());
    await eventually('its reads are split, handshake and all', async () => {
      t.equal(await other.get('k'), 'v');
      return (await amb.metric('commands_total', replicaReads)) > 0;
    });
    t.equal(
      await amb.metric('pins_total', 'reason="multi"'),
      1,
      'the transaction had a connection of its own',
    );
    t.equal(await amb.metric('pinned_sessions'), 0, 'and gave it back');
  });
}
