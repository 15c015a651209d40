/** The bitmap against a plain Set, and the time to find the last free number. */

import { seededRandom } from '@outrigger/core/clock';
import { test } from 'tap';
import { Bitmap } from '../../src/allocate/bitmap.ts';

const none = (): boolean => false;

test('behaves as a set of numbers', async (t) => {
  const random = seededRandom(7);
  for (const size of [1, 31, 32, 33, 64, 100, 1000]) {
    const bits = new Bitmap(size);
    const set = new Set<number>();
    for (let step = 0; step < 500; step += 1) {
      const index = Math.floor(random.next() * size);
      if (random.next() < 0.7) {
        bits.add(index);
        set.add(index);
      } else {
        bits.remove(index);
        set.delete(index);
      }
      const from = Math.floor(random.next() * size);
      const to = from + Math.floor(random.next() * (size - from + 1));
      const except = (candidate: number): boolean => candidate % 5 === 0;
      const free = range(from, to).filter((candidate) => !set.has(candidate) && !except(candidate));
      const got = bits.pick(from, to, random, except);
      if (free.length === 0) t.equal(got, undefined, `nothing free in [${from}, ${to}) of ${size}`);
      else t.ok(got !== undefined && free.includes(got), `${got} is free in [${from}, ${to}) of ${size}`);
    }
    t.equal(bits.used, set.size);
    t.strictSame(
      range(0, size).filter((index) => bits.has(index)),
      [...set].sort((a, b) => a - b),
    );
  }
});

test('every free number comes up, not only the first', async (t) => {
  const random = seededRandom(1);
  const bits = new Bitmap(64);
  const seen = new Set(Array.from({ length: 2_000 }, () => bits.pick(0, 64, random, none)));
  t.equal(seen.size, 64);
});

test('the last free number of a million is found without trying each', async (t) => {
  const random = seededRandom(1);
  const size = 1_048_576;
  const bits = new Bitmap(size);
  for (let index = 0; index < size; index += 1) if (index !== 777_777) bits.add(index);
  let tried = 0;
  const counting = (): boolean => {
    tried += 1;
    return false;
  };
  t.equal(bits.pick(0, size, random, counting), 777_777);
  t.equal(tried, 1, 'only free numbers are looked at one by one');
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
