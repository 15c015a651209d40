/** When Leases were last heard of: by this process's clock, and from its start on. */

import type { Lease } from '@outrigger/core/api';
import { test } from 'tap';
import { LeaseBook } from '../../../src/controllers/lifecycle/lease-book.ts';

function lease(renewTime: string, leaseDurationSeconds?: number): Lease {
  return {
    metadata: { name: 'a', namespace: 'ns' },
    spec: { renewTime, ...(leaseDurationSeconds === undefined ? {} : { leaseDurationSeconds }) },
  };
}

test('renewals are counted when they are seen', async (t) => {
  const book = new LeaseBook(40_000);
  book.put(lease('1', 10), 100);
  t.strictSame(book.heard('ns/a', 0), { lastHeard: 100, renewedAt: undefined, durationMs: 10_000 });
  book.put(lease('1', 10), 200);
  t.equal(book.heard('ns/a', 0).lastHeard, 100, 'the same time is no renewal');
  book.put(lease('2', 10), 300);
  t.strictSame(book.heard('ns/a', 0), { lastHeard: 300, renewedAt: 300, durationMs: 10_000 });
});

test('a fresh start gives everyone a full duration', async (t) => {
  const book = new LeaseBook(40_000);
  book.put(lease('1', 10), 100);
  book.freshStart(5_000);
  t.equal(book.heard('ns/a', 0).lastHeard, 5_000);
  t.equal(book.heard('ns/a', 0).renewedAt, undefined, 'but is no sign of life');
  t.equal(book.heard('ns/none', 70).lastHeard, 5_000, 'and holds for Leases that are missing');
});

test('a Lease made after the start is a sign of life', async (t) => {
  const book = new LeaseBook(40_000);
  book.freshStart(1_000);
  book.put(lease('1', 10), 2_000);
  t.equal(book.heard('ns/a', 0).renewedAt, 2_000);
});

test('durations: the Lease’s own, within reason, or the default', async (t) => {
  const book = new LeaseBook(40_000);
  for (const [seconds, want] of [
    [undefined, 40_000],
    [15, 15_000],
    [0, 1_000],
    [1_000_000, 3_600_000],
  ] as const) {
    book.put(lease('1', seconds), 0);
    t.equal(book.heard('ns/a', 0).durationMs, want);
  }
});

test('what is deleted is missed from the time that is given', async (t) => {
  const book = new LeaseBook(40_000);
  book.put(lease('1', 10), 100);
  book.delete('ns/a');
  t.notOk(book.has('ns/a'));
  t.strictSame(book.heard('ns/a', 700), { lastHeard: 700, renewedAt: undefined, durationMs: 40_000 });
});
