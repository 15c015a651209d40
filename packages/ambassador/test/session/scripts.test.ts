import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs } from '../../../../test/harness/index.ts';
import { startAmbassador, startServers } from './setting.ts';

const redis = needs('redis-server', 'redis-cli');
const atReplica = 'command="evalsha",route="replica"';

test(
  'EVALSHA of a script that was seen to declare no writes is a read, of another a write',
  redis,
  async (t) => {
    const { primary, replicas } = await startServers(t, 1);
    const [replica] = replicas;
    const amb = await startAmbassador(t, {
      primary: primary.address,
      replica: [replica?.address],
      consistency: 'eventual',
      maxLag: '4h',
    });
    const client = await amb.client();
    const load = async (body: string): Promise<string> =>
      (await client.ask('SCRIPT', 'LOAD', body)).split('\r\n')[1] as string;
    const reader = await load("#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])");
    const writer = await load("return redis.call('SET', KEYS[1], ARGV[1])");
    t.equal(await client.ask('EVALSHA', writer, '1', 'k', 'v'), '+OK\r\n', 'a replica would have refused it');
    await eventually('the replica has k', async () => (await replica?.cli('GET', 'k')) === 'v');
    t.equal(await client.ask('EVALSHA', reader, '1', 'k'), '$1\r\nv\r\n');
    const before = await amb.metric('commands_total', atReplica);
    t.ok(before > 0);
    await replica?.cli('SCRIPT', 'FLUSH');
    t.equal(
      await client.ask('EVALSHA', reader, '1', 'k'),
      '$1\r\nv\r\n',
      'and is loaded there when it is missed',
    );
    t.equal(await amb.metric('commands_total', atReplica), before + 2);
    // What nobody remembers is a write: the servers have it, this process has not.
    t.equal(await client.ask('SCRIPT', 'FLUSH'), '+OK\r\n');
    await primary.cli('SCRIPT', 'LOAD', "#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])");
    t.equal(await client.ask('EVALSHA', reader, '1', 'k'), '$1\r\nv\r\n');
    t.equal(await amb.metric('commands_total', atReplica), before + 2);
    t.equal(await amb.metric('commands_total', 'command="evalsha",route="primary"'), 2);
  },
);
