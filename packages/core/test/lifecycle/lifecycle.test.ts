import { FakeClock } from '@outrigger/core/clock';
import { Cleanup, Dirty } from '@outrigger/core/lifecycle';
import { test } from 'tap';

test('cleanup runs backwards, once, past failures, and tells them', async (t) => {
  const order: string[] = [];
  const cleanup = new Cleanup();
  cleanup.add('first', () => order.push('first'));
  cleanup.add('second', () => Promise.reject(new Error('stuck')));
  cleanup.add('third', () => order.push('third'));
  await t.rejects(cleanup.run(), { message: 'closing second failed' });
  await t.rejects(cleanup.run(), { message: 'closing second failed' });
  t.same(order, ['third', 'first']);
});

test('marks are coalesced; marks during a run cause exactly one more', async (t) => {
  const clock = new FakeClock();
  let runs = 0;
  let release: (() => void) | undefined;
  const dirty = new Dirty({
    clock,
    run: () => {
      runs += 1;
      return new Promise<void>((resolve) => (release = resolve));
    },
    onError: (error) => t.fail(String(error)),
  });
  dirty.mark();
  dirty.mark();
  await clock.advance(1);
  t.equal(runs, 1);
  dirty.mark();
  dirty.mark();
  await clock.advance(10);
  t.equal(runs, 1, 'never two at once');
  release?.();
  await clock.advance(10);
  t.equal(runs, 2);
  release?.();
  await clock.advance(10);
  t.equal(runs, 2);
});

test('a failed run is run again after the retry delay; runs keep their distance; close stops', async (t) => {
  const clock = new FakeClock();
  const at: number[] = [];
  const errors: unknown[] = [];
  const dirty = new Dirty({
    clock,
    minIntervalMs: 100,
    retryMs: 1000,
    run: () => {
      at.push(clock.now());
      if (at.length === 1) throw new Error('not yet');
    },
    onError: (error) => errors.push(error),
  });
  dirty.mark();
  await clock.advance(1500);
  t.same(at, [0, 1000]);
  t.equal(errors.length, 1);
  dirty.mark();
  await clock.advance(0);
  dirty.mark();
  await clock.advance(500);
  t.same(at.slice(2), [1500, 1600]);
  dirty.mark();
  dirty.close();
  await clock.advance(500);
  t.equal(at.length, 4);
});
