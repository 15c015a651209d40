/** What a session knows of the shards it has read from. */

import { test } from 'tap';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { Ledger } from '../../src/session/ledger.ts';
import { Sent } from '../../src/session/sent.ts';
import type { Place } from '../../src/session/sent.ts';
import type { Realm, Shard } from '../../src/topology/realm.ts';
import type { Line } from '../../src/upstream/line.ts';
import { nobody } from '../../src/upstream/run.ts';
import { config, startAmbassador, startServers } from '../session/setting.ts';

const redis = needs('redis-server', 'redis-cli');

test('who owes an answer is found behind what other shards owe', async (t) => {
  const [one, other] = [{}, {}] as [Shard, Shard];
  const ledger = new Ledger(
    () => {},
    () => {},
  );
  const run = (shard: Shard, place: Place): Sent => {
    const sent = new Sent(nobody, {} as Line, place, {} as Realm, shard);
    sent.count = 1;
    ledger.add(sent);
    ledger.sent(sent, 1, new Uint8Array(1));
    return sent;
  };
  const older = run(one, 'replica');
  const primary = run(one, 'primary');
  const elsewhere = run(other, 'replica');
  t.equal(ledger.lastOf(one), primary);
  t.equal(ledger.lastOf(other), elsewhere);
  primary.answered = 1;
  t.equal(ledger.lastOf(one), older);
  older.answered = 1;
  t.equal(ledger.lastOf(one), undefined);
});

test('what was known of servers that a reload has replaced is given up', redis, async (t) => {
  const { primary, replicas } = await startServers(t, 1);
  const [replica] = replicas;
  const ambassador = await startAmbassador(t, { primary: primary.address, replica: [replica?.address] });
  const client = await ambassador.client();
  await client.ask('SET', 'k', 'v');
  for (let i = 0; i < 3; i++) {
    const more = await startRedis(t, { replicaOf: primary });
    await ambassador.daemon.reload(
      config({ primary: primary.address, replica: [replica?.address, more.address] }),
    );
    t.equal(await client.ask('GET', 'k'), '$1\r\nv\r\n');
    t.equal(await client.ask('SET', 'k', 'v'), '+OK\r\n');
  }
  const page = await (await fetch(`${ambassador.adminUrl}/debug/sessions`)).json();
  const { sessions } = page as { sessions: { reads: unknown[] }[] };
  t.same(
    sessions.map(({ reads }) => reads.length),
    [1],
  );
});
