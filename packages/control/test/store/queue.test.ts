import { test } from 'tap';
import { Queue } from '../../src/store/queue.ts';
import { RevisionWindow } from '../../src/store/revision-window.ts';

test('a queue gives back what it took, in order, however long it runs', (t) => {
  const queue = new Queue<number>();
  let next = 0;
  let expected = 0;
  for (let round = 0; round < 3_000; round++) {
    for (let count = 0; count < 3; count++) queue.push(next++);
    if (queue.at(0) !== expected) t.fail(`${queue.at(0)} is next, not ${expected}`);
    for (let count = 0; count < (round < 1_500 ? 1 : 4) && queue.size > 0; count++) {
      if (queue.shift() !== expected++) t.fail(`item ${expected}`);
    }
  }
  t.equal(queue.size, next - expected);
  t.strictSame(queue.peek(2), [expected, expected + 1].slice(0, queue.size));
  while (queue.size > 0) queue.shift();
  t.equal(queue.shift(), undefined);
  t.equal(queue.at(0), undefined);
  t.equal(queue.at(-1), undefined);
  t.strictSame(queue.peek(3), []);
  t.end();
});

test('a window of revisions finds items by revision while it moves', (t) => {
  const window = new RevisionWindow<string>(5);
  t.match(window, { first: 5, next: 5 });
  for (let revision = 5; revision < 3_005; revision++) window.push(`r${revision}`);
  for (let revision = 5; revision < 2_000; revision++) window.shift();
  t.equal(window.first, 2_000);
  t.equal(window.next, 3_005);
  t.equal(window.get(1_999), undefined);
  t.equal(window.get(2_000), 'r2000');
  t.equal(window.get(3_004), 'r3004');
  t.equal(window.get(3_005), undefined);
  while (window.shift() !== undefined);
  t.match(window, { first: 3_005, next: 3_005 });
  t.end();
});
