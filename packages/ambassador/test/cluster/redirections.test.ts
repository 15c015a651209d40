/** Slots that move, and clients that notice nothing but the time it takes. */

import { test } from 'tap';
import type { Test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs, startCluster } from '../../../../test/harness/index.ts';
import type { Cluster, ClusterNode } from '../../../../test/harness/index.ts';
import { command, startAmbassador } from '../session/setting.ts';
import type { Client, Running } from '../session/setting.ts';
import { bulk, keysAt, pipeline, slot } from './setting.ts';

const redis = needs('redis-server', 'redis-cli');

/** Two keys of one shard in different slots, and where else a slot may go. */
function places(cluster: Cluster, prefix: string): { keys: string[]; from: ClusterNode; to: ClusterNode } {
  const [from, to] = cluster.primaries as [ClusterNode, ClusterNode];
  return { keys: keysAt(cluster, from, 3, prefix), from, to };
}

/** Asks until told to stop; each write says what it must find, so a lost or repeated one is seen at once. */
async function count(client: Client, names: readonly string[], going: () => boolean): Promise<string[]> {
  const wrong: string[] = [];
  for (let n = 1; going() || n < 3; n++) {
    for (const name of names) {
      const reply = await client.ask('INCR', name);
      if (reply !== `:${n}\r\n`) wrong.push(`INCR ${name}: ${reply.trim()} instead of ${n}`);
    }
    const all = await client.ask('MGET', ...names);
    const want = `*${names.length}\r\n${names.map(() => bulk(String(n))).join('')}`;
    if (all !== want) wrong.push(`MGET: ${JSON.stringify(all)} instead of ${n}`);
    const gone = names.map((name) => `${name}-gone`);
    for (const name of gone) await client.ask('SET', name, 'x');
    const deleted = await client.ask('DEL', ...gone, 'never');
    if (deleted !== `:${names.length}\r\n`) wrong.push(`DEL: ${deleted.trim()}`);
    if (wrong.length > 3) break;
  }
  return wrong;
}

async function blocked(node: ClusterNode): Promise<boolean> {
  return (await node.cli('INFO', 'clients')).includes('blocked_clients:1');
}

test('slots that move', redis, async (t) => {
  const cluster = await startCluster(t, { replicasPerPrimary: 0 });
  const amb = await startAmbassador(t, { cluster: cluster.addresses });
  const client = await amb.client();

  await t.test('what was split meets a slot that has moved: the parts that went well stay so', async (t) => {
    const { keys, from, to } = places(cluster, 'del');
    const [a, b, c] = keys as [string, string, string];
    await pipeline(
      client,
      keys.map((key) => `SET ${key} ${key}`),
    );
    await cluster.moveSlot(from, to, slot(a));
    t.equal(await client.ask('MGET', b, a, c), `*3\r\n${bulk(b)}${bulk(a)}${bulk(c)}`);
    await cluster.moveSlot(from, to, slot(b));
    t.equal(await client.ask('DEL', b, c, a), ':3\r\n');
    t.ok((await amb.metric('rejections_total', 'kind="moved"')) >= 2);
    await cluster.moveSlot(from, to, slot(c));
    t.strictSame(await pipeline(client, [`SET ${c} 1`, `GET ${c}`, `EXISTS ${a} ${c} ${b}`]), [
      '+OK\r\n',
      bulk('1'),
      ':1\r\n',
    ]);
  });

  await t.test('half here and half there: single keys are found, several wait', async (t) => {
    const { from, to } = places(cluster, 'ask');
    const [tag] = keysAt(cluster, from, 1, 'tag') as [string];
    const keys = [1, 2, 3, 4].map((n) => `{${tag}}${n}`);
    await pipeline(
      client,
      keys.map((key) => `SET ${key} 1`),
    );
    const move = await cluster.beginMove(from, to, slot(tag));
    await move.keys(2);
    for (const key of keys) t.equal(await client.ask('INCR', key), ':2\r\n', key);
    t.equal(await client.ask('SET', `{${tag}}new`, 'x'), '+OK\r\n', 'what is new is at the new place');
    t.equal(await to.cli('--no-raw', 'CLUSTER', 'COUNTKEYSINSLOT', String(slot(tag))), '(integer) 3');
    t.equal(
      await client.ask('EVAL', "return redis.call('INCR', KEYS[1])", '1', `{${tag}}counter`),
      ':1\r\n',
      'a script',
    );
    const fresh = await amb.client();
    t.equal(await fresh.ask('GET', `{${tag}}new`), bulk('x'));
    const id = (await fresh.ask('CLIENT', 'ID')).slice(1).trim();
    const page = await (await fetch(`${amb.adminUrl}/debug/sessions?id=${id}`)).json();
    const { sessions } = page as { sessions: { reads: { shard: string; fence: number }[] }[] };
    const seen = sessions.flatMap(({ reads }) => reads.filter(({ fence }) => fence >= 0));
    const shards = seen.map(({ shard }) => shard);
    t.strictSame(shards, [to.id.slice(0, 12)], 'what was shown counts for the shard that showed it');
    const several = await amb.client();
    const before = await amb.metric('rejections_total', 'kind="tryagain"');
    several.send(command('DEL', ...keys, 'elsewhere') + command('MGET', ...keys));
    await eventually(
      'it was told to try again',
      async () => (await amb.metric('rejections_total', 'kind="tryagain"')) > before,
    );
    t.equal(await client.ask('GET', keys[0] as string), bulk('2'), 'nobody else waits');
    await move.finish();
    t.strictSame(await several.replies(2), [':4\r\n', `*4\r\n${'$-1\r\n'.repeat(4)}`]);
    t.equal(await client.ask('GET', `{${tag}}counter`), bulk('1'));
  });

  await t.test('who blocks on a key of a moving slot', async (t) => {
    const { from, to } = places(cluster, 'block');
    const [early, late] = keysAt(cluster, from, 2, 'list') as [string, string];
    const waiter = await amb.client();
    const move = await cluster.beginMove(from, to, slot(late));
    waiter.send(command('BLPOP', late, '0'));
    await eventually('it waits where the key would be', () => blocked(to));
    t.equal(await client.ask('RPUSH', late, 'x'), ':1\r\n');
    t.strictSame(await waiter.replies(1), [`*2\r\n${bulk(late)}${bulk('x')}`]);
    await move.finish();
    await cluster.moveSlot(from, to, slot(early));
    waiter.send(command('BLPOP', early, '0'));
    await eventually('it waits at the new place', () => blocked(to));
    t.equal(await client.ask('RPUSH', early, 'y'), ':1\r\n');
    t.strictSame(await waiter.replies(1), [`*2\r\n${bulk(early)}${bulk('y')}`]);
  });

  await t.test('clients that count see every number once while slots go to and fro', (t) =>
    moving(t, cluster, amb),
  );

  await t.test('SCAN with a slot that moves meanwhile shows all that stays', async (t) => {
    await client.ask('FLUSHALL');
    const keys = Array.from({ length: 200 }, (_, i) => `scan${i}`);
    await pipeline(
      client,
      keys.map((key) => `SET ${key} 1`),
    );
    const [, from, to] = cluster.primaries as [ClusterNode, ClusterNode, ClusterNode];
    const [moved] = keysAt(cluster, from, 1, 'scan') as [string];
    const found: string[] = [];
    let cursor = '0';
    do {
      const [, next = '0', rest = ''] =
        /^\*2\r\n\$\d+\r\n(\d+)\r\n([^]*)$/.exec(await client.ask('SCAN', cursor, 'COUNT', '20')) ?? [];
      found.push(...rest.split('\r\n').filter((word) => word.startsWith('scan')));
      if (cursor === '0') await cluster.moveSlot(from, to, slot(moved));
      cursor = next;
    } while (cursor !== '0');
    const stayed = keys.filter((key) => slot(key) !== slot(moved));
    t.strictSame(found.filter((key) => slot(key) !== slot(moved)).sort(), stayed.sort());
    t.equal(await client.ask('DBSIZE'), ':200\r\n');
  });
});

async function moving(t: Test, cluster: Cluster, amb: Running): Promise<void> {
  const names = (n: number): string[] => [0, 1, 2, 3].map((i) => `n${n}-${i}`);
  let going = true;
  const clients = await Promise.all([0, 1, 2].map(() => amb.client()));
  const counted = clients.map((one, n) => count(one, names(n), () => going));
  // Two of these were moved before.
  for (const name of [...names(0), ...names(1).slice(0, 2)]) {
    const owner = await eventually('its owner is known', async () => {
      for (const node of cluster.primaries) {
        if (!(await node.cli('GET', name)).startsWith('MOVED')) return node;
      }
      return undefined;
    });
    const next = cluster.primaries[(cluster.primaries.indexOf(owner) + 1) % 3] as ClusterNode;
    await cluster.moveSlot(owner, next, slot(name));
  }
  going = false;
  t.strictSame((await Promise.all(counted)).flat(), []);
}
