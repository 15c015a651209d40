/** The death of a primary: its replica reads on, writes wait for the election, nothing is lost and nothing done twice. */

import type { Test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import type { Cluster, ClusterNode } from '../../../../test/harness/index.ts';
import { command } from '../session/setting.ts';
import type { Running } from '../session/setting.ts';
import { bulk, inTurn, keysAt, ownerOf } from './setting.ts';

export async function primaryDies(t: Test, cluster: Cluster, amb: Running): Promise<void> {
  const [victim, ...others] = cluster.primaries as [ClusterNode, ClusterNode, ClusterNode];
  const keys = cluster.primaries.map((owner) => keysAt(cluster, owner, 1)[0] as string);
  const [lost, kept] = keys as [string, string, string];
  t.equal(ownerOf(cluster, lost), victim);
  const [writer, reader, batch] = [await amb.client(), await amb.client(), await amb.client()];
  await inTurn(writer, [
    'FLUSHALL',
    ...keys.map((key) => `SET ${key} 1`),
    ...keys.map((key) => `INCR {${key}}n`),
  ]);
  const atReplicas = (): Promise<number> => amb.metric('commands_total', 'class="read",route="replica"');
  for (const replica of cluster.replicas) {
    await eventually('it has everything', async () => (await replica.cli('DBSIZE')) === '2');
  }
  const before = await atReplicas();
  await eventually('replicas read', async () => {
    for (const key of keys) await reader.ask('GET', key);
    return (await atReplicas()) > before + 6;
  });

  victim.process.signal('SIGKILL');
  await victim.process.exited;
  const heir = cluster.replicas.find(({ replicaOf }) => replicaOf === victim) as ClusterNode;
  t.ok((await heir.cli('ROLE')).startsWith('slave'), 'nobody has been elected yet');
  t.equal(await reader.ask('GET', lost), bulk('1'), 'its replica reads meanwhile');
  t.equal(await reader.ask('MGET', ...keys), `*3\r\n${bulk('1').repeat(3)}`);
  writer.send(command('INCR', `{${lost}}n`) + command('GET', `{${lost}}n`));
  batch.send(command('DEL', ...keys, 'never') + command('EXISTS', ...keys));
  t.equal(await reader.ask('INCR', `{${kept}}n`), ':2\r\n', 'the other shards go on');
  t.strictSame(await writer.replies(2), [':2\r\n', bulk('2')]);
  t.ok((await heir.cli('ROLE')).startsWith('master'), 'it has waited for the election');
  t.strictSame(await batch.replies(2), [':3\r\n', ':0\r\n']);
  t.equal(others.length, 2);
  t.strictSame(
    await inTurn(
      reader,
      keys.map((key) => `GET {${key}}n`),
    ),
    [bulk('2'), bulk('2'), bulk('1')],
    'nothing is lost, nothing done twice',
  );
  t.equal(await reader.ask('DBSIZE'), ':3\r\n');
}
