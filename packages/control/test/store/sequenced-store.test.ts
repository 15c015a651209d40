import { FakeClock, systemClock } from '@outrigger/core/clock';
import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import type { Test } from 'tap';
import type { StoreLimits, StoreObserver } from '../../src/store/index.ts';
import type { Journal, JournalGroup } from '../../src/store/journal.ts';
import { defaultLimits } from '../../src/store/limits.ts';
import { SequencedStore } from '../../src/store/sequenced-store.ts';
import { Timeline } from '../../src/store/timeline.ts';
import { contents, describeAll, follow, put, remove, write, writeIf } from './store-words.ts';

/** A journal whose every append is held until the test lets it through or fails it. */
class HeldJournal implements Journal {
  readonly target = '/data/outrigger.db';
  readonly sizeBytes = 1;
  readonly walBytes = 0;
  readonly groups: JournalGroup[] = [];
  readonly #values = new Map<number, Uint8Array>();
  #settle: { resolve: (removed: number) => void; reject: (error: Error) => void } | undefined;
  rests = 0;
  fetches = 0;

  append(group: JournalGroup): Promise<number> {
    if (this.#settle !== undefined) throw new Error('a second append before the first has settled');
    this.groups.push(group);
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  /** Waits for an append and lets it through; its group. */
  async pass(removes = Number.POSITIVE_INFINITY): Promise<JournalGroup> {
    const { resolve } = await this.#held();
    const group = this.groups.at(-1) as JournalGroup;
    for (const row of group.rows) if (row.value !== undefined) this.#values.set(row.id, row.value);
    for (const id of group.garbage.slice(0, removes)) this.#values.delete(id);
    resolve(Math.min(removes, group.garbage.length));
    return group;
  }

  async fail(reason: string): Promise<void> {
    (await this.#held()).reject(new Error(reason));
  }

  fetch(ids: readonly number[]): Promise<Uint8Array[]> {
    this.fetches++;
    return Promise.resolve(ids.map((id) => this.#values.get(id) as Uint8Array));
  }

  idle(): void {
    this.rests++;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #held() {
    const settle = await eventually('an append', () => this.#settle);
    this.#settle = undefined;
    return settle;
  }
}

interface Opened {
  readonly store: SequencedStore;
  readonly journal: HeldJournal;
}

function open(
  t: Test,
  limits: Partial<StoreLimits> = {},
  clock = systemClock(),
  observer: StoreObserver = {},
): Opened {
  const journal = new HeldJournal();
  const all = { ...defaultLimits, ...limits };
  const timeline = new Timeline({ hotBytes: all.hotHistoryBytes });
  const store = new SequencedStore({ epoch: 'e', timeline, journal, clock, limits: all, observer });
  t.teardown(() => store.close());
  return { store, journal };
}

/** Every promise that can settle has settled. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

test('everyone who writes in one turn shares a commit; who comes later shares the next', async (t) => {
  const { store, journal } = open(t);
  const first = Array.from({ length: 10 }, (_, index) => write(store, put(`/first/${index}`, '')));
  await turn();
  const second = Array.from({ length: 20 }, (_, index) => write(store, put(`/second/${index}`, '')));
  await turn();
  t.equal(journal.groups.length, 1, 'one commit at a time');
  t.equal((await journal.pass()).rows.length, 10);
  t.strictSame(await Promise.all(first), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  t.equal((await journal.pass()).rows.length, 20);
  t.equal((await Promise.all(second)).at(-1), 31);
  t.match(store.stats, { commits: 2, txns: 30 });
});

test('many who are answered together leave others their turn', async (t) => {
  const { store, journal } = open(t);
  let answered = 0;
  const writing = Array.from({ length: 300 }, async (_, index) => {
    await write(store, put(`/${index}`, ''));
    answered++;
  });
  await journal.pass();
  const steps = new Set<number>();
  while (answered < 300) {
    steps.add(answered);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.ok(
    [...steps].some((step) => step > 0),
    `seen on the way: ${[...steps].join(' ')}`,
  );
  await Promise.all(writing);
});

test('a group is bounded in transactions and in bytes', async (t) => {
  const { store, journal } = open(t, { groupTxns: 4, groupBytes: 1_000 });
  const many = Array.from({ length: 6 }, (_, index) => write(store, put(`/${index}`, '')));
  t.equal((await journal.pass()).rows.length, 4);
  t.equal((await journal.pass()).rows.length, 2);
  await Promise.all(many);
  const large = Array.from({ length: 4 }, (_, index) => write(store, put(`/${index}`, 'x'.repeat(600))));
  t.equal((await journal.pass()).rows.length, 2, 'the one that passes the limit is the last');
  t.equal((await journal.pass()).rows.length, 2);
  await Promise.all(large);
});

test('nothing is visible, and nobody answered, before it is durable', async (t) => {
  const { store, journal } = open(t);
  const answers: string[] = [];
  const stop = new AbortController();
  const watching = (async (): Promise<void> => {
    for await (const batches of store.watch(1, stop.signal)) answers.push(...describeAll(batches));
  })();
  const writing = write(store, put('/a', '1')).then((revision) => answers.push(`answer ${revision}`));
  const conflict = store
    .txn([{ key: '/a', modRevision: 0 }], [])
    .then(({ ok }) => answers.push(`conflict ${!ok}`));
  await turn();
  t.equal(journal.groups.length, 1);
  t.strictSame(answers, [], 'not even the conflict, which is one only if the write is durable');
  t.strictSame(contents(await store.range('/')), []);
  t.match(store.status(), { revision: 1, keys: 0 });
  await journal.pass();
  await Promise.all([writing, conflict]);
  await turn();
  t.strictSame(answers.toSorted(), ['2+/a=1', 'answer 2', 'conflict true']);
  stop.abort();
  await watching;
});

test('a conflict with what is durable is answered without waiting for the disk', async (t) => {
  const { store, journal } = open(t);
  const first = write(store, put('/a', '1'));
  await journal.pass();
  await first;
  const slow = write(store, put('/b', '1'));
  t.equal(await writeIf(store, [{ key: '/a', modRevision: 0 }], put('/a', '2')), undefined);
  await journal.pass();
  t.equal(await slow, 3);
});

test('a commit that fails takes its whole group with it, and no revision', async (t) => {
  const told: (string | undefined)[] = [];
  const { store, journal } = open(t, {}, systemClock(), { readOnly: (reason) => void told.push(reason) });
  const first = write(store, put('/a', '1'));
  await journal.pass();
  await first;
  const group = [
    write(store, put('/a', '2')),
    writeIf(store, [{ key: '/a', modRevision: 3 }], put('/b', '2')),
    writeIf(store, [{ key: '/a', modRevision: 2 }], put('/c', '2')),
  ].map((writing) =>
    t.rejects(writing, { code: 'STORE_READ_ONLY', message: /outrigger\.db takes no writes: no space/ }),
  );
  await journal.fail('no space');
  await Promise.all(group);
  t.strictSame(contents(await store.range('/')), ['/a=1']);
  t.match(store.status(), { revision: 2, readOnlyReason: /no space/ });
  const next = writeIf(store, [{ key: '/a', modRevision: 2 }], put('/a', '3'));
  await journal.pass();
  t.equal(await next, 3, 'the revision is given out again, nobody has seen it');
  t.equal(store.status().readOnlyReason, undefined);
  t.match(told, [/no space/, undefined]);
  t.strictSame(describeAll(await follow(store, 1, 3)), ['2+/a=1', '3+/a=3 was 1']);
});

test('a disk that refused is tried again every second, without a write', async (t) => {
  const clock = new FakeClock();
  const { store, journal } = open(t, {}, clock);
  const refused = t.rejects(write(store, put('/a', '1')), { code: 'STORE_READ_ONLY' });
  await journal.fail('no space');
  await refused;
  for (const reason of ['no space', 'no space']) {
    await clock.advance(1_000);
    await journal.fail(reason);
  }
  t.equal(journal.groups.length, 3);
  await clock.advance(1_000);
  t.match(await journal.pass(), { rows: [], garbage: [] });
  await turn();
  t.equal(store.status().readOnlyReason, undefined);
  await clock.advance(10_000);
  t.equal(journal.groups.length, 4, 'and then left alone');
  t.equal(journal.rests, 1, 'but for one moment of rest');
});

test('compaction keeps pace with writes and does not hold them up', async (t) => {
  const { store, journal } = open(t, { historyChanges: 100 });
  for (let round = 0; round < 100; round++) {
    const writing = Promise.all(
      Array.from({ length: 10 }, (_, index) => write(store, put(`/${index}`, `${round}`))),
    );
    const group = await journal.pass();
    await writing;
    t.ok(group.garbage.length <= 20, `${group.garbage.length} removed along with 10 written`);
  }
  t.ok(store.stats.garbage <= 20, `${store.stats.garbage} wait at the end`);
  t.ok(store.stats.historyChanges <= 110);
});

test('a disk that removes slowly is not asked for more, and forgets nothing', async (t) => {
  const { store, journal } = open(t, { historyChanges: 5 });
  for (let round = 0; round < 40; round++) {
    const writing = write(store, put('/a', `${round}`));
    await journal.pass(1);
    await writing;
  }
  const removed = new Set(journal.groups.flatMap((group) => group.garbage.slice(0, 1)));
  t.equal(removed.size, store.stats.rowsRemoved, 'every removal was of another row');
  // What history reaches is its changes, and the value before the first of them.
  t.equal(store.stats.garbage + removed.size + store.stats.historyChanges + 1, 40);
});

test('a compaction asked for is done when its rows are gone', async (t) => {
  const { store, journal } = open(t);
  for (let round = 0; round < 3; round++) {
    const writing = write(store, put('/a', `${round}`));
    await journal.pass();
    await writing;
  }
  let done = false;
  const compacting = store.compact(4).then(() => (done = true));
  t.match(await journal.pass(1), { rows: [], compacted: 4 });
  await turn();
  t.notOk(done, 'one of two rows is left');
  await journal.pass();
  await compacting;
  t.match(store.status(), { compactedRevision: 4 });

  const writing = write(store, remove('/a'));
  await journal.pass();
  await writing;
  const failing = t.rejects(store.compact(5), { code: 'STORE_READ_ONLY' });
  await journal.fail('no space');
  await failing;
  const again = write(store, put('/b', ''));
  t.match(
    await journal.pass(),
    { garbage: { length: 2 }, compacted: 5 },
    'what failed goes with the next write',
  );
  await again;
});

test('a read under way keeps compaction from the revision it reads', async (t) => {
  const { store, journal } = open(t, { hotHistoryBytes: 0 });
  const writes = async (...values: string[]): Promise<void> => {
    for (const value of values) {
      const writing = write(store, put('/a', value));
      await journal.pass();
      await writing;
    }
  };
  await writes('1', '2', '3');
  let release = (): void => undefined;
  const blocked = new Promise<void>((resolve) => (release = resolve));
  const fetch = journal.fetch.bind(journal);
  journal.fetch = async (ids) => {
    await blocked;
    return fetch(ids);
  };
  const reading = store.range('/', { at: 2 });
  const compacting = store.compact(4);
  await journal.pass();
  await turn();
  t.equal(store.status().compactedRevision, 2, 'it goes as far as it may');
  release();
  t.strictSame(contents(await reading), ['/a=1']);
  await writes('4');
  await compacting;
  t.equal(store.status().compactedRevision, 4);
  t.equal(journal.fetches, 1);
});

test('closing lets the commit under way finish', async (t) => {
  const { store, journal } = open(t);
  const writing = write(store, put('/a', '1'));
  await turn();
  const waiting = t.rejects(write(store, put('/b', '1')), { code: 'STORE_CLOSED' });
  const closing = store.close();
  await journal.pass();
  t.equal(await writing, 2);
  await waiting;
  await closing;
});
