import { test } from 'tap';
import type { CacheEvent, HistoryLimits } from '../../src/cache/history.ts';
import { History } from '../../src/cache/history.ts';

const limits: HistoryLimits = { historyMs: 1_000, historyFloor: 3, historyCeiling: 10, historyBytes: 1_000 };

function event(revision: number, bytes = 10): CacheEvent {
  const entry = {
    path: 'a',
    namespace: '',
    name: 'a',
    value: Buffer.alloc(bytes),
    revision,
    createRevision: 1,
    labels: {},
    fields: {},
  };
  return { type: 'put', revision, entry, previous: undefined };
}

const revisions = (events: readonly CacheEvent[]): number[] => events.map(({ revision }) => revision);

test('what is asked for comes in order, whole revisions together', (t) => {
  const history = new History(limits, 0);
  for (const revision of [1, 2, 2, 2, 5]) history.add(event(revision), 0);
  t.same(revisions(history.between(0, 9)), [1, 2, 2, 2, 5]);
  t.same(revisions(history.between(1, 4)), [2, 2, 2]);
  t.same(revisions(history.between(0, 9, 2)), [1, 2, 2, 2]);
  t.same(revisions(history.between(5, 9)), []);
  t.end();
});

test('young changes are kept up to the ceiling, old ones down to the floor', (t) => {
  const history = new History(limits, 0);
  for (let revision = 1; revision <= 10; revision++) history.add(event(revision), revision);
  t.equal(history.floor, 0);
  history.add(event(11), 20);
  t.equal(history.size, 10);
  t.equal(history.floor, 1);
  history.add(event(12), 5_000);
  t.same(revisions(history.between(history.floor, 99)), [10, 11, 12]);
  t.equal(history.floor, 9);
  t.end();
});

test('bytes are bounded too, but the newest change stays', (t) => {
  const history = new History(limits, 0);
  history.add(event(1, 600), 0);
  history.add(event(2, 600), 0);
  t.same(revisions(history.between(0, 9)), [2]);
  history.add(event(3, 5_000), 0);
  t.same(revisions(history.between(0, 9)), [3]);
  t.equal(history.bytes, 5_000);
  t.end();
});

test('long use does not grow it', (t) => {
  const history = new History(limits, 0);
  for (let revision = 1; revision <= 10_000; revision++) history.add(event(revision), revision * 1_000);
  t.equal(history.size, 3);
  t.same(revisions(history.between(9_998, 10_000)), [9_999, 10_000]);
  t.end();
});
