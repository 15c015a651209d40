import { parseLine } from '@outrigger/adapter';
import { test } from 'tap';

const plain = { relative: false, weight: 1, tags: [] };

test('every form of a line', (t) => {
  const cases: [string, object[]][] = [
    ['a.b:1|c', [{ ...plain, name: 'a.b', kind: 'counter', value: 1 }]],
    ['a:3|c|@0.1', [{ ...plain, name: 'a', kind: 'counter', value: 30 }]],
    ['a:2.5|g', [{ ...plain, name: 'a', kind: 'gauge', value: 2.5 }]],
    ['a:-2|g', [{ ...plain, name: 'a', kind: 'gauge', value: -2, relative: true }]],
    ['a:+2|g|@0.5', [{ ...plain, name: 'a', kind: 'gauge', value: 2, relative: true }]],
    ['a:250|ms', [{ ...plain, name: 'a', kind: 'observation', value: 0.25 }]],
    ['a:250|ms|@0.25', [{ ...plain, name: 'a', kind: 'observation', value: 0.25, weight: 4 }]],
    ['a:250|h', [{ ...plain, name: 'a', kind: 'observation', value: 250 }]],
    [
      'a:1|c:2|c',
      [
        { ...plain, name: 'a', kind: 'counter', value: 1 },
        { ...plain, name: 'a', kind: 'counter', value: 2 },
      ],
    ],
    [
      'a:1|c|#k:v,x:y:z',
      [
        {
          ...plain,
          name: 'a',
          kind: 'counter',
          value: 1,
          tags: [
            ['k', 'v'],
            ['x', 'y:z'],
          ],
        },
      ],
    ],
    ['a:1|c|e:unheard|#k:v|T123', [{ ...plain, name: 'a', kind: 'counter', value: 1, tags: [['k', 'v']] }]],
  ];
  for (const [line, samples] of cases) t.same(parseLine(line), { samples, errors: [] }, line);
  t.end();
});

test('what cannot be taken says why, and takes nothing else with it', (t) => {
  const cases: [string, string[], number][] = [
    ['', ['malformed'], 0],
    [':1|c', ['malformed'], 0],
    ['a', ['malformed'], 0],
    ['a:1', ['malformed'], 0],
    ['a:1|x', ['bad-type'], 0],
    ['a:|c', ['bad-value'], 0],
    ['a:one|c', ['bad-value'], 0],
    ['a:Infinity|g', ['bad-value'], 0],
    ['a:-1|c', ['negative-counter'], 0],
    ['a:1|c|@zero', ['bad-rate'], 1],
    ['a:1|c|@2', ['bad-rate'], 1],
    ['a:1|c|#novalue,k:v', ['bad-tag'], 1],
    ['a\uFFFD:1|c', ['not-utf8'], 0],
    ['a:1|c:x|c:3|c', ['bad-value'], 2],
  ];
  for (const [line, errors, samples] of cases) {
    const parsed = parseLine(line);
    t.same(parsed.errors, errors, line);
    t.equal(parsed.samples.length, samples, line);
  }
  t.end();
});
