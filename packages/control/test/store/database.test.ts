import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import type { Test } from 'tap';
import { LogDatabase } from '../../src/store/database.ts';
import type { Row } from '../../src/store/packing.ts';

const noGarbage = new Float64Array();

function row(id: number, value = 'x'): Row {
  return { id, key: `/k/${id}`, createRevision: 1, value: new TextEncoder().encode(value) };
}

function open(t: Test, now: () => number = () => 0): LogDatabase {
  const path = join(t.testdir(), 'a.db');
  const database = new LogDatabase({ path, epoch: 'e', walBytes: 64 * 1024, now });
  t.teardown(() => database.close());
  return database;
}

test('rows come back in pages, as they went in', (t) => {
  const database = open(t);
  const rows = [row(1), { ...row(2), value: undefined }, row(3, ''), row(4, 'y'.repeat(5_000)), row(2 ** 52)];
  database.append(rows, noGarbage, 0);
  t.strictSame(database.load(0, Number.POSITIVE_INFINITY), rows);
  t.strictSame(database.load(0, 10), rows.slice(0, 3), 'until a page is full');
  t.strictSame(database.load(3, 10), rows.slice(3, 4), 'which one row may do alone');
  t.strictSame(database.load(2 ** 52, 10), []);
  t.strictSame(database.fetch(Float64Array.of(4, 3)), [rows[3]?.value, rows[2]?.value]);
  t.throws(() => database.fetch(Float64Array.of(99)), /row 99 is gone/);
  t.end();
});

test('a group that fails leaves nothing behind', (t) => {
  const database = open(t);
  database.append([row(1)], noGarbage, 0);
  t.throws(() => database.append([row(2), row(1)], Float64Array.of(1), 7), /UNIQUE/);
  t.strictSame(database.load(0, 1_000), [row(1)]);
  t.equal(database.append([row(2)], Float64Array.of(1), 1).removed, 1);
  t.strictSame(database.load(0, 1_000), [row(2)]);
  t.end();
});

test('removing rows ends in time to let writes through', (t) => {
  let now = 0;
  const database = open(t, () => now++);
  const ids = Array.from({ length: 1_000 }, (_, index) => index + 1);
  database.append(
    ids.map((id) => row(id)),
    noGarbage,
    0,
  );
  const { removed, removeMs } = database.append([], Float64Array.from(ids), 5);
  t.ok(removed > 30 && removed < 100, `${removed} removed`);
  t.ok(removeMs < 8);
  t.equal(database.load(0, Number.POSITIVE_INFINITY)[0]?.id, removed + 1, 'from the front');
  t.end();
});

test('the write-ahead log is moved into the database when it is due', (t) => {
  const database = open(t);
  const file = (): string => readFileSync(join(t.testdirName, 'a.db'), 'latin1');
  database.append([row(1, 'needle')], noGarbage, 0);
  t.equal(database.checkpointIfDue(), undefined);
  t.notMatch(file(), /needle/);
  t.match(database.checkpointIfAny(), { problem: undefined });
  t.match(file(), /needle/);
  t.equal(database.checkpointIfAny(), undefined, 'nothing is left to move');
  const before = database.opened.sizeBytes;
  database.append([row(2, 'z'.repeat(200_000))], noGarbage, 0);
  const done = database.checkpointIfDue();
  t.equal(done?.problem, undefined);
  t.ok((done?.walBytes ?? 0) > 200_000);
  t.ok(database.opened.sizeBytes > before + 200_000);
  t.notOk(database.giveBackPages(), 'nothing to give back');
  t.end();
});
