/** Key prefixes that lead to other servers. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs, startRedis, tempDir } from '../../../../test/harness/index.ts';
import type { Redis, Teardown } from '../../../../test/harness/index.ts';
import { command, config, startAmbassador, synced } from '../session/setting.ts';
import type { Running } from '../session/setting.ts';
import { bulk, inTurn, pipeline } from './setting.ts';

const redis = needs('redis-server', 'redis-cli');

interface Stage {
  readonly rest: Redis;
  readonly a: Redis;
  readonly ab: Redis;
  /** Of `a`. */
  readonly replica: Redis;
  readonly amb: Running;
  readonly values: Readonly<Record<string, unknown>>;
}

async function stage(t: Teardown): Promise<Stage> {
  const [rest, a, ab] = await Promise.all([startRedis(t), startRedis(t), startRedis(t)]);
  const replica = await startRedis(t, { replicaOf: a });
  await synced(replica);
  for (const server of [a, replica])
    await server.cli('ACL', 'SETUSER', 'amb', 'on', '>of-a', '~*', '&*', '+@all');
  const file = join(tempDir(t), 'password');
  writeFileSync(file, 'of-a\n', { mode: 0o600 });
  const values = {
    primary: rest.address,
    readPolicy: 'primary',
    routes: [
      {
        prefix: 'a:',
        primary: a.address,
        replica: [replica.address],
        username: 'amb',
        passwordFrom: { file },
        readPolicy: 'preferReplica',
        consistency: 'eventual',
      },
      { prefix: 'a:b:', primary: ab.address },
    ],
  };
  return { rest, a, ab, replica, values, amb: await startAmbassador(t, values) };
}

test('keys go where their prefix says', redis, async (t) => {
  const { rest, a, ab, replica, amb, values } = await stage(t);
  const client = await amb.client();
  const empty = (): Promise<string[]> => inTurn(client, ['DEL rest', 'DEL a:1 a:2 a:3', 'DEL a:b:1 a:b:2']);

  await t.test('the longest prefix wins, and keyless commands are for the rest', async (t) => {
    const sets = ['SET rest 1', 'SET a:1 2', 'SET a:b:1 3', 'SET a: 4', 'SET b:1 5', 'SET A:1 6'];
    t.strictSame(
      await pipeline(client, sets),
      sets.map(() => '+OK\r\n'),
    );
    t.strictSame((await rest.cli('KEYS', '*')).split('\n').sort(), ['A:1', 'b:1', 'rest']);
    t.strictSame((await a.cli('KEYS', '*')).split('\n').sort(), ['a:', 'a:1']);
    t.equal(await ab.cli('KEYS', '*'), 'a:b:1');
    t.equal(await client.ask('DBSIZE'), ':3\r\n');
    t.equal(await client.ask('PING'), '+PONG\r\n');
    t.match(await client.ask('INFO', 'server'), new RegExp(`tcp_port:${rest.port}\r\n`));
    await eventually('it is there', async () => (await replica.cli('GET', 'a:1')) === '2');
    const gets = ['GET a:b:1', 'GET rest', 'GET a:1', 'INCR rest', 'GET rest', 'GET a:b:1'];
    t.strictSame(
      await pipeline(client, gets),
      ['3', '1', '2'].map(bulk).concat(':2\r\n', bulk('2'), bulk('3')),
    );
    await pipeline(client, ['DEL a:', 'DEL b:1', 'DEL A:1']);
    await empty();
  });

  await t.test('keys of one command are on one route', async (t) => {
    t.equal(await client.ask('MSET', 'a:1', 'x', 'a:2', 'y'), '+OK\r\n');
    const refused = [
      'MGET a:1 rest',
      'MSET a:1 z a:b:1 z',
      'DEL a:b:1 a:1',
      'RENAME a:1 rest',
      'BLPOP a:l l 0',
    ];
    for (const line of refused) {
      t.equal(
        await client.ask(...line.split(' ')),
        '-OUTRIGGER not sent: its keys are on different routes\r\n',
        line,
      );
    }
    t.equal(await a.cli('GET', 'a:1'), 'x', 'and nothing of it was done');
    await empty();
  });

  await t.test('a transaction is of the route of its first key, and of no other', async (t) => {
    const good = await pipeline(client, ['MULTI', 'SET a:1 x', 'INCR a:3', 'EXEC', 'GET rest']);
    t.strictSame(good, ['+OK\r\n', '+QUEUED\r\n', '+QUEUED\r\n', '*2\r\n+OK\r\n:1\r\n', '$-1\r\n']);
    t.equal(await a.cli('GET', 'a:1'), 'x');
    const bad = await pipeline(client, ['MULTI', 'SET a:1 y', 'SET rest y', 'PING', 'EXEC', 'EXISTS rest']);
    t.match(bad, [
      '+OK',
      '+QUEUED',
      '-OUTRIGGER not sent: its keys are on another route',
      '+QUEUED',
      '-EXECABORT',
      ':0',
    ]);
    t.equal(await a.cli('GET', 'a:1'), 'x', 'nothing of it was executed');
    t.equal(await a.cli('EXISTS', 'rest'), '0', 'nor at the wrong server');
    const mixed = await pipeline(client, ['MULTI', 'MGET rest a:1', 'SET a:1 z', 'EXEC']);
    t.match(mixed, ['+OK', '-OUTRIGGER not sent: its keys are on different routes', '+QUEUED', '-EXECABORT']);
    t.equal(await a.cli('GET', 'a:1'), 'x');
    t.strictSame(await pipeline(client, ['MULTI', 'EXEC', 'MULTI', 'DISCARD']), [
      '+OK\r\n',
      '*0\r\n',
      '+OK\r\n',
      '+OK\r\n',
    ]);
    await client.ask('WATCH', 'a:1');
    t.match(await client.ask('GET', 'rest'), /^-OUTRIGGER not sent: its keys are on another route/);
    await a.cli('SET', 'a:1', 'changed');
    t.strictSame(await pipeline(client, ['MULTI', 'SET a:1 w', 'EXEC']), [
      '+OK\r\n',
      '+QUEUED\r\n',
      '*-1\r\n',
    ]);
    t.strictSame(
      await pipeline(client, ['SET rest 1', 'GET rest']),
      ['+OK\r\n', bulk('1')],
      'and free again',
    );
    await empty();
  });

  await t.test('who listens in RESP3 and asks on the same connection', async (t) => {
    const listener = await amb.client();
    await listener.ask('HELLO', '3');
    t.match(await listener.ask('SUBSCRIBE', 'news'), /subscribe/);
    t.equal(await listener.ask('SET', 'rest', '1'), '+OK\r\n');
    t.match(
      await listener.ask('SET', 'a:1', 'astray'),
      /^-OUTRIGGER not sent: its keys are on another route/,
    );
    t.equal(await rest.cli('EXISTS', 'a:1'), '0');
    listener.destroy();
    await empty();
  });

  await t.test('large values, scripts, what blocks', async (t) => {
    const value = 'v'.repeat(200_000);
    t.equal(await client.ask('SET', 'a:b:1', value), '+OK\r\n');
    t.equal(await client.ask('GET', 'a:b:1'), bulk(value));
    t.equal(await ab.cli('STRLEN', 'a:b:1'), '200000');
    const script = "return redis.call('INCR', KEYS[1])";
    t.equal(await client.ask('EVAL', script, '1', 'rest'), ':1\r\n');
    const sha = (await client.ask('SCRIPT', 'LOAD', script)).split('\r\n')[1] as string;
    for (const key of ['a:1', 'a:b:2', 'rest'])
      t.match(await client.ask('EVALSHA', sha, '1', key), /^:[12]\r\n$/, key);
    t.equal(await a.cli('GET', 'a:1'), '1', 'a script that was loaded elsewhere');
    t.equal(await ab.cli('GET', 'a:b:2'), '1');
    client.send(command('BLPOP', 'a:l', '0') + command('GET', 'rest'));
    await eventually('it waits', async () => (await a.cli('INFO', 'clients')).includes('blocked_clients:1'));
    await a.cli('RPUSH', 'a:l', 'x');
    t.strictSame(await client.replies(2), [`*2\r\n${bulk('a:l')}${bulk('x')}`, bulk('2')]);
    await empty();
  });

  await t.test('each route reads and logs in by its own rules', async (t) => {
    await client.ask('SET', 'a:1', 'x');
    await eventually('it is there', async () => (await replica.cli('GET', 'a:1')) === 'x');
    const reads = async (): Promise<number> =>
      Number(/cmdstat_get:calls=(\d+)/.exec(await replica.cli('INFO', 'commandstats'))?.[1] ?? 0);
    const before = await reads();
    await eventually('the replica reads', async () => {
      t.equal(await client.ask('GET', 'a:1'), bulk('x'));
      return (await reads()) > before;
    });
    t.equal(await client.ask('GET', 'rest'), '$-1\r\n');
    t.match(await a.cli('CLIENT', 'LIST'), /user=amb/);
    t.match(await replica.cli('CLIENT', 'LIST'), /user=amb/);
    t.notMatch(await ab.cli('CLIENT', 'LIST'), /user=amb/);
    const why = async (line: string): Promise<unknown> =>
      (await fetch(`${amb.adminUrl}/debug/why?command=${encodeURIComponent(line)}`)).json();
    t.match(await why('SET a:1 x'), { realm: 'prefix a:', goes: { to: 'primary', server: a.address } });
    t.match(await why('GET a:1'), {
      realm: 'prefix a:',
      readPolicy: 'preferReplica',
      consistency: 'eventual',
    });
    t.match(await why('GET a:b:1'), {
      realm: 'prefix a:b:',
      goes: { server: ab.address },
      readPolicy: 'primary',
    });
    t.match(await why('GET rest'), { realm: 'default', goes: { server: rest.address } });
  });

  await t.test('a reload adds and removes routes under a live connection', async (t) => {
    const reload = (routes: readonly unknown[]): Promise<void> =>
      amb.daemon.reload(config({ ...values, routes }));
    await client.ask('SET', 'n:1', 'old');
    await reload([...(values['routes'] as unknown[]), { prefix: 'n:', primary: ab.address }]);
    t.strictSame(await pipeline(client, ['GET n:1', 'SET n:1 new', 'GET n:1']), [
      '$-1\r\n',
      '+OK\r\n',
      bulk('new'),
    ]);
    t.equal(await ab.cli('GET', 'n:1'), 'new');
    await reload([]);
    t.strictSame(await pipeline(client, ['GET n:1', 'GET a:1', 'MGET n:1 a:1']), [
      bulk('old'),
      '$-1\r\n',
      `*2\r\n${bulk('old')}$-1\r\n`,
    ]);
    await eventually(
      'nothing leads to the others any more',
      async () => !/user=amb/.test(await a.cli('CLIENT', 'LIST')),
    );
    t.notOk(client.ended);
  });
});
