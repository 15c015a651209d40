/** A cluster behind the ambassador and a plain Redis answer alike. */

import { test } from 'tap';
import type { Test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs, startCluster, startRedis } from '../../../../test/harness/index.ts';
import type { Cluster, Redis } from '../../../../test/harness/index.ts';
import { Client, command, startAmbassador } from '../session/setting.ts';
import type { Running } from '../session/setting.ts';
import { families } from './families.ts';
import { primaryDies } from './primary-dies.ts';
import { bulk, inTurn, keysAt, pipeline, told } from './setting.ts';
import type { Line } from './setting.ts';

interface Sides {
  readonly cluster: Cluster;
  readonly amb: Running;
  readonly plain: Redis;
}

/** Both empty again, scripts and functions too. */
async function clean({ amb, plain }: Sides, t: Test): Promise<{ through: Client; direct: Client }> {
  const through = await amb.client();
  const direct = await Client.connect(plain.port);
  t.teardown(() => direct.destroy());
  for (const client of [through, direct]) {
    await inTurn(client, ['FLUSHALL', 'SCRIPT FLUSH', 'FUNCTION FLUSH']);
  }
  return { through, direct };
}

async function alike(t: Test, sides: Sides, lines: readonly Line[]): Promise<void> {
  const { through, direct } = await clean(sides, t);
  t.strictSame(told(lines, await inTurn(through, lines)), told(lines, await inTurn(direct, lines)));
  const again = await clean(sides, t);
  const piped = told(lines, await pipeline(again.through, lines));
  t.strictSame(piped, told(lines, await pipeline(again.direct, lines)), 'in one pipeline');
}

const redis = needs('redis-server', 'redis-cli');

test('a cluster behind the ambassador', redis, async (t) => {
  const [cluster, plain] = await Promise.all([startCluster(t), startRedis(t)]);
  const amb = await startAmbassador(t, { cluster: cluster.addresses.slice(0, 2) });
  const sides: Sides = { cluster, amb, plain };

  for (const [family, lines] of Object.entries(families)) {
    await t.test(`${family} answer as on a plain Redis`, (t) => alike(t, sides, lines));
  }

  await t.test('what has keys in several slots and is one moment is refused', async (t) => {
    const { through } = await clean(sides, t);
    const lines = [
      'MSET a 1 b 2',
      'MSETNX a 1 b 2',
      'RENAME a b',
      'SUNION a b',
      'EVAL return 2 a b',
      'PFCOUNT a b',
    ];
    for (const line of lines) t.match(await through.ask(...line.split(' ')), /^-CROSSSLOT /, line);
    t.equal(await through.ask('DBSIZE'), ':0\r\n');
    const split = await startAmbassador(t, { cluster: cluster.addresses, allowNonAtomicMset: true });
    const client = await split.client();
    t.equal(await client.ask('MSET', 'a', '1', 'b', '2', 'c', '3', 'a', '4'), '+OK\r\n');
    t.equal(await client.ask('MGET', 'a', 'b', 'c'), '*3\r\n$1\r\n4\r\n$1\r\n2\r\n$1\r\n3\r\n');
  });

  await t.test('a thousand reads over all shards come in order, and so do writes among them', async (t) => {
    const { through, direct } = await clean(sides, t);
    const keys = Array.from({ length: 1000 }, (_, i) => `key${i}`);
    const sets = keys.map((key, i) => `SET ${key} ${i}`);
    t.ok((await pipeline(through, sets)).every((reply) => reply === '+OK\r\n'));
    const got = await pipeline(
      through,
      keys.map((key) => `GET ${key}`),
    );
    t.strictSame(
      got,
      keys.map((_, i) => `$${String(i).length}\r\n${i}\r\n`),
    );
    const mixed = keys
      .slice(0, 250)
      .flatMap((key, i) => [
        `INCR n${i % 7}`,
        `GET n${(i + 3) % 7}`,
        i % 10 === 0 ? `MGET n0 n1 n2 n3 n4 n5 n6` : `APPEND log${i % 3} ${i % 7}`,
        i % 25 === 0 ? 'DEL n1 n4 n6' : `GET ${key}`,
      ]);
    await pipeline(direct, sets);
    t.strictSame(told(mixed, await pipeline(through, mixed)), told(mixed, await pipeline(direct, mixed)));
  });

  await t.test('SCAN shows every key once, and goes where the cursor says', async (t) => {
    const { through } = await clean(sides, t);
    const keys = Array.from({ length: 300 }, (_, i) => `scan${i}`);
    await pipeline(through, [...keys.map((key) => `SET ${key} 1`), 'RPUSH aList x']);
    const scan = async (...options: string[]): Promise<{ found: string[]; pages: number }> => {
      const found: string[] = [];
      let cursor = '0';
      let pages = 0;
      do {
        const [, next = '', rest = ''] =
          /^\*2\r\n\$\d+\r\n(\d+)\r\n([^]*)$/.exec(await through.ask('SCAN', cursor, ...options)) ?? [];
        found.push(...rest.split('\r\n').filter((word) => /^[a-z]/i.test(word)));
        cursor = next;
        pages++;
      } while (cursor !== '0' && pages < 1000);
      return { found: found.sort(), pages };
    };
    t.strictSame((await scan()).found, [...keys, 'aList'].sort());
    t.strictSame(await scan('COUNT', '1000').then(({ found, pages }) => [found.length, pages]), [301, 3]);
    t.strictSame((await scan('MATCH', 'scan1?')).found, keys.slice(10, 20).sort());
    t.strictSame((await scan('TYPE', 'list', 'COUNT', '50')).found, ['aList']);
    t.match(await through.ask('SCAN', '1023'), /^-ERR invalid cursor/);
    const page = await through.ask('KEYS', '*');
    t.ok(page.startsWith('*301\r\n'));
    t.equal(await through.ask('DBSIZE'), ':301\r\n');
  });

  await t.test('a watched key that another client changes', async (t) => {
    const { through } = await clean(sides, t);
    const other = await amb.client();
    t.strictSame(await pipeline(through, ['WATCH w', 'GET w']), ['+OK\r\n', '$-1\r\n']);
    await other.ask('SET', 'w', '1');
    t.strictSame(await pipeline(through, ['MULTI', 'SET w 2', 'EXEC']), [
      '+OK\r\n',
      '+QUEUED\r\n',
      '*-1\r\n',
    ]);
    t.equal(await through.ask('GET', 'w'), '$1\r\n1\r\n');
  });

  await t.test('a transaction over several shards fails as a whole', async (t) => {
    const { through } = await clean(sides, t);
    const [a, b] = cluster.primaries.map((owner) => keysAt(cluster, owner, 1)[0] as string) as [
      string,
      string,
    ];
    const [, , refused, exec] = await pipeline(through, ['MULTI', `SET ${a} 1`, `SET ${b} 1`, 'EXEC']);
    t.match(refused, /^-MOVED /);
    t.match(exec, /^-EXECABORT /);
    t.equal(await through.ask('MGET', a, b), '*2\r\n$-1\r\n$-1\r\n');
    const [, , inside] = await pipeline(through, ['MULTI', `SET ${a} 1`, `MGET ${a} ${b}`, 'DISCARD']);
    t.match(inside, /^-CROSSSLOT /);
  });

  await t.test('who blocks is woken by who pushes, wherever the key is', async (t) => {
    const { through } = await clean(sides, t);
    const other = await amb.client();
    for (const owner of cluster.primaries) {
      const [key] = keysAt(cluster, owner, 1, 'q') as [string];
      through.send(`*3\r\n$5\r\nBLPOP\r\n$${key.length}\r\n${key}\r\n$1\r\n0\r\n`);
      await eventually('it blocks', async () =>
        (await owner.cli('INFO', 'clients')).includes('blocked_clients:1'),
      );
      t.equal(await other.ask('RPUSH', key, 'x'), ':1\r\n');
      t.strictSame(await through.replies(1), [`*2\r\n$${key.length}\r\n${key}\r\n$1\r\nx\r\n`]);
      t.equal(await through.ask('GET', 'none'), '$-1\r\n');
    }
    t.match(await through.ask('BLPOP', 'a', 'b', '0'), /^-CROSSSLOT /);
  });

  await t.test('messages: channels, patterns, shard channels', async (t) => {
    const { through } = await clean(sides, t);
    const [channel, pattern, sharded] = [await amb.client(), await amb.client(), await amb.client()];
    t.match(await channel.ask('SUBSCRIBE', 'news'), /subscribe/);
    t.match(await pattern.ask('PSUBSCRIBE', 'n*'), /psubscribe/);
    t.match(await sharded.ask('SSUBSCRIBE', 'shard'), /ssubscribe/);
    t.equal(await through.ask('PUBLISH', 'news', 'x'), ':2\r\n', 'both are counted');
    t.strictSame(await channel.replies(1), ['*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\nx\r\n']);
    t.strictSame(await pattern.replies(1), ['*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$1\r\nx\r\n']);
    t.equal(await through.ask('SPUBLISH', 'shard', 'y'), ':1\r\n');
    t.strictSame(await sharded.replies(1), ['*3\r\n$8\r\nsmessage\r\n$5\r\nshard\r\n$1\r\ny\r\n']);
    t.match(await sharded.ask('SUNSUBSCRIBE', 'shard'), /sunsubscribe/);
    await through.ask('SET', 'k', 'v');
    t.equal(await sharded.ask('GET', 'k'), '$1\r\nv\r\n', 'and is routed again');
  });

  await t.test('it says it is a standalone', async (t) => {
    const { through } = await clean(sides, t);
    t.match(await through.ask('INFO'), /redis_mode:standalone[^]*cluster_enabled:0/);
    t.match(await through.ask('SELECT', '1'), /^-ERR SELECT is not allowed in cluster mode/);
    t.equal(await through.ask('SELECT', '0'), '+OK\r\n');
    t.match(await through.ask('HELLO', '3'), /^%[^]*\r\nmode\r\n\$10\r\nstandalone\r\n/);
    await pipeline(through, ['SET a 1', 'SET c 3']);
    t.equal(await through.ask('MGET', 'a', 'b', 'c'), '*3\r\n$1\r\n1\r\n_\r\n$1\r\n3\r\n');
    t.equal(await through.ask('DEL', 'a', 'b', 'c'), ':2\r\n');
    t.equal(await through.ask('RANDOMKEY'), '_\r\n');
  });

  await t.test('large values', async (t) => {
    const { through } = await clean(sides, t);
    const value = 'v'.repeat(300_000);
    const keys = ['large1', 'large2', 'large3'];
    const sets = keys.map((key) => ['SET', key, `${key}${value}`]);
    t.ok((await pipeline(through, sets)).every((reply) => reply === '+OK\r\n'));
    const [all] = await pipeline(through, ['MGET large1 large2 large3']);
    t.equal(all, `*3\r\n${keys.map((key) => `$300006\r\n${key}${value}\r\n`).join('')}`);
    t.strictSame(await pipeline(through, ['STRLEN large2', 'DEL large1 large2 large3']), [
      ':300006\r\n',
      ':3\r\n',
    ]);
  });

  await t.test('who wants no answer gets none, of what is split neither', async (t) => {
    const { through, direct } = await clean(sides, t);
    const lines = [
      'SET a 1',
      'CLIENT REPLY SKIP',
      'MGET a b c',
      'GET a',
      'CLIENT REPLY SKIP',
      'DEL a b c',
      'EXISTS a b c',
      'CLIENT REPLY OFF',
      'MGET a b c',
      'CLUSTER INFO',
      'DBSIZE',
      'MULTI',
      'SET a 2',
      'EXEC',
      'SCAN 0',
      'CLIENT REPLY ON',
      'MGET a b c',
    ];
    for (const client of [through, direct]) client.send(lines.map((line) => `${line}\r\n`).join(''));
    const got = await through.replies(5);
    t.strictSame(got, await direct.replies(5));
    t.strictSame(await inTurn(through, ['PING']), ['+PONG\r\n'], 'and nothing more came');
  });

  await t.test('replicas take the reads of their shards', async (t) => {
    const { through } = await clean(sides, t);
    const keys = cluster.primaries.map((owner) => keysAt(cluster, owner, 1, 'r')[0] as string);
    for (const key of keys) await through.ask('SET', key, key);
    const reader = await amb.client();
    const before = await amb.metric('commands_total', 'class="read",route="replica"');
    await eventually('each shard has a replica that reads', async () => {
      for (const key of keys) t.equal(await reader.ask('GET', key), `$${key.length}\r\n${key}\r\n`);
      return (await amb.metric('commands_total', 'class="read",route="replica"')) >= before + 9;
    });
    t.equal(
      await reader.ask('MGET', ...keys),
      `*3\r\n${keys.map((key) => `$${key.length}\r\n${key}\r\n`).join('')}`,
    );
  });

  await t.test('WAIT is about the writes at every shard', async (t) => {
    const { through } = await clean(sides, t);
    const keys = cluster.primaries.map((owner) => keysAt(cluster, owner, 1)[0] as string);
    const lines = [
      ...keys.map((key) => `SET ${key} 1`),
      'WAIT 1 5000',
      `MGET ${keys.join(' ')}`,
      'WAIT 2 20',
    ];
    const replies = await pipeline(through, lines);
    t.strictSame(replies.slice(3), [':1\r\n', `*3\r\n${bulk('1').repeat(3)}`, ':1\r\n']);
    for (const replica of cluster.replicas) t.equal(await replica.cli('DBSIZE'), '1');
    t.match(await through.ask('WAIT', 'x', '0'), /^-ERR value is not an integer/);
    const acking = await startAmbassador(t, {
      cluster: cluster.addresses,
      writeAcks: 1,
    });
    const client = await acking.client();
    t.equal(
      await client.ask('DEL', ...keys, 'none'),
      ':3\r\n',
      'what is split waits for its replicas part by part',
    );
    for (const replica of cluster.replicas) t.equal(await replica.cli('DBSIZE'), '0');
  });

  await t.test('who blocks is reached wherever that is', async (t) => {
    const { through } = await clean(sides, t);
    const other = await amb.client();
    const id = (await through.ask('CLIENT', 'ID')).slice(1).trim();
    for (const owner of cluster.primaries) {
      const [key] = keysAt(cluster, owner, 1, 'q') as [string];
      through.send(command('BLPOP', key, '0'));
      await eventually('it blocks', async () =>
        (await owner.cli('INFO', 'clients')).includes('blocked_clients:1'),
      );
      t.equal(await other.ask('CLIENT', 'UNBLOCK', id), ':1\r\n');
      t.strictSame(await through.replies(1), ['*-1\r\n']);
      t.equal(await other.ask('CLIENT', 'UNBLOCK', id), ':0\r\n');
      t.match(await other.ask('SCRIPT', 'KILL'), /^-NOTBUSY/);
    }
  });

  await t.test('what would keep a client at one shard is refused', async (t) => {
    const { through } = await clean(sides, t);
    await through.ask('HELLO', '3');
    for (const line of ['CLIENT TRACKING ON', 'CLIENT NO-EVICT ON']) {
      t.match(
        await through.ask(...line.split(' ')),
        /^-OUTRIGGER not sent: it would keep this connection/,
        line,
      );
    }
    const keys = cluster.primaries.map((owner) => keysAt(cluster, owner, 1)[0] as string);
    for (const key of keys) t.equal(await through.ask('GET', key), '_\r\n');
  });

  await t.test('a primary dies', (t) => primaryDies(t, cluster, amb));
});
