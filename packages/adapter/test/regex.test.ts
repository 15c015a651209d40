import { test } from 'tap';
import { compileRegex, compileTemplate } from '../src/regex.ts';

test('finds the leftmost match with its groups, by number and name', (t) => {
  const regex = compileRegex('(?P<verb>GET|PUT) /(\\w+)(x)?');
  t.equal(regex.groupCount, 3);
  t.same(regex.names, { verb: 1 });
  const found = regex.find('a PUT /v1 b GET /v2');
  t.same(found?.texts, ['PUT /v1', 'PUT', 'v1', undefined]);
  t.equal(regex.find('nothing'), undefined);
  t.equal(regex.test('GET /x'), true);
  t.equal(regex.test('get /x'), false);
  t.end();
});

test('anchored: the whole text, the longer alternative too, across line breaks', (t) => {
  const regex = compileRegex('a|ab.*', { anchored: true });
  t.equal(regex.test('ab\nc'), true);
  t.equal(regex.test('a'), true);
  t.equal(regex.test('xa'), false);
  t.equal(regex.test('a\n'), false);
  t.end();
});

test('templates expand as Go expands them', (t) => {
  const captures = compileRegex('(?P<first>\\w)(\\w)(z)?').find('ab');
  if (captures === undefined) throw new Error('no match');
  const expand = (template: string): string => compileTemplate(template)(captures);
  t.equal(expand('$1-$2'), 'a-b');
  t.equal(expand('${1}x$first'), 'axa');
  t.equal(expand('$1x'), '', 'the group named 1x');
  t.equal(expand('$01'), '', 'not a number in Go');
  t.equal(expand('$0'), 'ab');
  t.equal(expand('$3|$9|${nope}'), '||');
  t.equal(expand('$$1 costs $ ${ ${} $-'), '$1 costs $ ${ ${} $-');
  t.equal(expand(''), '');
  t.equal(expand('${constructor}'), '');
  t.end();
});

test('what RE2 does not have is refused, with the reason', (t) => {
  for (const source of ['(a)\\1', '(', 'a)(b', '(?>a)', 'a++']) {
    t.throws(() => compileRegex(source, { anchored: true }), { code: 'ADAPTER_BAD_REGEX' }, source);
  }
  t.end();
});

test('a pattern that takes a backtracking engine for ever takes no time', (t) => {
  const regex = compileRegex('(a+)+$');
  const began = performance.now();
  t.equal(regex.test(`${'a'.repeat(50_000)}b`), false);
  t.ok(performance.now() - began < 2000, 'RegExp would not end before the sun does');
  t.end();
});
