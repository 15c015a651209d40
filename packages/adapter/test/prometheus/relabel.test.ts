import { createHash } from 'node:crypto';
import { test } from 'tap';
import type { RelabelRule } from '@outrigger/core/api';
import { compileRelabel } from '../../src/prometheus/relabel.ts';

const rule = (given: Partial<RelabelRule>): RelabelRule => ({
  action: 'replace',
  separator: ';',
  regex: '(.*)',
  replacement: '$1',
  ...given,
});

function run(
  rules: Partial<RelabelRule>[],
  labels: Record<string, string>,
): Record<string, string> | undefined {
  const result = compileRelabel(rules.map(rule))(Object.entries(labels));
  return result === undefined ? undefined : Object.fromEntries(result);
}

test('replace: joined values, whole match, groups in target and replacement', (t) => {
  const labels = { a: 'foo', b: 'bar', c: 'baz' };
  const sourceLabels = ['a', 'b'];
  t.same(run([{ sourceLabels, targetLabel: 'd' }], labels), { ...labels, d: 'foo;bar' });
  t.same(
    run([{ sourceLabels, regex: 'f(.*);(.*)r', targetLabel: 'a', replacement: 'b${1}m${2}z' }], labels),
    {
      ...labels,
      a: 'boombaz',
    },
  );
  t.same(run([{ sourceLabels: ['a'], regex: 'oo', targetLabel: 'd' }], labels), labels, 'not the whole');
  t.same(run([{ sourceLabels: ['a'], regex: 'no', targetLabel: 'd', replacement: 'x' }], labels), labels);
  t.same(
    run([{ sourceLabels: ['a'], regex: '(?P<n>f)oo', targetLabel: '$n', replacement: '${n}$$' }], labels),
    {
      ...labels,
      f: 'f$',
    },
  );
  t.same(run([{ targetLabel: 'static', replacement: 'x' }], labels), { ...labels, static: 'x' });
  t.same(
    run([{ sourceLabels: ['gone'], targetLabel: 'a' }], labels),
    { b: 'bar', c: 'baz' },
    'empty removes',
  );
  t.same(run([{ sourceLabels: ['a'], targetLabel: '$9' }], labels), labels, 'no name, no label');
  t.same(run([{ sourceLabels, separator: '', targetLabel: 'd' }], labels)?.['d'], 'foobar');
  t.same(
    run([{ sourceLabels: ['a'], regex: 'f|foo', targetLabel: 'd', replacement: 'y' }], labels)?.['d'],
    'y',
  );
  t.end();
});

test('keep, drop, keepequal, dropequal', (t) => {
  const labels = { __name__: 'up', a: 'x', b: 'x', c: 'y' };
  t.same(run([{ action: 'keep', sourceLabels: ['a'], regex: 'x|z' }], labels), labels);
  t.equal(run([{ action: 'keep', sourceLabels: ['a', 'c'], regex: 'x;x' }], labels), undefined);
  t.equal(run([{ action: 'drop', sourceLabels: ['__name__'], regex: 'u.' }], labels), undefined);
  t.same(run([{ action: 'drop', sourceLabels: ['__name__'], regex: 'u' }], labels), labels);
  t.same(run([{ action: 'keepequal', sourceLabels: ['a'], targetLabel: 'b' }], labels), labels);
  t.equal(run([{ action: 'keepequal', sourceLabels: ['a'], targetLabel: 'c' }], labels), undefined);
  t.equal(run([{ action: 'dropequal', sourceLabels: ['a'], targetLabel: 'b' }], labels), undefined);
  t.same(run([{ action: 'dropequal', sourceLabels: ['a'], targetLabel: 'c' }], labels), labels);
  t.equal(run([{ action: 'dropequal', sourceLabels: ['no'], targetLabel: 'nor' }], labels), undefined);
  t.end();
});

test('hashmod is the last half of the MD5, as Prometheus shards', (t) => {
  const labels = { a: 'foo', b: 'bar', c: 'baz' };
  const hashed = run([{ action: 'hashmod', sourceLabels: ['c'], targetLabel: 'd', modulus: 1000 }], labels);
  // The value in Prometheus' own tests.
  t.equal(hashed?.['d'], '976');
  const lines = { a: 'foo\nbar' };
  const digest = createHash('md5').update('foo\nbar').digest('hex').slice(16);
  const whole = 2 ** 50;
  const spread = run([{ action: 'hashmod', sourceLabels: ['a'], targetLabel: 'd', modulus: whole }], lines);
  t.equal(spread?.['d'], String(BigInt(`0x${digest}`) % BigInt(whole)));
  t.end();
});

test('labelmap, labeldrop, labelkeep, lowercase, uppercase', (t) => {
  const labels = { __name__: 'm', my_a: '1', my_b: '2', Other: 'Grün' };
  t.same(run([{ action: 'labelmap', regex: 'my_(.*)', replacement: 'x_$1' }], labels), {
    ...labels,
    x_a: '1',
    x_b: '2',
  });
  t.same(run([{ action: 'labeldrop', regex: 'my_.*' }], labels), { __name__: 'm', Other: 'Grün' });
  t.same(run([{ action: 'labelkeep', regex: '__name__|my_a' }], labels), { __name__: 'm', my_a: '1' });
  t.equal(run([{ action: 'lowercase', sourceLabels: ['Other'], targetLabel: 'o' }], labels)?.['o'], 'grün');
  t.equal(run([{ action: 'uppercase', sourceLabels: ['Other'], targetLabel: 'o' }], labels)?.['o'], 'GRÜN');
  t.notOk(
    Object.hasOwn(run([{ action: 'lowercase', sourceLabels: ['no'], targetLabel: 'o' }], labels) ?? {}, 'o'),
  );
  t.end();
});

test('rules run in their order, on what those before them left', (t) => {
  const rules: Partial<RelabelRule>[] = [
    { sourceLabels: ['a'], regex: '(f)oo', targetLabel: '__tmp' },
    { sourceLabels: ['__tmp'], regex: 'f', targetLabel: '__name__', replacement: 'renamed' },
    { action: 'labeldrop', regex: '__tmp' },
  ];
  t.same(run(rules, { __name__: 'm', a: 'foo' }), { __name__: 'renamed', a: 'foo' });
  t.same(run(rules, { __name__: 'm', a: 'bar' }), { __name__: 'm', a: 'bar' });
  t.end();
});

test('what cannot work is refused when it is read', (t) => {
  const refused = (given: Partial<RelabelRule>, code: string, message: RegExp): void =>
    void t.throws(() => compileRelabel([rule(given)]), { code, message });
  refused({ regex: '(', targetLabel: 'x' }, 'ADAPTER_BAD_REGEX', /is not one of RE2/);
  refused({}, 'CONFIG_INVALID', /relabel\[0\]: replace needs targetLabel/);
  refused({ action: 'hashmod', targetLabel: 'x' }, 'CONFIG_INVALID', /hashmod needs modulus/);
  refused({ action: 'keepequal' }, 'CONFIG_INVALID', /keepequal needs targetLabel/);
  t.end();
});

test('more texts than are remembered come out the same', (t) => {
  const relabel = compileRelabel([rule({ sourceLabels: ['a'], regex: '(\\d+)x', targetLabel: 'b' })]);
  for (const round of [0, 1]) {
    for (let i = 0; i < 1500; i++) {
      const labels = Object.fromEntries(relabel([['a', `${i}x`]]) ?? []);
      if (labels['b'] !== String(i)) t.fail(`round ${round}: ${i} became ${labels['b']}`);
    }
  }
  t.pass('all alike');
  t.end();
});
