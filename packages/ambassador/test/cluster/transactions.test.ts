/** Transactions that are begun before anything tells whose they are: a shard's, once a command has a key. */

import { test } from 'tap';
import { needs, startCluster } from '../../../../test/harness/index.ts';
import type { ClusterNode } from '../../../../test/harness/index.ts';
import { startAmbassador } from '../session/setting.ts';
import { keysAt, pipeline } from './setting.ts';

const redis = needs('redis-server', 'redis-cli');
const aborted = '-EXECABORT Transaction discarded because of previous errors.\r\n';

test('transactions begun in word', redis, async (t) => {
  const cluster = await startCluster(t, { replicasPerPrimary: 0 });
  const amb = await startAmbassador(
    t,
    { cluster: cluster.addresses, denyCommands: ['FLUSHALL'] },
    { limits: { connectTimeoutMs: 100 } },
  );
  const client = await amb.client();

  await t.test('what was refused before the first key aborts it, and nothing behind it', async (t) => {
    const [, refused, exec] = await pipeline(client, ['MULTI', 'FLUSHALL', 'EXEC']);
    t.match(refused, /^-NOPERM|^-OUTRIGGER|^-ERR/);
    t.equal(exec, aborted);
    t.strictSame(await pipeline(client, ['MULTI', 'EXEC', 'MULTI', 'DISCARD']), [
      '+OK\r\n',
      '*0\r\n',
      '+OK\r\n',
      '+OK\r\n',
    ]);
    t.strictSame(await pipeline(client, ['MULTI', 'SET k 1', 'EXEC']), [
      '+OK\r\n',
      '+QUEUED\r\n',
      '*1\r\n+OK\r\n',
    ]);
    const [, , discarded] = await pipeline(client, ['MULTI', 'FLUSHALL', 'DISCARD']);
    t.equal(discarded, '+OK\r\n');
    t.equal((await pipeline(client, ['MULTI', 'SET k 2', 'EXEC'])).at(-1), '*1\r\n+OK\r\n');
    t.equal((await pipeline(client, ['MULTI', 'FLUSHALL', 'SET k 3', 'EXEC'])).at(-1), aborted);
    t.equal(await client.ask('GET', 'k'), '$1\r\n2\r\n');
  });

  await t.test('a server that hangs when its connection is opened costs time alone', async (t) => {
    const [owner] = cluster.primaries as [ClusterNode];
    const [key] = keysAt(cluster, owner, 1, 'slow') as [string];
    t.equal(await client.ask('SET', key, '1'), '+OK\r\n');
    const fresh = await amb.client();
    t.equal(await fresh.ask('MULTI'), '+OK\r\n');
    owner.process.signal('SIGSTOP');
    const before = await amb.metric('upstream_errors_total', `server="${owner.address}"`);
    const queued = fresh.ask('INCR', key);
    try {
      while ((await amb.metric('upstream_errors_total', `server="${owner.address}"`)) === before) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      owner.process.signal('SIGCONT');
    }
    t.equal(await queued, '+QUEUED\r\n');
    t.equal(await fresh.ask('EXEC'), '*1\r\n:2\r\n');
  });

  await t.test('a server that refuses to begin it executes nothing of it', async (t) => {
    const mayNot = async (rule: string): Promise<void> => {
      for (const node of cluster.primaries) await node.cli('ACL', 'SETUSER', 'default', rule);
    };
    const fresh = await amb.client();
    t.equal(await fresh.ask('SET', 'kept', '1'), '+OK\r\n');
    await mayNot('-multi');
    const lines = ['MULTI', 'SET kept 2', 'INCR kept', 'GET kept', 'EXEC', 'GET kept'];
    const replies = await pipeline(fresh, lines);
    t.equal(replies[0], '+OK\r\n');
    for (const reply of replies.slice(1, 4)) t.match(reply, /^-NOPERM .*multi/);
    t.strictSame(replies.slice(4), [aborted, '$1\r\n1\r\n']);
    await mayNot('+multi');
    const begun = await pipeline(fresh, [
      'MULTI',
      'SET kept 3',
      'EXEC',
      'MULTI',
      'EXEC now',
      'DISCARD now',
      'EXEC',
    ]);
    t.strictSame(begun.slice(0, 4), ['+OK\r\n', '+QUEUED\r\n', '*1\r\n+OK\r\n', '+OK\r\n']);
    t.strictSame(begun.slice(4), [
      "-ERR wrong number of arguments for 'exec' command\r\n",
      "-ERR wrong number of arguments for 'discard' command\r\n",
      aborted,
    ]);
  });
});
