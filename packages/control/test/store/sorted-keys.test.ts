import { seededRandom } from '@outrigger/core/clock';
import { test } from 'tap';
import { beforeEndOf, beforeKey, compareKeys, SortedKeys } from '../../src/store/sorted-keys.ts';

const alphabet = ['a', 'b', '/', '\0', 'é', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'];

function bytewise(a: string, b: string): number {
  return Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

test('keys compare as their bytes do', (t) => {
  const random = seededRandom(3);
  const key = (): string =>
    Array.from(
      { length: Math.floor(random.next() * 4) },
      () => alphabet[Math.floor(random.next() * alphabet.length)],
    ).join('');
  for (let count = 0; count < 5_000; count++) {
    const [a, b] = [key(), key()];
    const order = bytewise(a, b);
    if (Math.sign(compareKeys(a, b)) !== order || beforeKey(b)(a) !== order < 0) {
      t.fail(`${JSON.stringify(a)} and ${JSON.stringify(b)}`);
      break;
    }
  }
  t.pass('5,000 pairs');
  t.end();
});

test('a set of keys stays in order through any insertions and deletions', (t) => {
  const random = seededRandom(11);
  const keys = new SortedKeys();
  const model = new Set<string>();
  for (let step = 0; step < 20_000; step++) {
    const key = `/k/${Math.floor(random.next() * 4_000)}`;
    // Grows at first, then shrinks, so that chunks split and vanish.
    if (random.next() < (step < 10_000 ? 0.8 : 0.3)) {
      if (!model.has(key)) keys.add(key);
      model.add(key);
    } else {
      keys.delete(key);
      model.delete(key);
    }
  }
  const expected = [...model].toSorted(bytewise);
  t.ok(expected.length > 600, `${expected.length} keys, several chunks`);
  t.equal(keys.size, expected.length);
  t.strictSame([...keys.from(beforeKey(''))], expected);
  for (const bound of ['', '/k/', '/k/2', '/k/2500', '/z', expected[300] as string]) {
    const rank = expected.filter((key) => bytewise(key, bound) < 0).length;
    t.equal(keys.rank(beforeKey(bound)), rank);
    t.strictSame([...keys.from(beforeKey(bound))], expected.slice(rank), `from ${bound}`);
    const behind = expected.filter((key) => bytewise(key, bound) < 0 || key.startsWith(bound)).length;
    t.equal(keys.rank(beforeEndOf(bound)), behind, `behind ${bound}`);
  }
  for (const key of expected) keys.delete(key);
  t.equal(keys.size, 0);
  t.strictSame([...keys.from(beforeKey(''))], []);
  t.equal(keys.rank(beforeEndOf('/')), 0);
  t.end();
});
