import { test } from 'tap';
import { readJmxConfig } from '../../src/jolokia/config.ts';
import { compileJavaTemplate } from '../../src/jolokia/java-template.ts';
import { compileObjectNamePattern, parseObjectName } from '../../src/jolokia/object-name.ts';
import { valuesIn } from '../../src/jolokia/values.ts';
import { compileRegex } from '../../src/regex.ts';

test('object names: order, quotes, and what is none', (t) => {
  t.same(parseObjectName('java.lang:type=GarbageCollector,name=G1 Young'), {
    domain: 'java.lang',
    properties: [['type', 'GarbageCollector'], ['name', 'G1 Young']], // prettier-ignore
  });
  t.same(parseObjectName('a:q="x,\\"y\\"=z",n=')?.properties, [['q', '"x,\\"y\\"=z"'], ['n', '']]); // prettier-ignore
  for (const bad of ['java.lang', 'a:', 'a:x', 'a:x="y', 'a:*', 'a:x=1 ,, y=2']) {
    t.equal(parseObjectName(bad), undefined, bad);
  }
  t.end();
});

test('patterns of object names', (t) => {
  const matches = (pattern: string, name: string): boolean | undefined => {
    const parsed = parseObjectName(name);
    return parsed === undefined ? undefined : compileObjectNamePattern(pattern)?.(parsed);
  };
  const gc = 'java.lang:type=GarbageCollector,name=G1 Young';
  t.equal(matches('*:*', gc), true);
  t.equal(matches('java.*:*', gc), true);
  t.equal(matches('java.lang:type=GarbageCollector,*', gc), true);
  t.equal(matches('java.lang:*,name=G1*', gc), true);
  t.equal(matches('java.lang:name=G1 Young,type=GarbageCollector', gc), true, 'in any order');
  t.equal(matches('java.lang:type=GarbageCollector', gc), false, 'others are not allowed');
  t.equal(matches('java.lan?:type=*,name=?1 *ng', gc), true);
  t.equal(matches('java.lang:type=Memory,*', gc), false);
  t.equal(matches('lang:*', gc), false);
  t.equal(compileObjectNamePattern('nothing'), undefined);
  const began = performance.now();
  t.equal(matches(`a:x=${'*a'.repeat(50)}b`, `a:x=${'a'.repeat(20_000)}`), false);
  t.ok(performance.now() - began < 2000);
  t.end();
});

test("templates are Java's", (t) => {
  const regex = compileRegex('(a)(?P<word>b)(c)?');
  const captures = regex.find('ab');
  if (captures === undefined) throw new Error('no match');
  const expand = (template: string): string => compileJavaTemplate(template, regex, 'here')(captures);
  t.equal(expand('x_$1_$2'), 'x_a_b');
  t.equal(expand('$12'), 'a2', 'there is no group 12');
  t.equal(expand('${word}$3\\$1\\\\'), 'b$1\\');
  t.equal(expand('$0'), 'ab');
  for (const bad of ['$4', '$', '$x', '${nope}', '\\']) {
    t.throws(() => expand(bad), { code: 'CONFIG_INVALID', message: /^here: / }, bad);
  }
  t.end();
});

test('values nested in composites, tables and maps', (t) => {
  const found = (value: unknown): string[] =>
    [...valuesIn([['type', 'T']], 'Attr', value)].map(
      ({ properties, path, name, value: plain }) =>
        `${properties.map((pair) => pair.join('=')).join()} <${path.join()}> ${name} ${plain}`,
    );
  t.same(found(1), ['type=T <> Attr 1']);
  t.same(found([1, 2]), []);
  t.same(found(null), []);
  t.same(found({}), []);
  t.same(found({ used: 1, inner: { a: true, b: { c: 'x' } } }), [
    'type=T <Attr> used 1',
    'type=T <Attr,inner> a true',
    'type=T <Attr,inner,b> c x',
  ]);
  t.same(found({ only: { used: 1 } }), ['type=T <Attr,only> used 1'], 'a composite in a composite');
  const rows = { one: { Id: 'one', size: 1, Value: 2 }, two: { Id: 'two', size: 3, Value: 4 } };
  t.same(found(rows), [
    'type=T,Id=one <Attr> size 1',
    'type=T,Id=one <> Attr 2',
    'type=T,Id=two <Attr> size 3',
    'type=T,Id=two <> Attr 4',
  ]);
  t.same(found({ 'G1 Eden': { used: 1 } }), ['type=T,key=G1 Eden <Attr> used 1']);
  t.same(found({ 'a.b': 1, c: 2 }), ['type=T,key=a.b <> Attr 1', 'type=T,key=c <> Attr 2']);
  t.same(found({ a: { x: 1 }, b: { y: 2 } }), ['type=T <Attr,a> x 1', 'type=T <Attr,b> y 2']);
  let deep: unknown = 1;
  for (let i = 0; i < 1000; i++) deep = { a: deep };
  t.same(found(deep), [], 'too deep');
  t.end();
});

test('what is wrong is refused where it stands', (t) => {
  const refused = (document: unknown, message: RegExp): void =>
    void t.throws(() => readJmxConfig(document), { message });
  refused({ rule: [] }, /rule: got a field, want no such field/);
  refused({ rules: [{ patern: 'x' }] }, /rules\[0\]\.patern: got a field/);
  refused({ rules: [{ pattern: 'x', type: 'HISTOGRAM' }] }, /rules\[0\]\.type: got "HISTOGRAM"/);
  refused({ rules: [{ pattern: '(' }] }, /is not one of RE2/);
  refused({ rules: [{ pattern: '(?=x)y', name: 'a' }] }, /is not one of RE2/);
  refused(
    { rules: [{ pattern: 'x', name: 'a_$1' }] },
    /rules\[0\]\.name: \$1: the pattern has only 0 groups/,
  );
  refused({ rules: [{ pattern: 'x', help: 'h' }] }, /a rule with help or labels needs a name/);
  refused({ rules: [{ name: 'x' }] }, /needs a pattern/);
  refused({ includeObjectNames: ['nothing'] }, /includeObjectNames\[0\]: "nothing" is no object name/);
  refused({ excludeObjectNameAttributes: { nothing: [] } }, /excludeObjectNameAttributes\[nothing\]/);
  t.same(readJmxConfig({}).include, ['*:*']);
  t.equal(readJmxConfig({ rules: [] }).rules.length, 0);
  t.equal(readJmxConfig(undefined).rules.length, 1);
  t.end();
});

test('attributes are chosen by bean', (t) => {
  const { isAttributeTaken } = readJmxConfig({
    includeObjectNameAttributes: { 'a:type=X': ['One', 'Two'] },
    excludeObjectNameAttributes: { 'a:*': ['Two'] },
  });
  const taken = (name: string, attribute: string): boolean | undefined => {
    const parsed = parseObjectName(name);
    return parsed && isAttributeTaken(parsed, attribute);
  };
  t.same(
    [
      taken('a:type=X', 'One'),
      taken('a:type=X', 'Two'),
      taken('a:type=X', 'Three'),
      taken('a:type=Y', 'Three'),
    ],
    [true, false, false, true],
  );
  t.end();
});
