import { test } from 'tap';
import { Pace } from '../src/pace.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('so many a turn, the rest in the next ones, in the order of asking', async (t) => {
  const pace = new Pace(2);
  const begun: number[] = [];
  for (const id of [0, 1, 2, 3, 4]) {
    const waiting = pace.enter();
    if (waiting === undefined) begun.push(id);
    else void waiting.then(() => begun.push(id));
  }
  t.same(begun, [0, 1]);
  await turn();
  t.same(begun, [0, 1, 2, 3]);
  const late = pace.enter();
  t.ok(late !== undefined, 'who comes while others wait queues up behind them');
  void late?.then(() => begun.push(5));
  await turn();
  t.same(begun, [0, 1, 2, 3, 4, 5]);
});

test('after a quiet turn nobody waits', async (t) => {
  const pace = new Pace(1);
  t.equal(pace.enter(), undefined);
  await turn();
  await turn();
  t.equal(pace.enter(), undefined);
});
