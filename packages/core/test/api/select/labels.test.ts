import type { LabelSelectorObject, Requirement } from '@outrigger/core/api';
import {
  ApiError,
  LabelSelector,
  parseLabelSelector,
  selectorOfLabels,
  selectorOfObject,
} from '@outrigger/core/api';
import { test } from 'tap';

type Labels = Record<string, string>;

/** [selector, labels it selects, labels it does not]. */
const rows: [string, Labels[], Labels[]][] = [
  ['', [{}, { a: '1' }], []],
  [' ', [{}], []],
  ['a=1', [{ a: '1' }, { a: '1', b: '2' }], [{}, { a: '2' }, { b: '1' }]],
  ['a==1', [{ a: '1' }], [{ a: '2' }]],
  ['a = 1 , b = 2', [{ a: '1', b: '2' }], [{ a: '1' }]],
  ['a=', [{ a: '' }], [{}, { a: '1' }]],
  ['a=,b', [{ a: '', b: 'x' }], [{ b: 'x' }]],
  ['a!=1', [{}, { a: '2' }], [{ a: '1' }]],
  ['a', [{ a: '' }, { a: '1' }], [{}]],
  ['!a', [{}, { b: '1' }], [{ a: '' }]],
  ['a in (1,2)', [{ a: '1' }, { a: '2' }], [{}, { a: '3' }]],
  ['a in (1)', [{ a: '1' }], [{ a: '2' }]],
  ['a in (,1)', [{ a: '' }, { a: '1' }], [{ a: '2' }]],
  ['a in (1,)', [{ a: '' }, { a: '1' }], [{ a: '2' }]],
  ['a notin (1, 2)', [{}, { a: '3' }], [{ a: '1' }, { a: '2' }]],
  ['a>5', [{ a: '6' }, { a: '10' }], [{}, { a: '5' }, { a: 'x' }]],
  ['a<5', [{ a: '4' }, { a: '-10' }], [{}, { a: '5' }, { a: '' }]],
  ['a > 9007199254740993', [{ a: '9007199254740994' }], [{ a: '9007199254740993' }]],
  ['in in (in)', [{ in: 'in' }], [{ in: 'x' }]],
  ['a=in', [{ a: 'in' }], [{ a: 'x' }]],
  ['example.com/a=1,!b,c', [{ 'example.com/a': '1', c: '' }], [{ 'example.com/a': '1', c: '', b: '' }]],
  ['toString', [], [{}]],
  ['!constructor', [{}], [{ constructor: 'x' }]],
];

for (const [text, selected, others] of rows) {
  test(`selects by ${JSON.stringify(text)}`, (t) => {
    const selector = parseLabelSelector(text);
    const again = parseLabelSelector(selector.toString());
    for (const labels of selected)
      t.ok(selector.matches(labels) && again.matches(labels), JSON.stringify(labels));
    for (const labels of others)
      t.notOk(selector.matches(labels) || again.matches(labels), JSON.stringify(labels));
    t.equal(again.toString(), selector.toString());
    t.equal(selector.empty, text.trim() === '');
    t.end();
  });
}

const refused: Record<string, string> = {
  ',': "found ',', expected: !, identifier, or 'end of string'",
  '=a': "found '=', expected: !, identifier, or 'end of string'",
  'a,': "found '', expected: identifier after ','",
  'a,,b': "found ',', expected: identifier after ','",
  'a b': "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
  'a (b)': "unable to parse requirement: found '(', expected: in, notin, =, ==, !=, gt, lt",
  'a=(b)': "unable to parse requirement: found '(', expected: identifier",
  'a=b c': "found 'c', expected: ',' or 'end of string'",
  '!a=b': "found '=', expected: ',' or 'end of string'",
  '!': "unable to parse requirement: found '', expected: identifier",
  '!!a': "unable to parse requirement: found '!', expected: identifier",
  'a in b': "unable to parse requirement: found 'b' expected: '('",
  'a in': "unable to parse requirement: found '' expected: '('",
  'a in (b': "unable to parse requirement: found '', expected: ',' or ')'",
  'a in (b c)': "unable to parse requirement: found 'c', expected: ',' or ')'",
  'a in (=)': "unable to parse requirement: found '=', expected: ',', ')' or identifier",
  'a in ()':
    "unable to parse requirement: values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
  'a>b':
    "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer",
  'a<99999999999999999999':
    "unable to parse requirement: values[0]: Invalid value: \"99999999999999999999\": for 'Gt', 'Lt' operators, the " +
    'value must be an integer',
};

for (const [text, message] of Object.entries(refused)) {
  test(`refuses ${JSON.stringify(text)}`, (t) => {
    t.throws(() => parseLabelSelector(text), { code: 'API_BAD_REQUEST', httpStatus: 400, message });
    t.end();
  });
}

test('keys and values are label names and values', (t) => {
  const message = (text: string): string => {
    try {
      parseLabelSelector(text);
    } catch (error) {
      if (error instanceof ApiError) return error.message;
    }
    return '';
  };
  t.match(
    message('a/b/c=1'),
    /^unable to parse requirement: key: Invalid value: "a\/b\/c": a qualified name must/,
  );
  t.match(message('-a'), /^unable to parse requirement: key: Invalid value: "-a": name part must/);
  t.match(
    message('a=-'),
    /^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-": a valid label must/,
  );
  t.end();
});

test('the object form selects by labels and expressions', (t) => {
  const selector = selectorOfObject({
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['a', 'b'] },
      { key: 'track', operator: 'NotIn', values: ['canary'] },
      { key: 'owner', operator: 'Exists' },
      { key: 'old', operator: 'DoesNotExist' },
    ],
  });
  t.ok(selector.matches({ app: 'web', tier: 'b', owner: '' }));
  t.notOk(selector.matches({ app: 'web', tier: 'c', owner: '' }));
  t.notOk(selector.matches({ app: 'web', tier: 'a', owner: '', old: '' }));
  t.notOk(selector.matches({ app: 'web', tier: 'a', owner: '', track: 'canary' }));
  t.ok(selectorOfObject({}).empty);
  t.ok(selectorOfObject({}).matches(undefined));
  t.end();
});

test('the object form is refused in the words of the API', (t) => {
  const of = (expression: Requirement | object): LabelSelectorObject =>
    ({ matchExpressions: [expression] }) as LabelSelectorObject;
  const messages: [LabelSelectorObject, string][] = [
    [of({ key: 'a', operator: 'Near' }), '"Near" is not a valid label selector operator'],
    [
      of({ key: 'a', operator: 'In' }),
      "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
    ],
    [
      of({ key: 'a', operator: 'Exists', values: ['b'] }),
      'values: Invalid value: ["b"]: values set must be empty for exists and does not exist',
    ],
  ];
  for (const [object, message] of messages)
    t.throws(() => selectorOfObject(object), { code: 'API_BAD_REQUEST', message });
  t.end();
});

test("a Service's selector is equalities", (t) => {
  const selector = selectorOfLabels({ app: 'web', tier: '' });
  t.ok(selector.matches({ app: 'web', tier: '', more: 'x' }));
  t.notOk(selector.matches({ app: 'web' }));
  t.equal(selector.toString(), 'app=web,tier=');
  t.ok(new LabelSelector([]).matches({ any: 'thing' }));
  t.end();
});
