import { canonicalJson, equalJson } from '@outrigger/core/api';
import { test } from 'tap';

test('equality looks at values, not at the order of fields', (t) => {
  const same: [unknown, unknown][] = [
    [
      { a: 1, b: [1, { c: 2 }] },
      { b: [1, { c: 2 }], a: 1 },
    ],
    [{ a: 1, b: undefined }, { a: 1 }],
    [[], []],
    [null, null],
    ['a', 'a'],
  ];
  const different: [unknown, unknown][] = [
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { b: 1 }],
    [{ a: 1 }, { a: 1, b: 1 }],
    [
      [1, 2],
      [2, 1],
    ],
    [[], {}],
    [null, {}],
    [0, ''],
    ['1', 1],
    [undefined, {}],
  ];
  for (const [a, b] of same) t.ok(equalJson(a, b) && equalJson(b, a), JSON.stringify(a));
  for (const [a, b] of different) t.notOk(equalJson(a, b) || equalJson(b, a), JSON.stringify(a));
  t.end();
});

test('canonical text is the same for equal values', (t) => {
  t.equal(canonicalJson({ b: [{ d: 1, c: 2 }], a: undefined }), '{"b":[{"c":2,"d":1}]}');
  t.equal(canonicalJson({ x: 1, a: 2 }), canonicalJson({ a: 2, x: 1 }));
  t.end();
});
