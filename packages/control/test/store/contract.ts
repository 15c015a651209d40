/** What every kind of store promises, as one suite: memory and SQLite run it, and any later one has to. */

import type { Clock } from '@outrigger/core/clock';
import { FakeClock, seededRandom, systemClock } from '@outrigger/core/clock';
import { errorCode } from '@outrigger/core/errors';
import { test } from 'tap';
import type { Test } from 'tap';
import type { Operation, RangeResult, Store, StoreBatch, StoreLimits } from '../../src/store/index.ts';
import { contents, describeAll, follow, gapIn, put, remove, text, write, writeIf } from './store-words.ts';

export interface ContractOptions {
  readonly clock: Clock;
  readonly limits?: Partial<StoreLimits>;
}

/** Opens an empty store that is closed when the test ends. */
export type OpenStore = (t: Test, options: ContractOptions) => Promise<Store>;

export function storeContract(kind: string, openWith: OpenStore): void {
  const open = (t: Test, limits: Partial<StoreLimits> = {}): Promise<Store> =>
    openWith(t, { clock: systemClock(), limits });

  test(`${kind}: an empty store`, async (t) => {
    const store = await open(t);
    t.match(store.epoch, /^[0-9a-f-]{36}$/);
    t.match(store.status(), { revision: 1, compactedRevision: 0, keys: 0, readOnlyReason: undefined });
    t.strictSame(await store.range('/'), { items: [], revision: 1, more: false, remaining: 0 });
  });

  test(`${kind}: each write gets the next revision, and reads tell which`, async (t) => {
    const store = await open(t);
    const created = await write(store, put('/a', 'one'));
    const updated = await write(store, put('/a', 'two'));
    t.equal(created, 2, '1 is the empty store, so 0 is never a true revision');
    t.equal(updated, created + 1);
    const { items, revision } = await store.range('/a');
    t.equal(revision, updated);
    t.match(items, [{ key: '/a', createRevision: created, modRevision: updated }]);
    await write(store, remove('/a'));
    const again = await write(store, put('/a', 'three'));
    t.match((await store.range('/a')).items, [{ createRevision: again, modRevision: again }]);
    t.equal(store.status().keys, 1);
  });

  test(`${kind}: a range is a prefix, in byte order, in pages`, async (t) => {
    const store = await open(t);
    // U+FFFD sorts before U+1F600 in UTF-8 and after it in UTF-16.
    const names = ['/p/a', '/p/a-b', '/p/a/b', '/p/é', '/p/\ufffd', '/p/\u{1f600}'];
    for (const name of [...names, '/o', '/q', '/p'].toReversed()) await write(store, put(name, name));
    const all = await store.range('/p/');
    t.strictSame(
      all.items.map((item) => item.key),
      names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
    t.match(all, { more: false, remaining: 0 });
    const first = await store.range('/p/', { limit: 4 });
    t.match(first, { more: true, remaining: 2 });
    const rest = await store.range('/p/', { from: `${first.items.at(-1)?.key}\0` });
    t.match(rest, { more: false, remaining: 0 });
    t.strictSame([...contents(first), ...contents(rest)], contents(all));
    t.match(await store.range('/p/', { limit: 6 }), { more: false, remaining: 0 });
    t.strictSame(contents(await store.range('/p/', { from: '/a' })), contents(all), 'from before the prefix');
    t.strictSame(contents(await store.range('/p/', { from: '/z' })), [], 'from behind the prefix');
  });

  test(`${kind}: a transaction happens when all comparisons hold, and not at all otherwise`, async (t) => {
    const store = await open(t);
    const created = await writeIf(store, [{ key: '/a', modRevision: 0 }], put('/a', 'one'));
    t.equal(created, 2);
    const exists = await store.txn([{ key: '/a', modRevision: 0 }], [put('/a', 'lost'), put('/b', 'lost')]);
    t.match(exists, {
      ok: false,
      failed: { key: '/a', modRevision: 0 },
      found: { key: '/a', modRevision: 2 },
    });
    t.equal(exists.ok ? '' : text(exists.found?.value), 'one');
    const both = [
      { key: '/a', modRevision: 2 },
      { key: '/b', modRevision: 7 },
    ];
    const half = await store.txn(both, [remove('/a')]);
    t.match(half, { ok: false, failed: { key: '/b', modRevision: 7 }, found: undefined });
    t.equal(store.status().revision, 2, 'what failed consumed no revision');
    t.strictSame(contents(await store.range('/')), ['/a=one']);
    t.equal(await writeIf(store, [{ key: '/a', modRevision: 2 }], remove('/a')), 3);
    t.equal(await writeIf(store, [{ key: '/a', modRevision: 2 }], put('/a', 'stale')), undefined);
    t.equal(await writeIf(store, [{ key: '/a', modRevision: 0 }], put('/a', 'new')), 4);
  });

  test(`${kind}: comparisons see the writes queued before them`, async (t) => {
    const store = await open(t);
    const results = await Promise.all([
      writeIf(store, [{ key: '/a', modRevision: 0 }], put('/a', 'first')),
      writeIf(store, [{ key: '/a', modRevision: 0 }], put('/a', 'second')),
      writeIf(store, [{ key: '/a', modRevision: 2 }], put('/a', 'third')),
      writeIf(store, [], remove('/a')),
      writeIf(store, [{ key: '/a', modRevision: 0 }], put('/a', 'fifth')),
    ]);
    t.strictSame(results, [2, undefined, 3, 4, 5]);
  });

  test(`${kind}: one transaction is one revision and one batch, in the order of its operations`, async (t) => {
    const store = await open(t);
    await write(store, put('/b', 'old'));
    const revision = await write(store, put('/c', '1'), remove('/b'), put('/a', '2'), remove('/missing'));
    const [batch] = await follow(store, revision - 1, revision);
    t.strictSame(describeAll([batch as StoreBatch]), ['3+/c=1', '3-/b=old was old', '3+/a=2']);
    t.match(batch?.events[1], { createRevision: 2 }, 'a deletion tells when its object was created');
  });

  test(`${kind}: a transaction that changes nothing consumes no revision`, async (t) => {
    const store = await open(t);
    await write(store, put('/a', '1'));
    t.equal(await write(store, remove('/missing')), 2);
    t.equal(await write(store), 2);
    t.equal(await writeIf(store, [{ key: '/a', modRevision: 1 }]), undefined);
    t.equal(store.status().revision, 2);
  });

  test(`${kind}: an invalid transaction is refused with a reason`, async (t) => {
    const store = await open(t, { txnOperations: 2, valueBytes: 4 });
    const invalid: [string, Operation[]][] = [
      ['too many operations', [put('/a', ''), put('/b', ''), put('/c', '')]],
      ['the same key twice', [put('/a', ''), remove('/a')]],
      ['a value too large', [put('/a', '12345')]],
      ['an empty key', [put('', '')]],
      ['half a surrogate pair', [put('/\ud83d', '')]],
    ];
    for (const [why, operations] of invalid)
      await t.rejects(store.txn([], operations), { code: 'STORE_INVALID_TXN' }, why);
    t.equal(store.status().revision, 1);
  });

  test(`${kind}: an older revision can be read as it was`, async (t) => {
    const store = await open(t);
    await write(store, put('/a', '1'), put('/b', '1'), put('/c', '1'));
    const then = await write(store, put('/d', '1'));
    const expected = contents(await store.range('/'));
    await write(store, put('/a', '2'), remove('/b'), put('/e', '2'));
    await write(store, put('/b', 'again'), remove('/c'), remove('/d'), put('/aa', '3'));
    const old = await store.range('/', { at: then });
    t.strictSame(contents(old), expected);
    t.equal(old.revision, then);
    t.strictSame(contents(await store.range('/', { at: then - 1 })), ['/a=1', '/b=1', '/c=1']);
    t.strictSame(contents(await store.range('/', { at: 1 })), []);
    const page = await store.range('/', { at: then, limit: 1, from: '/b' });
    t.match(page, { more: true, remaining: 2, items: [{ key: '/b', modRevision: 2 }] });
    await t.rejects(store.range('/', { at: then + 3 }), { code: 'STORE_FUTURE_REVISION' });
  });

  test(`${kind}: pages at one revision fit together while writes go on`, async (t) => {
    const store = await open(t);
    const random = seededRandom(5);
    const key = (): string => `/k/${Math.floor(random.next() * 60)}`;
    for (let count = 0; count < 100; count++) await write(store, put(key(), `${count}`));
    const whole = await store.range('/k/');
    const pages: string[] = [];
    for (let from = '/k/'; ;) {
      const page = await store.range('/k/', { at: whole.revision, from, limit: 7 });
      pages.push(...contents(page));
      t.equal(page.remaining, whole.items.length - pages.length);
      if (!page.more) break;
      from = `${page.items.at(-1)?.key}\0`;
      await Promise.all([
        write(store, put(key(), 'new')),
        write(store, remove(key())),
        write(store, put(key(), 'x')),
      ]);
    }
    t.strictSame(pages, contents(whole));
  });

  test(`${kind}: a large range is complete, and of one revision, while writes go on`, async (t) => {
    const store = await open(t, { hotHistoryBytes: 10_000 });
    const total = 9_000;
    for (let start = 0; start < total; start += 500) {
      await write(store, ...Array.from({ length: 500 }, (_, index) => put(`/k/${start + index}`, 'old')));
    }
    const before = store.status().revision;
    const reading = { done: false };
    const writer = async (): Promise<void> => {
      for (let count = 0; !reading.done; count++)
        await write(store, put(`/k/${total - 1 - count}`, 'new'), remove(`/k/${count}`));
    };
    const read = async (): Promise<RangeResult> => {
      const range = await store.range('/k/');
      reading.done = true;
      return range;
    };
    const [range] = await Promise.all([read(), writer()]);
    t.equal(range.revision, before);
    t.equal(range.items.length, total);
    t.ok(range.items.every((item) => text(item.value) === 'old'));
    t.ok(store.status().revision > before, 'writers were not held up');
  });

  test(`${kind}: a watch from 0 tells the whole story`, async (t) => {
    const store = await open(t);
    await write(store, put('/a', '1'));
    await write(store, put('/a', '2'));
    await write(store, remove('/a'));
    await write(store, put('/a', '3'));
    const story = describeAll(await follow(store, 0, 5));
    t.strictSame(story, ['2+/a=1', '3+/a=2 was 1', '4-/a=2 was 2', '5+/a=3']);
  });

  test(`${kind}: watchers see every change once and in order, whenever they begin and however slow they are`, async (t) => {
    // Little stays hot, so that slow watchers and late ones read what was put away.
    const store = await open(t, { hotHistoryBytes: 2_000 });
    const writers = 16;
    const each = 40;
    const last = 1 + writers * each;
    const slow = async (after: number): Promise<StoreBatch[]> => {
      const seen: StoreBatch[] = [];
      const stop = new AbortController();
      for await (const batches of store.watch(after, stop.signal)) {
        seen.push(...batches);
        if (seen.at(-1)?.revision === last) stop.abort();
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      }
      return seen;
    };
    const watches = [
      follow(store, 0, last),
      slow(0),
      follow(store, 100, last),
      slow(300),
      follow(store, last - 1, last),
    ];
    const answers: number[] = [];
    await Promise.all(
      Array.from({ length: writers }, async (_, writer) => {
        for (let count = 0; count < each; count++) {
          answers.push(
            await write(store, put(`/k/${count % 5}`, `${writer}-${count}`), put(`/w/${writer}`, `${count}`)),
          );
        }
      }),
    );
    watches.push(follow(store, 0, last), follow(store, 250, last));
    const seen = await Promise.all(watches);
    const starts = [0, 100, 300, last - 1, 250];
    for (const [index, after] of [0, 0, 100, 300, last - 1, 0, 250].entries()) {
      const batches = seen[index] as StoreBatch[];
      t.equal(gapIn(batches, Math.max(after, 1)), undefined);
      t.equal(batches.at(-1)?.revision, last);
    }
    t.equal(new Set(answers).size, writers * each, 'every write had a revision of its own');
    const whole = describeAll(seen[0] as StoreBatch[]);
    for (const index of [1, 5]) t.strictSame(describeAll(seen[index] as StoreBatch[]), whole);
    t.strictSame(
      describeAll(seen[6] as StoreBatch[]),
      whole.slice(-2 * (last - 250)),
      `${starts.length} starts`,
    );
  });

  test(`${kind}: a watch resumes where another ended, and waits for a revision to come`, async (t) => {
    const store = await open(t);
    for (let count = 0; count < 5; count++) await write(store, put('/a', `${count}`));
    const first = await follow(store, 0, 4);
    const seen = first.at(-1)?.revision as number;
    const resumed = follow(store, seen, 8);
    const ahead = follow(store, 7, 8);
    for (let count = 5; count < 7; count++) await write(store, put('/a', `${count}`));
    t.equal(gapIn([...first, ...(await resumed)], 1), undefined);
    t.strictSame(describeAll(await ahead), ['8+/a=6 was 5']);
  });

  test(`${kind}: a watch ends when its signal aborts`, async (t) => {
    const store = await open(t);
    await t.resolves(drain(store.watch(0, AbortSignal.abort())));
    const stop = new AbortController();
    const waiting = drain(store.watch(0, stop.signal));
    await write(store, put('/a', '1'));
    stop.abort();
    t.equal(await waiting, 1);
  });

  test(`${kind}: an acknowledged write is in every read and every watch`, async (t) => {
    const store = await open(t);
    for (let count = 0; count < 20; count++) {
      const revision = await write(store, put('/a', `${count}`));
      t.ok(store.status().revision >= revision);
      t.equal((await store.range('/a')).items[0]?.modRevision, revision);
      t.equal((await follow(store, revision - 1, revision)).length, 1);
    }
  });

  test(`${kind}: compaction forgets the past and keeps the present`, async (t) => {
    const store = await open(t);
    await write(store, put('/a', '1'), put('/gone', '1'));
    await write(store, put('/a', '2'));
    await write(store, remove('/gone'));
    const edge = await write(store, put('/b', '1'));
    await write(store, put('/a', '3'));
    await store.compact(edge);
    t.equal(store.status().compactedRevision, edge);
    t.strictSame(contents(await store.range('/')), ['/a=3', '/b=1']);
    t.strictSame(
      contents(await store.range('/', { at: edge })),
      ['/a=2', '/b=1'],
      'the edge itself stays readable',
    );
    await t.rejects(store.range('/', { at: edge - 1 }), { code: 'STORE_COMPACTED' });
    await t.rejects(follow(store, edge - 1, edge + 1), { code: 'STORE_COMPACTED' });
    t.strictSame(describeAll(await follow(store, edge, edge + 1)), ['6+/a=3 was 2']);
    await store.compact(1);
    t.equal(store.status().compactedRevision, edge, 'compaction does not go back');
    await store.compact(1_000);
    t.equal(store.status().compactedRevision, edge + 1, 'nor ahead of the store');
    t.equal(await write(store, put('/c', '1')), edge + 2);
  });

  test(`${kind}: a watcher that compaction overtakes is told so`, async (t) => {
    const store = await open(t);
    await write(store, put('/a', '1'));
    const watch = store.watch(0, new AbortController().signal)[Symbol.asyncIterator]();
    await watch.next();
    const last = await write(store, put('/a', '2'));
    await store.compact(await write(store, put('/a', '3')));
    await t.rejects(watch.next(), { code: 'STORE_COMPACTED' }, `revision ${last} is lost to it`);
  });

  test(`${kind}: history is bounded by count and by bytes`, async (t) => {
    const store = await open(t, { historyChanges: 50 });
    for (let count = 0; count < 200; count++) await write(store, put('/a', `${count}`));
    const { revision, compactedRevision } = store.status();
    t.ok(
      revision - compactedRevision >= 50 && revision - compactedRevision <= 60,
      `${revision - compactedRevision} kept`,
    );
    const small = await open(t, { historyBytes: 5_000 });
    for (let count = 0; count < 100; count++) await write(small, put('/a', 'x'.repeat(500)));
    const kept = small.status().revision - small.status().compactedRevision;
    t.ok(kept >= 8 && kept <= 20, `${kept} kept`);
  });

  test(`${kind}: history expires with time, by itself`, async (t) => {
    const clock = new FakeClock();
    const store = await openWith(t, { clock, limits: { historyMs: 100_000 } });
    const old = await write(store, put('/a', '1'));
    await clock.advance(60_000);
    const young = await write(store, put('/a', '2'));
    await clock.advance(30_000);
    t.equal(store.status().compactedRevision, 0, 'nothing is older than the window yet');
    await clock.advance(20_000);
    t.equal(store.status().compactedRevision, old);
    t.strictSame(contents(await store.range('/', { at: old })), ['/a=1']);
    await clock.advance(60_000);
    t.equal(store.status().compactedRevision, young);
    t.strictSame(contents(await store.range('/')), ['/a=2']);
  });

  test(`${kind}: concurrent read-modify-write loses nothing`, async (t) => {
    const store = await open(t);
    await write(store, put('/count', '0'));
    let conflicts = 0;
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        for (let done = 0; done < 10;) {
          const [item] = (await store.range('/count')).items;
          const next = put('/count', `${Number(text(item?.value)) + 1}`);
          if (await writeIf(store, [{ key: '/count', modRevision: item?.modRevision as number }], next))
            done++;
          else conflicts++;
        }
      }),
    );
    t.strictSame(contents(await store.range('/')), ['/count=200']);
    t.ok(conflicts > 0, "they did get in each other's way");
  });

  test(`${kind}: values belong to the store`, async (t) => {
    const store = await open(t);
    const pooled = Buffer.from('mine');
    const slice = new Uint8Array(1_000).subarray(10, 14).fill(65);
    await store.txn(
      [],
      [
        { type: 'put', key: '/pooled', value: pooled },
        { type: 'put', key: '/slice', value: slice },
      ],
    );
    pooled.fill(0);
    slice.fill(0);
    const { items } = await store.range('/');
    t.strictSame(
      items.map((item) => text(item.value)),
      ['mine', 'AAAA'],
    );
    t.ok(
      items.every((item) => item.value.buffer.byteLength === 4),
      'nothing larger is kept alive for them',
    );
    const [batch] = await follow(store, 1, 2);
    t.equal(batch?.events[0]?.value, items[0]?.value, 'a cache fed by watch shares the very bytes');
  });

  test(`${kind}: any mix of transactions reads and replays as a simple model says`, async (t) => {
    const seed = 42;
    const random = seededRandom(seed);
    const store = await open(t, { hotHistoryBytes: 3_000 });
    const model = new Model();
    for (let round = 0; round < 60; round++) {
      const group = Array.from({ length: 1 + Math.floor(random.next() * 8) }, () =>
        model.randomTxn(() => random.next()),
      );
      const results = await Promise.all(
        group.map(({ compare, operations }) => store.txn(compare, operations)),
      );
      for (const [index, txn] of group.entries()) {
        const result = results[index];
        t.equal(
          result?.ok === true ? result.revision : undefined,
          model.run(txn),
          `seed ${seed} round ${round}`,
        );
      }
      const at = 1 + Math.floor(random.next() * model.revision);
      if (at >= store.status().compactedRevision)
        t.strictSame(contents(await store.range('/', { at })), model.contents(at), `seed ${seed} at ${at}`);
      if (round % 20 === 19) await store.compact(model.revision - 30);
    }
    const { compactedRevision, revision } = store.status();
    const replayed = new Map(model.at(compactedRevision));
    for (const batch of await follow(store, compactedRevision, revision)) {
      for (const event of batch.events) {
        t.equal(
          text(event.previous),
          replayed.get(event.key),
          `previous of ${event.key} in ${batch.revision}`,
        );
        if (event.type === 'put') replayed.set(event.key, text(event.value) as string);
        else replayed.delete(event.key);
      }
    }
    t.strictSame(sorted(replayed), model.contents(revision));
    t.strictSame(contents(await store.range('/')), model.contents(revision));
  });

  test(`${kind}: writers are told when too much waits`, async (t) => {
    const store = await open(t, { pendingBytes: 10_000 });
    const results = await Promise.allSettled(
      Array.from({ length: 100 }, (_, index) => write(store, put(`/k/${index}`, 'x'.repeat(500)))),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    t.ok(refused.length > 50 && refused.length < 100, `${refused.length} refused`);
    t.ok(refused.every((result) => errorCode(result.reason) === 'STORE_BUSY'));
    t.equal((await store.range('/')).items.length, 100 - refused.length, 'all others are there');
    await t.resolves(
      write(store, put('/large', 'x'.repeat(20_000))),
      'one larger than the limit passes alone',
    );
  });

  test(`${kind}: a closed store says so`, async (t) => {
    const store = await open(t);
    await write(store, put('/a', '1'));
    const watch = drain(store.watch(1, new AbortController().signal));
    const late = write(store, put('/a', '2'));
    const closing = Promise.all([store.close(), store.close()]);
    await t.rejects(watch, { code: 'STORE_CLOSED' });
    await t.rejects(late, { code: 'STORE_CLOSED' }, 'what was not yet being written is refused');
    await closing;
    await t.rejects(store.range('/'), { code: 'STORE_CLOSED' });
    await t.rejects(store.txn([], [put('/a', '3')]), { code: 'STORE_CLOSED' });
    await t.rejects(store.compact(1), { code: 'STORE_CLOSED' });
    t.match(store.status(), { readOnlyReason: /closed/ });
  });
}

/** Reads a watch to its end; how many batches it gave. */
async function drain(watch: AsyncIterable<readonly StoreBatch[]>): Promise<number> {
  let count = 0;
  for await (const batches of watch) count += batches.length;
  return count;
}

function sorted(state: ReadonlyMap<string, string>): string[] {
  return [...state].map(([key, value]) => `${key}=${value}`).toSorted();
}

interface ModelTxn {
  readonly compare: { key: string; modRevision: number }[];
  readonly operations: Operation[];
}

/** The store as a list of whole states, one per revision. */
class Model {
  readonly #states: Map<string, string>[] = [new Map(), new Map()];
  readonly #modified = new Map<string, number>();
  #counter = 0;

  get revision(): number {
    return this.#states.length - 1;
  }

  at(revision: number): ReadonlyMap<string, string> {
    return this.#states[revision] as Map<string, string>;
  }

  contents(revision: number): string[] {
    return sorted(this.at(revision));
  }

  randomTxn(next: () => number): ModelTxn {
    const key = (): string => `/${'abcdefgh'[Math.floor(next() * 8)]}`;
    const first = key();
    const operations = new Map<string, Operation>();
    for (let count = 1 + Math.floor(next() * 3); count > 0; count--) {
      const name = key();
      operations.set(name, next() < 0.3 ? remove(name) : put(name, `${this.#counter++}`));
    }
    const compare = next() < 0.5 ? [{ key: first, modRevision: this.#modified.get(first) ?? 0 }] : [];
    return { compare, operations: [...operations.values()] };
  }

  /** The revision a transaction gets, or undefined when a comparison fails. */
  run(txn: ModelTxn): number | undefined {
    if (txn.compare.some(({ key, modRevision }) => (this.#modified.get(key) ?? 0) !== modRevision))
      return undefined;
    const state = new Map(this.at(this.revision));
    const changed = txn.operations.filter(
      (operation) => operation.type === 'put' || state.has(operation.key),
    );
    if (changed.length === 0) return this.revision;
    for (const operation of changed) {
      if (operation.type === 'put') {
        state.set(operation.key, text(operation.value) as string);
        this.#modified.set(operation.key, this.revision + 1);
      } else {
        state.delete(operation.key);
        this.#modified.delete(operation.key);
      }
    }
    this.#states.push(state);
    return this.revision;
  }
}
