/** A Redis Cluster that moves slots under load, read at its replicas: what has moved is not missed. */

import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs } from '../../../../test/harness/index.ts';
import type { ClusterNode } from '../../../../test/harness/index.ts';
import { errorsOf, judge, summary } from './checkers/verdict.ts';
import { readsServed } from './checkers/served.ts';
import { outcomeOf, ownerOf, slotOf, stage } from './moving.ts';
import type { Ambassador } from './setting.ts';

const redis = needs('redis-server', 'redis-cli');
/** Replicas are no further behind than this. */
const LATE_MS = 500;

/** Resolves when reads of this owner's slots go to it alone. */
async function noticed({ adminUrl }: Ambassador, owner: ClusterNode): Promise<void> {
  await eventually('it is known that slots move', async () => {
    const { realms } = (await (await fetch(`${adminUrl}/debug/ambassador`)).json()) as Debug;
    const shards = realms.flatMap((realm) => realm.shards);
    return shards.some((shard) => shard.primary === owner.address && shard.moving);
  });
}

interface Debug {
  readonly realms: readonly {
    readonly shards: readonly { readonly primary: string; readonly moving: boolean }[];
  }[];
}

for (const consistency of ['session', 'eventual']) {
  test(`slots move key by key, reads go to replicas, consistency is ${consistency}`, redis, async (t) => {
    const { cluster, amb, load } = await stage(t, 21, { consistency });
    const from = performance.now();
    for (const key of load.keys.slice(0, consistency === 'session' ? 2 : 1)) {
      const owner = await ownerOf(cluster, key);
      const next = cluster.primaries[(cluster.primaries.indexOf(owner) + 1) % 3] as ClusterNode;
      const move = await cluster.beginMove(owner, next, await slotOf(owner, key));
      await noticed(amb, owner);
      // Between the steps the slot is half here and half there.
      await move.keys(10);
      await load.progress(30);
      await move.finish();
      await load.progress(30);
    }
    const to = performance.now();
    await load.progress(300);
    const history = await load.stop();
    t.ok((await amb.metric('fallbacks_total', { reason: 'moving' })) > 0);
    t.ok((await amb.metric('replica_reads_total')) > 0);
    const outcome = await outcomeOf(cluster, load.keys);
    if (consistency === 'session') {
      const verdict = judge(history, outcome);
      t.strictSame(verdict.problems, []);
      t.equal(verdict.writes.lostByServers, 0);
      t.equal(verdict.writes.told.dropped, 0);
      t.comment(summary(verdict, history));
    }
    // Every key has had an entry since before the first move: that one has none is no state of its past.
    const since = new Map<string, number>();
    for (const { action, reply, answeredAt } of history) {
      if (action.kind !== 'append' || !/:\d+\r\n$/.test(reply ?? '')) continue;
      since.set(action.key, Math.min(since.get(action.key) ?? answeredAt, answeredAt));
    }
    const missed = history.filter(
      ({ action, reply, sentAt }) =>
        action.kind === 'last' &&
        reply === '$-1\r\n' &&
        sentAt > (since.get(action.key) ?? Infinity) + LATE_MS,
    );
    t.strictSame(missed, [], 'no key is missed');
    // What a transaction was told before it met the move cannot be taken back: nothing of it is executed.
    const errors = Object.keys(errorsOf(history)).filter((error) => !/^-(ASK|MOVED|EXECABORT)\b/.test(error));
    t.strictSame(errors, [], 'nobody else has noticed');
    t.ok(readsServed(history, { from, to }).longestMs < 2_000);
  });
}
