/** The work queue: coalescing, one run per key, rest, back-off, order, and an end that leaves nothing behind. */

import { FakeClock, seededRandom } from '@outrigger/core/clock';
import { test } from 'tap';
import { WorkQueue } from '../../src/controllers/queue.ts';
import type { WorkQueueOptions } from '../../src/controllers/queue.ts';

interface Bench {
  readonly clock: FakeClock;
  readonly queue: WorkQueue;
  /** `key@time` of every run's start. */
  readonly runs: string[];
  readonly errors: string[];
}

function bench(options: Partial<WorkQueueOptions> = {}): Bench {
  const clock = new FakeClock();
  const runs: string[] = [];
  const errors: string[] = [];
  const { run = () => Promise.resolve(0) } = options;
  const queue = new WorkQueue({
    clock,
    random: seededRandom(1),
    concurrency: 2,
    retryBaseMs: 10,
    retryMaxMs: 1_000,
    onError: (key) => void errors.push(key),
    ...options,
    run: (key) => {
      runs.push(`${key}@${Math.round(clock.now())}`);
      return run(key);
    },
  });
  return { clock, queue, runs, errors };
}

test('an idle key runs in the same moment, once for a burst', async (t) => {
  const { clock, queue, runs } = bench();
  queue.start();
  for (let i = 0; i < 100; i += 1) queue.add('a');
  await clock.advance(0);
  t.strictSame(runs, ['a@0']);
  t.equal(queue.depth, 0);
  queue.add('a');
  await clock.advance(0);
  t.strictSame(runs, ['a@0', 'a@0']);
});

test('nothing runs before the start', async (t) => {
  const { clock, queue, runs } = bench();
  queue.add('a');
  await clock.advance(1_000);
  t.strictSame(runs, []);
  queue.start();
  await clock.advance(0);
  t.strictSame(runs, ['a@1000']);
});

test('a key added during its run runs exactly once more, never beside itself', async (t) => {
  let running = 0;
  const { clock, queue, runs } = bench({
    run: async () => {
      running += 1;
      t.equal(running, 1);
      await clock.sleep(100);
      running -= 1;
      return 0;
    },
  });
  queue.start();
  queue.add('a');
  await clock.advance(50);
  for (let i = 0; i < 10; i += 1) queue.add('a');
  await clock.advance(1_000);
  t.strictSame(runs, ['a@0', 'a@100']);
});

test('keys run in the order they came, no more than allowed at once', async (t) => {
  const { clock, queue, runs } = bench({
    run: async () => {
      await clock.sleep(10);
      return 0;
    },
  });
  queue.start();
  for (const key of ['a', 'b', 'c', 'd', 'e']) queue.add(key);
  await clock.advance(100);
  t.strictSame(runs, ['a@0', 'b@0', 'c@10', 'd@10', 'e@20']);
});

test('a key rests for as long as its run asks; others do not', async (t) => {
  const { clock, queue, runs } = bench({ run: (key) => Promise.resolve(key === 'a' ? 100 : 0) });
  queue.start();
  queue.add('a');
  await clock.advance(10);
  queue.add('a');
  queue.add('a');
  queue.add('b');
  await clock.advance(500);
  t.strictSame(runs, ['a@0', 'b@10', 'a@100']);
  t.equal(clock.pending, 0, 'a rest that nothing waits for is forgotten');
});

test('failures are tried again at growing distances, up to a limit; success resets them', async (t) => {
  let failing = true;
  const { clock, queue, runs, errors } = bench({
    run: () => (failing ? Promise.reject(new Error('no')) : Promise.resolve(0)),
  });
  queue.start();
  queue.add('a');
  await clock.advance(20_000);
  const times = runs.map((run) => Number(run.slice(2)));
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  t.ok(
    gaps.slice(0, 6).every((gap, index) => gap >= 10 * 2 ** index && gap <= 12 * 2 ** index),
    gaps.join(', '),
  );
  t.ok(
    gaps.slice(8).every((gap) => gap === 1_000),
    'the longest wait is the limit',
  );
  t.equal(errors.length, runs.length);
  failing = false;
  await clock.advance(2_000);
  failing = true;
  runs.splice(0);
  queue.add('a');
  await clock.advance(12);
  t.equal(runs.length, 2, 'the next failure begins with the shortest wait again');
});

test('a failing key is not tried sooner because it is added', async (t) => {
  const { clock, queue, runs } = bench({ run: () => Promise.reject(new Error('no')) });
  queue.start();
  queue.add('a');
  for (let ms = 0; ms < 1_000; ms += 1) {
    queue.add('a');
    await clock.advance(1);
  }
  t.ok(runs.length <= 8, `${runs.length} runs in a second of trying`);
});

test('adding later: the first time counts', async (t) => {
  const { clock, queue, runs } = bench();
  queue.start();
  queue.addAfter('a', 100);
  await clock.advance(50);
  queue.addAfter('a', 100);
  await clock.advance(200);
  t.strictSame(runs, ['a@100']);
});

test('closing waits for what runs and forgets the rest', async (t) => {
  let ended = 0;
  const { clock, queue, runs } = bench({
    run: async () => {
      await clock.sleep(100);
      ended += 1;
      return 50;
    },
  });
  queue.start();
  for (const key of ['a', 'b', 'c']) queue.add(key);
  queue.addAfter('d', 10);
  await clock.advance(5);
  const closed = queue.close();
  await clock.advance(1_000);
  await closed;
  t.equal(ended, 2);
  t.strictSame(runs, ['a@0', 'b@0']);
  queue.add('e');
  await clock.advance(1_000);
  t.equal(runs.length, 2);
  t.equal(clock.pending, 0);
});
