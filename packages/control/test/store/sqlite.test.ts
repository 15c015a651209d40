import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import { FakeClock, systemClock } from '@outrigger/core/clock';
import { eventually } from '@outrigger/core/testing';
import { test } from 'tap';
import { openSqliteStore } from '../../src/store/index.ts';
import type { SequencedStore, SqliteStoreOptions } from '../../src/store/index.ts';
import { storeContract } from './contract.ts';
import { contents, describeAll, follow, put, remove, write } from './store-words.ts';

storeContract('sqlite', async (t, options) => {
  const store = await openSqliteStore({ ...options, dir: t.testdir() });
  t.teardown(() => store.close());
  return store;
});

/** Opens, uses and closes a store; what the use returned. */
async function using<T>(
  dir: string,
  use: (store: SequencedStore) => Promise<T>,
  options: Partial<SqliteStoreOptions> = {},
): Promise<T> {
  const store = await openSqliteStore({ clock: systemClock(), dir, ...options });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

test('a restart changes nothing: values, revisions, history and identity', async (t) => {
  const dir = t.testdir();
  const before = await using(dir, async (store) => {
    await write(store, put('/a', '1'), put('/b', '1'));
    await write(store, put('/a', '2'));
    await write(store, remove('/b'));
    await write(store, put('/b', '3'), put('/c', 'é'));
    return { epoch: store.epoch, status: store.status(), story: describeAll(await follow(store, 0, 5)) };
  });
  await using(dir, async (store) => {
    t.equal(store.epoch, before.epoch);
    t.match(store.status(), { revision: 5, keys: 3, compactedRevision: 0 });
    t.strictSame(contents(await store.range('/')), ['/a=2', '/b=3', '/c=é']);
    t.strictSame(contents(await store.range('/', { at: 4 })), ['/a=2']);
    t.strictSame(describeAll(await follow(store, 0, 5)), before.story, 'a watch goes on across the restart');
    const { items } = await store.range('/');
    t.match(items, [
      { createRevision: 2, modRevision: 3 },
      { createRevision: 5, modRevision: 5 },
      { createRevision: 5, modRevision: 5 },
    ]);
    t.equal(await write(store, put('/d', '1')), 6);
  });
});

test('history older than what fits into memory is served after a restart as before it', async (t) => {
  const dir = t.testdir();
  const limits = { hotHistoryBytes: 1_000 };
  const story = await using(
    dir,
    async (store) => {
      for (let count = 0; count < 300; count++) {
        const changes = [put(`/k/${count % 7}`, `${count}`), put(`/k/${7 + (count % 3)}`, `${count}`)];
        await write(store, ...changes, remove(`/k/${(count + 1) % 7}`));
      }
      return describeAll(await follow(store, 0, 301));
    },
    { limits },
  );
  await using(
    dir,
    async (store) => {
      t.strictSame(describeAll(await follow(store, 0, 301)), story);
      t.ok(store.stats.coldFetches > 0, 'read from disk');
      t.equal(await write(store, put('/k/0', 'new')), 302);
      t.strictSame(describeAll(await follow(store, 300, 302)).slice(0, 3), story.slice(-3));
    },
    { limits },
  );
});

test('a revision that compaction forgot is not given out again', async (t) => {
  const dir = t.testdir();
  await using(dir, async (store) => {
    await write(store, put('/a', '1'));
    await write(store, remove('/a'));
    await store.compact(3);
  });
  await using(dir, async (store) => {
    t.match(store.status(), { revision: 3, compactedRevision: 3, keys: 0 });
    await t.rejects(follow(store, 2, 3), { code: 'STORE_COMPACTED' });
    t.equal(await write(store, put('/a', '2')), 4);
    t.strictSame(describeAll(await follow(store, 3, 4)), ['4+/a=2']);
  });
});

test('what compaction had no time to remove is removed after a restart', async (t) => {
  const dir = t.testdir();
  await using(dir, async (store) => {
    for (let count = 0; count < 50; count++) await write(store, put(`/k/${count % 5}`, `${count}`));
    await write(store, remove('/k/0'));
  });
  // As left by a crash between recording what is forgotten and removing all of it.
  const db = new DatabaseSync(join(dir, 'outrigger.db'));
  db.exec("UPDATE meta SET value = 52 WHERE name = 'compacted'");
  db.close();
  const clock = new FakeClock();
  await using(
    dir,
    async (store) => {
      t.strictSame(contents(await store.range('/')), ['/k/1=46', '/k/2=47', '/k/3=48', '/k/4=49']);
      t.match(store.status(), { revision: 52, compactedRevision: 52 });
      await clock.advance(2_000);
      await eventually('the garbage is gone', () => store.stats.garbage === 0);
    },
    { clock },
  );
  const rows = new DatabaseSync(join(dir, 'outrigger.db'));
  t.strictSame({ ...rows.prepare('SELECT count(*) AS count FROM log').get() }, { count: 4 });
  rows.close();
});

test('the folder is made, and what is in it is for its owner alone', async (t) => {
  const dir = join(t.testdir(), 'deep', 'data');
  const old = process.umask(0);
  t.teardown(() => process.umask(old));
  await using(dir, async (store) => {
    await write(store, put('/a', '1'));
    t.equal(statSync(dir).mode & 0o777, 0o700);
    for (const name of ['outrigger.db', 'outrigger.db-wal'])
      t.equal(statSync(join(dir, name)).mode & 0o777, 0o600, name);
  });
  t.notOk(existsSync(join(dir, 'outrigger.db-wal')), 'closing leaves one file');
});

test('a database of a newer release is refused', async (t) => {
  const dir = t.testdir();
  await using(dir, (store) => write(store, put('/a', '1')));
  const db = new DatabaseSync(join(dir, 'outrigger.db'));
  db.exec("UPDATE meta SET value = 99 WHERE name = 'schema_version'");
  db.close();
  const before = readFileSync(join(dir, 'outrigger.db'));
  await t.rejects(openSqliteStore({ clock: systemClock(), dir }), {
    code: 'STORE_SCHEMA',
    message: /version 99, this release knows up to 1/,
    hint: /newer release/,
  });
  t.ok(before.equals(readFileSync(join(dir, 'outrigger.db'))), 'and left as it was');
});

test('a damaged or foreign file is refused', async (t) => {
  const clock = systemClock();
  const garbage = t.testdir({ 'outrigger.db': 'x'.repeat(10_000) });
  await t.rejects(openSqliteStore({ clock, dir: garbage }), { code: 'STORE_CORRUPT', hint: /backup/ });

  const foreign = join(t.testdirName, 'foreign');
  mkdirSync(foreign);
  const db = new DatabaseSync(join(foreign, 'outrigger.db'));
  db.exec('CREATE TABLE theirs (x)');
  db.close();
  await t.rejects(openSqliteStore({ clock, dir: foreign }), {
    code: 'STORE_CORRUPT',
    message: /another application/,
  });

  const torn = join(t.testdirName, 'torn');
  await using(torn, async (store) => {
    for (let count = 0; count < 100; count++) await write(store, put(`/${count}`, 'x'.repeat(1_000)));
  });
  const path = join(torn, 'outrigger.db');
  truncateSync(path, statSync(path).size / 2);
  await t.rejects(openSqliteStore({ clock, dir: torn }), { code: 'STORE_CORRUPT' });

  const holed = join(t.testdirName, 'holed');
  await using(holed, async (store) => {
    for (let count = 0; count < 10; count++) await write(store, put('/a', `${count}`));
  });
  const edit = new DatabaseSync(join(holed, 'outrigger.db'));
  edit.exec('DELETE FROM log WHERE id / 1024 = 5');
  edit.close();
  await t.rejects(openSqliteStore({ clock, dir: holed }), {
    code: 'STORE_CORRUPT',
    message: /revision 6 follows 4/,
  });
});

test('a folder that cannot be used is refused with a reason', async (t) => {
  const dir = t.testdir({ file: '' });
  const clock = systemClock();
  await t.rejects(openSqliteStore({ clock, dir: join(dir, 'file') }), { code: 'STORE_OPEN_FAILED' });
  await t.rejects(openSqliteStore({ clock, dir: join(dir, 'file', 'below') }), { code: 'STORE_OPEN_FAILED' });
  mkdirSync(join(dir, 'outrigger.db'));
  await t.rejects(openSqliteStore({ clock, dir }), { code: 'STORE_OPEN_FAILED', hint: /writable/ });
  writeFileSync(join(dir, 'note'), 'a failed open leaves no worker behind: this process ends');
});

test('neither the log nor the database grows with the number of writes', async (t) => {
  const dir = t.testdir();
  const walBytes = 128 * 1024;
  const checkpoints: number[] = [];
  const compactions: number[] = [];
  const observer = {
    checkpoint: ({ walBytes: bytes, problem }: { walBytes: number; problem: string | undefined }) => {
      t.equal(problem, undefined);
      checkpoints.push(bytes);
    },
    compaction: ({ durationMs }: { durationMs: number }) => void compactions.push(durationMs),
  };
  await using(
    dir,
    async (store) => {
      let high = 0;
      for (let round = 0; round < 60; round++) {
        await Promise.all(
          Array.from({ length: 50 }, (_, index) => write(store, put(`/k/${index}`, 'x'.repeat(1_000)))),
        );
        if (round === 20) high = statSync(join(dir, 'outrigger.db')).size;
      }
      const { size } = statSync(join(dir, 'outrigger.db'));
      t.ok(size <= high * 1.1, `${high} bytes after 1,000 writes, ${size} after 3,000`);
      t.ok(statSync(join(dir, 'outrigger.db-wal')).size < 4 * walBytes);
      t.ok(store.stats.rowsRemoved > 2_000, `${store.stats.rowsRemoved} rows removed`);
      t.ok(store.stats.garbage < 500, `${store.stats.garbage} waiting`);
    },
    { limits: { walBytes, historyChanges: 200 }, observer },
  );
  t.ok(checkpoints.length > 5 && checkpoints.every((bytes) => bytes < 4 * walBytes), String(checkpoints));
  t.ok(compactions.length > 20);
});

test('a quiet store empties its log and gives back what it no longer needs', async (t) => {
  const dir = t.testdir();
  const clock = new FakeClock();
  await using(
    dir,
    async (store) => {
      const keys = Array.from({ length: 60 }, (_, index) => `/k/${index}`);
      for (const key of keys) await write(store, put(key, 'x'.repeat(500_000)));
      const { sizeBytes } = store.status();
      await write(store, ...keys.map((key) => remove(key)));
      await store.compact(store.status().revision);
      await eventually('the file shrinks', async () => {
        await clock.advance(1_000);
        return statSync(join(dir, 'outrigger.db')).size < sizeBytes / 2;
      });
      t.equal(await write(store, put('/a', '1')), 63);
    },
    { clock },
  );
});

test('a writer thread that ends takes writes with it, and nothing else', async (t) => {
  const created = once(process, 'worker');
  await using(t.testdir(), async (store) => {
    const [worker] = (await created) as [Worker];
    await write(store, put('/a', '1'));
    const last = write(store, put('/a', '2'));
    await worker.terminate();
    await t.rejects(last, { code: 'STORE_READ_ONLY', message: /the writer thread stopped/ });
    await t.rejects(write(store, put('/a', '3')), { code: 'STORE_READ_ONLY' });
    t.match(store.status(), { readOnlyReason: /the writer thread stopped/, revision: 2 });
    t.strictSame(contents(await store.range('/')), ['/a=1']);
    t.equal((await follow(store, 0, 2)).length, 1);
  });
});
