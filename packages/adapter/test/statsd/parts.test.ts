import { seededRandom } from '@outrigger/core/clock';
import { test } from 'tap';
import { Cut } from '../../src/statsd/cut.ts';
import { nextSample } from '../../src/statsd/head.ts';
import { KeyCache, longestKey } from '../../src/statsd/key-cache.ts';
import { escapeName } from '../../src/statsd/names.ts';
import { parseDecimal } from '../../src/statsd/number.ts';
import { Distinct, hashMember, maxSets, Sets } from '../../src/statsd/sets.ts';

test('numbers from bytes are those Number makes of the text', (t) => {
  const random = seededRandom(3);
  const of = (text: string): number => parseDecimal(Buffer.from(`x${text}y`), 1, 1 + text.length);
  for (let i = 0; i < 20_000; i++) {
    const text = (random.next() * 10 ** Math.floor(random.next() * 22 - 6)).toString();
    const value = of(text);
    if (value !== Number(text)) t.fail(`${text} became ${value}`);
  }
  for (const text of ['0', '-0.5', '+7', '007', '5.', '.5', '1e-7', '9007199254740993', '0.1', '123.456']) {
    t.equal(of(text), Number(text), text);
  }
  for (const text of [
    '',
    '.',
    '-',
    '1,5',
    ' 1',
    '1 ',
    'e5',
    '1e',
    '1e400',
    'NaN',
    'Inf',
    '0x1',
    '1_0',
    '9'.repeat(401),
  ]) {
    t.ok(Number.isNaN(of(text)), JSON.stringify(text));
  }
  t.end();
});

test('names', (t) => {
  const cases = [
    ['a.b-c', 'a_b_c'],
    ['a---b', 'a_b'],
    ['a-.-b', 'a___b'],
    ['1a', '_1a'],
    ['🙂a', '_a'],
    ['', ''],
  ] as const;
  for (const [text, name] of cases) t.equal(escapeName(text), name, text);
  t.end();
});

test('where the samples of a line begin', (t) => {
  const cases: [string, number][] = [
    ['1|c', -1],
    ['1|c:2|c', 4],
    ['1:2|c:2|c', 6],
    ['1:2:3|ms', -1],
    ['1|c|@0.1:2|c', 9],
    ['1|c|c:id|e:x', -1],
    ['1|c|T12|c:id', -1],
    ['1|c|c:id|@0.5:2|c', 14],
    [`1|c${'|@'.repeat(100)}:2|c`, 204],
  ];
  for (const [body, at] of cases) t.equal(nextSample(body, 0), at, body);
  t.end();
});

test('a cut line: key and numbers apart, wherever the rate stands', (t) => {
  const cut = new Cut(1000, 5);
  const keys = ['a.b:1|c|#k:v', 'a.b:22|c|@0.5|#k:v', 'a.b:3|c|#k:v|@0.25', 'a.b:1:2|c|T99|#k:v \r'].map(
    (line) => {
      t.ok(cut.line(Buffer.from(`${line}\nrest:1|c`), 0, line.length + 9), line);
      t.equal(cut.end, line.length);
      return [Buffer.from(cut.key).toString('latin1', 0, cut.length), cut.isPacked, cut.rateFrom > 0];
    },
  );
  const key = 'a.b|c|#k:v';
  t.same(keys, [
    [key, false, false],
    [key, false, true],
    [key, false, true],
    [key, true, false],
  ]);
  for (const line of ['', ':1|c', 'a', 'a:1', 'a|b:c|d', '\n'])
    t.notOk(cut.line(Buffer.from(line), 0, line.length), line);
  t.end();
});

test('the key cache finds what it keeps, tells equal hashes apart and forgets the oldest', (t) => {
  const cache = new KeyCache(16);
  const key = (text: string) => Buffer.from(text);
  const put = (text: string, hash: number): void => {
    const way = cache.insert(key(text), text.length, hash);
    cache.plans[way] = text.charCodeAt(0);
  };
  const get = (text: string, hash: number) => {
    const way = cache.find(key(text), text.length, hash);
    return way === -1 ? undefined : String.fromCharCode(cache.plans[way] ?? 0);
  };
  for (const text of ['a1', 'b1', 'c1']) put(text, 7);
  t.same(
    [get('a1', 7), get('b1', 7), get('c1', 7), get('d1', 7), get('a1', 8)],
    ['a', 'b', 'c', undefined, undefined],
  );
  t.equal(cache.size, 3);
  for (const text of ['d1', 'e1', 'f1', 'g1', 'h1', 'i1']) put(text, 7);
  t.same([get('a1', 7), get('b1', 7), get('i1', 7)], [undefined, 'b', 'i'], 'eight of one hash are kept');
  cache.clear();
  t.same([get('b1', 7), cache.size], [undefined, 0]);
  t.equal(cache.insert(key('x'.repeat(longestKey + 1)), longestKey + 1, 1), -1);
  const none = new KeyCache(0);
  t.equal(none.insert(key('a'), 1, 1), -1);
  t.equal(none.find(key('a'), 1, 1), -1);
  t.end();
});

for (const highestPlace of [2 ** 29, 2 ** 15]) {
  test(`the ring of the key cache goes round for long without telling lies, places up to ${highestPlace}`, (t) => {
    const cache = new KeyCache(64, highestPlace);
    const random = seededRandom(11);
    let hits = 0;
    const hashOf = (n: number): number => Math.imul(n, 0x9e37_79b1);
    for (let i = 0; i < 200_000; i++) {
      const n = Math.floor(random.next() * 400);
      const key = Buffer.from(`key-${n}-${'x'.repeat(n % 90)}`);
      const way = cache.find(key, key.length, hashOf(n));
      if (way === -1) cache.plans[cache.insert(key, key.length, hashOf(n))] = n;
      else if (cache.plans[way] === n) hits += 1;
      else t.fail(`${n} was taken for ${cache.plans[way]}`);
    }
    t.ok(cache.size <= 136);
    t.ok(hits > 20_000, `${hits} found`);
    t.end();
  });
}

test('distinct members: exact while few, within a few per cent when many', (t) => {
  for (const many of [1, 64, 65, 300, 5000, 100_000]) {
    const distinct = new Distinct();
    for (let i = 0; i < many; i++) {
      const member = Buffer.from(`member-${i}`);
      distinct.add(hashMember(member, 0, member.length, 99));
      distinct.add(hashMember(member, 0, member.length, 99));
    }
    const error = Math.abs(distinct.count - many) / many;
    t.ok(error <= (many <= 64 ? 0 : 0.08), `${distinct.count} for ${many}`);
  }
  t.end();
});

test('a set shows the larger of this minute and the last, and ends at 0', (t) => {
  const sets = new Sets();
  const shown: number[] = [];
  const turn = (): void =>
    sets.turn(
      () => true,
      (_slot, value) => void shown.push(value),
    );
  t.same([sets.add(3, 1, 10), sets.add(3, 1, 20), sets.add(3, 1, 20)], [1, 2, undefined]);
  turn();
  t.same(shown, [], 'the last minute still shows');
  t.equal(sets.add(3, 1, 30), 2, 'one member so far, two the minute before');
  turn();
  turn();
  t.same([shown, sets.size], [[1, 0], 0]);
  for (let slot = 0; slot < maxSets; slot++) sets.add(slot, 1, 1);
  t.equal(sets.add(maxSets, 1, 1), -1);
  t.equal(sets.add(5, 2, 1), 1, 'another series in the same place begins anew');
  sets.turn(
    (slot) => slot !== 5,
    () => undefined,
  );
  t.equal(sets.size, maxSets - 1);
  t.end();
});
