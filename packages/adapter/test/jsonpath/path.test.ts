import { test } from 'tap';
import { compileJsonPath, textOf } from '../../src/jsonpath/path.ts';

const shop = {
  kind: 'List',
  count: 3,
  open: true,
  none: null,
  'dotted.name': 'd',
  items: [
    { name: 'a', size: 1, state: 'ACTIVE', tags: ['x', 'y'], owner: { name: 'o' } },
    { name: 'b', size: 2.5, state: 'INACTIVE', tags: [] },
    { name: 'c', size: 30, state: 'ACTIVE' },
  ],
  deep: { er: { still: { name: 'deepest' } } },
};

const resolve = (path: string, document: unknown = shop): unknown =>
  compileJsonPath(path, 'path').resolve(document);
const select = (path: string, document: unknown = shop): unknown =>
  compileJsonPath(path, 'path').select(document);

test('templates: text, fields, blanks, quotes', (t) => {
  t.equal(resolve('{.kind}'), 'List');
  t.equal(resolve('{ .count }'), 3, 'one value keeps its type');
  t.equal(resolve('{$.open}'), true);
  t.equal(resolve('{@.none}'), null);
  t.equal(resolve('planet-{ .kind }!'), 'planet-List!');
  t.equal(resolve('{.kind}{.count}'), 'List3');
  t.equal(resolve('{.kind}{"\\t\\"q\\""}{\'x\'}'), 'List\t"q"x');
  t.equal(resolve("{['dotted.name']}{.dotted\\.name}"), 'dd');
  t.equal(resolve('{ .items [0] .owner .name }'), 'o');
  t.equal(resolve('just text'), 'just text');
  t.equal(resolve(''), '');
  t.equal(compileJsonPath('1', 'path').isConstant, true);
  t.equal(compileJsonPath('{.a}', 'path').isConstant, false);
  t.end();
});

test('templates: lists, slices, unions, wildcards, descent', (t) => {
  t.equal(resolve('{.items[0].name}'), 'a');
  t.equal(resolve('{.items[-1].name}'), 'c');
  t.equal(resolve('{.items[*].name}'), 'a b c');
  t.same(select('{.items[0:2].name}'), ['a', 'b']);
  t.same(select('{.items[::2].name}'), ['a', 'c']);
  t.same(select('{.items[-2:].name}'), ['b', 'c']);
  t.same(select('{.items[1:99].name}'), ['b', 'c']);
  t.same(select('{.items[0,2].name}'), ['a', 'c']);
  t.same(select("{.items[0]['name','size']}"), ['a', 1]);
  t.same(select("{.items[*]['owner','nope']}"), [{ name: 'o' }]);
  t.same(select('{..name}'), ['a', 'o', 'b', 'c', 'deepest']);
  t.same(select('{.deep.*}'), [{ still: { name: 'deepest' } }]);
  t.same(select('{ [*] }', [{ a: 1 }, { a: 2 }]), [{ a: 1 }, { a: 2 }]);
  t.same(select('{.}', [1]), [[1]]);
  t.end();
});

test('templates: filters', (t) => {
  t.same(select('{.items[?(@.state == "ACTIVE")].name}'), ['a', 'c']);
  t.same(select("{.items[?(@.state!='ACTIVE')].name}"), ['b']);
  t.same(select('{.items[?(@.size>2.0)].name}'), ['b', 'c']);
  t.same(select('{.items[?(@.size<=1)].name}'), ['a']);
  t.same(select('{.items[?(@.name >= "b")].name}'), ['b', 'c']);
  t.same(select('{.items[?(@.owner)].name}'), ['a']);
  t.same(select('{.items[?(@.owner.name=="o")].name}'), ['a'], 'an element without the key is no error');
  t.same(select('{.items[?(@.size == $.count)].name}', { count: 1, items: [{ size: 1, name: 'q' }] }), ['q']);
  t.same(select('{.items[?(@.size > "1")].name}'), [], 'no order between a number and a text');
  t.same(select('{[?(@.a==true)].b}', [{ a: true, b: 1 }, { a: 'true', b: 2 }, { a: null }]), [1]); // prettier-ignore
  t.same(select('{.items[?(@.state == "GONE")].name}'), []);
  t.same(select('{.kind[?(@.a)]}'), []);
  t.end();
});

test('templates: ranges', (t) => {
  t.equal(resolve('{range .items[*]}{.name}={.size}{"; "}{end}done'), 'a=1; b=2.5; c=30; done');
  t.equal(resolve('{range .items[0:2]}[{range .tags[*]}{@}{end}]{end}'), '[xy][]');
  t.equal(resolve('{range .items[*]}{.name}{$.count}{end}'), 'a3b3c3');
  t.end();
});

test('what is not there is told apart from what is empty', (t) => {
  t.equal(resolve('{.nope}'), undefined);
  t.equal(resolve('x{.items[7]}'), undefined);
  t.equal(resolve('{.kind.deeper}'), undefined);
  t.equal(resolve('{.toString}{.constructor}'), undefined);
  t.equal(resolve('{.items[?(@.name=="z")].size}'), '');
  t.equal(resolve('$.nope'), undefined);
  t.equal(select('{.nope[*]}'), undefined);
  t.end();
});

test('a path that begins with $ is one of RFC 9535', (t) => {
  const dialect = (path: string): string => compileJsonPath(path, 'path').dialect;
  t.equal(dialect('$.a'), 'rfc9535');
  t.equal(dialect(' $["a"]'), 'rfc9535');
  t.equal(dialect('{$.a}'), 'kubernetes');
  t.equal(dialect('$5 off'), 'kubernetes');
  t.equal(resolve('$5 off'), '$5 off');
  t.equal(resolve('$.count'), 3);
  t.equal(resolve('$.items[*].name'), 'a b c');
  t.same(select('$.items[?@.size > 2 && @.state == "ACTIVE"].name'), ['c']);
  t.same(select('$.items[?length(@.tags) == 2].name'), ['a']);
  t.same(select('$.items[?match(@.state, "ACT.*")].name'), ['a', 'c']);
  t.same(select('$.items[?search(@.state, "ACT")].name'), ['a', 'b', 'c']);
  t.same(select('$.items[?match(@.state, "(")].name'), [], 'what is no pattern matches nothing');
  t.same(select('$..name'), ['a', 'o', 'b', 'c', 'deepest']);
  t.end();
});

test('patterns of paths take linear time, and so does depth', (t) => {
  const began = performance.now();
  t.same(select('$[?match(@, "(a+)+b")]', ['a'.repeat(20_000)]), []);
  let deep: unknown = { name: 'x' };
  for (let i = 0; i < 100_000; i++) deep = { a: deep };
  t.same(select('{..name}', deep), ['x']);
  t.ok(performance.now() - began < 5000);
  t.end();
});

test('what cannot be read is refused where it is', (t) => {
  const bad: [string, RegExp][] = [
    ['{.a', /want a path/],
    ['{a}', /want a path, beginning with \. or \[, at 2 of the template: "a}"/],
    ['{.a[}', /want an index/],
    ['{.a[0}', /want \]/],
    ['{.a["x]}', /no closing "/],
    ['{.a[?(@.b == )]}', /want a path, a number/],
    ['{.a[?(@.b = 1)]}', /want \)/],
    ['{.a[?(1)]}', /want a comparison/],
    ['{.a[?(@.b && @.c)]}', /no && and \|\|; write a path that begins with \$/],
    ['{.a[::0]}', /the step of a slice/],
    ['{range .a}{.b}', /\{range\} without \{end\}/],
    ['{.b}{end}', /\{end\} without \{range\}/],
    [`${'{range .a}'.repeat(40)}${'{end}'.repeat(40)}`, /nested more than 32 times/],
    ['{.a[?(@.b == 12345x)]}', /want a path, a number/],
    ['$.a[', /no path of RFC 9535/],
    ['$.a[?nope(@)]', /no path of RFC 9535/],
  ];
  for (const [path, message] of bad) {
    t.throws(
      () => compileJsonPath(path, 'metrics[0].path'),
      { code: 'CONFIG_INVALID', message },
      path.slice(0, 30),
    );
    t.throws(() => compileJsonPath(path, 'metrics[0].path'), { message: /^metrics\[0\]\.path: / });
  }
  t.end();
});

test('values in texts', (t) => {
  t.same([1234567, 0.5, true, null, 'x', { a: [1] }, undefined].map(textOf), [
    '1234567',
    '0.5',
    'true',
    '',
    'x',
    '{"a":[1]}',
    '',
  ]);
  t.end();
});
