import { duplicateFields, parseJson } from '@outrigger/core/api';
import { test } from 'tap';

test('fields given twice are found at their path', (t) => {
  const rows: [string, string[]][] = [
    ['{}', []],
    ['{"a":1,"b":1}', []],
    ['{"a":1,"a":2}', ['a']],
    ['{"a":1,"a":2,"a":3}', ['a']],
    ['{"spec":{"x":1,"y":{"x":1},"x":2}}', ['spec.x']],
    ['{"spec":{"ports":[{"port":1},{"port":1,"port":2}]}}', ['spec.ports[1].port']],
    ['[{"a":1},[1,{"b":1,"b":2}]]', ['[1][1].b']],
    ['{"a":"{\\"x\\":1,\\"x\\":2}","b":"a"}', []],
    ['{"a\\"":1,"b":"\\\\","a\\"":2}', ['a"']],
    ['{"\\u0061":1,"a":2}', ['a']],
    ['{"a":["a","a"],"b":{"a":"a"}}', []],
    ['{"a":{"b":1},"c":[],"a":{"b":1}}', ['a']],
    ['"a"', []],
    ['{ "a" : 1 ,\n "a" : 2 }', ['a']],
    ['{"__proto__":1,"__proto__":2}', ['__proto__']],
  ];
  for (const [text, want] of rows) t.same(duplicateFields(text), want, text);
  t.end();
});

test('the last value counts', (t) => {
  t.same(parseJson('{"a":1,"a":2}'), { value: { a: 2 }, duplicates: ['a'] });
  t.end();
});

test('what is no JSON throws', (t) => {
  for (const text of ['', '{', '{"a":}', 'nope']) t.throws(() => parseJson(text), SyntaxError);
  t.end();
});

test('large and deep bodies take one pass without a stack', (t) => {
  const depth = 50_000;
  t.same(duplicateFields(`${'[{"a":'.repeat(depth)}1${'}]'.repeat(depth)}`), []);
  const escapes = '\\"'.repeat(500_000);
  t.same(duplicateFields(`{"a":"${escapes}","a":"${'\\\\'.repeat(500_000)}"}`), ['a']);
  t.end();
});
