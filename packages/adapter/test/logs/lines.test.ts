import { test } from 'tap';
import { fieldsOf } from '../../src/logs/fields.ts';
import { LineSplitter } from '../../src/logs/lines.ts';
import { matchesWildcard } from '../../src/logs/paths.ts';
import { readyMadeRules } from '../../src/logs/ready-made.ts';
import { compileRule, numberOf } from '../../src/logs/rules.ts';

function split(text: string, max: number, every: number): { lines: string[]; cut: number } {
  const splitter = new LineSplitter(max);
  const bytes = Buffer.from(text);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += every) {
    splitter.feed(bytes.subarray(at, at + every), (line) => lines.push(line));
  }
  return { lines, cut: splitter.cut };
}

test('lines are the same wherever the bytes are cut', (t) => {
  const text = 'one\ntwo äöü\r\n\n\r\nthis line is too long for it\nfour\nnot ended';
  const whole = split(text, 16, 1000);
  t.same(whole, { lines: ['one', 'two äöü', 'this line is too', 'four'], cut: 1 });
  for (let every = 1; every < 40; every++) t.same(split(text, 16, every), whole, `every ${every} bytes`);
  t.end();
});

test('a line of exactly the limit is whole, and one that never ends takes no memory', (t) => {
  t.same(split('12345\n123456\n', 5, 3), { lines: ['12345', '12345'], cut: 1 });
  const splitter = new LineSplitter(10);
  for (let i = 0; i < 1000; i++) splitter.feed(Buffer.alloc(1000, 'x'), () => undefined);
  t.equal(splitter.pending, 0);
  t.ok(splitter.skipping);
  t.end();
});

test('wildcards of the last part', (t) => {
  const yes = [
    ['*.log', 'a.log'],
    ['a?c', 'abc'],
    ['*', 'x'],
    ['a*b*c', 'aXbXbXc'],
    ['.*', '.hidden'],
  ] as const;
  const no = [
    ['*.log', 'a.log.1'],
    ['a?c', 'ac'],
    ['*', '.hidden'],
    ['a*b*c', 'aXbX'],
    ['[a]', 'a'],
  ] as const;
  for (const [pattern, name] of yes) t.ok(matchesWildcard(pattern, name), `${pattern} ${name}`);
  for (const [pattern, name] of no) t.notOk(matchesWildcard(pattern, name), `${pattern} ${name}`);
  t.notOk(matchesWildcard(`${'*a'.repeat(60)}b`, 'a'.repeat(250)), 'and hostile ones end');
  t.end();
});

const combined =
  '10.0.0.1 - al ice [20/Nov/2026:10:00:00 +0000] "GET /a?b=\\"c HTTP/1.1" 200 15 "-" "Agent \\" 1 2"';

test('the combined format of nginx and Apache', (t) => {
  const nginx = fieldsOf('nginx', `${combined} 0.25`);
  const of = (name: string) => nginx?.(name);
  t.equal(of('remote_addr'), '10.0.0.1');
  t.equal(of('remote_user'), 'al ice');
  t.equal(of('method'), 'GET');
  t.equal(of('path'), '/a');
  t.equal(of('protocol'), 'HTTP/1.1');
  t.equal(of('status'), '200');
  t.equal(of('body_bytes_sent'), '15');
  t.equal(of('http_user_agent'), 'Agent \\" 1 2');
  t.equal(of('request_time'), '0.25');
  t.equal(of('constructor'), undefined);
  t.equal(fieldsOf('apache', `${combined} 1500`)?.('request_time_us'), '1500');
  t.equal(fieldsOf('nginx', combined)?.('request_time'), undefined);
  const common = fieldsOf('apache', '::1 - - [x] "\\x16\\x03" 400 -');
  t.equal(common?.('body_bytes_sent'), '0');
  t.equal(common?.('method'), undefined, 'what is no request has no method');
  t.end();
});

test('lines that are none of the format', (t) => {
  const bad = [
    '',
    'x',
    '[x] "GET / HTTP/1.1" 200 1',
    'h - - [x] "GET',
    'h - - [x] "G" 2000 1',
    'h [x] "G" a b',
  ];
  for (const line of bad) t.equal(fieldsOf('nginx', line), undefined, line);
  t.equal(fieldsOf('nginx', `${'a '.repeat(30_000)}[`), undefined);
  for (const line of ['{', '[]', '1', 'null', '{"a":1} x']) t.equal(fieldsOf('json', line), undefined, line);
  t.end();
});

test('JSON lines: fields by their path, own ones only', (t) => {
  const fields = fieldsOf('json', '{"a":{"b":"x","n":1.5,"l":[1]},"a.b":"dotted","t":true,"z":null}');
  const names = ['a.b', 'a.n', 't', 'a', 'a.l', 'z', 'none', 'a.b.c', '__proto__', 'constructor.name'];
  t.same(
    names.map((name) => fields?.(name)),
    ['dotted', '1.5', 'true', ...Array(7).fill(undefined)],
  );
  t.end();
});

test('numbers are decimal and nothing else', (t) => {
  t.same(['1', '-2.5', ' 3e2', '.5'].map(numberOf), [1, -2.5, 300, 0.5]);
  t.same(['', '0x1', 'NaN', 'Infinity', '1,5', '1 2'].map(numberOf), Array(6).fill(undefined));
  t.end();
});

test('rules: groups are fields, labels are texts with fields', (t) => {
  const rule = compileRule(
    {
      name: 'seconds',
      type: 'histogram',
      match: 'took (?P<ms>\\S+)ms for (\\w+)',
      value: 'ms',
      scale: 0.001,
      labels: { who: 'u-${2}', level: '${level}', none: '${nothing}' },
    },
    [1, 2],
  );
  const level = (name: string) => (name === 'level' ? 'warn' : undefined);
  t.same(rule.update('x took 250ms for bob', level), { labels: ['u-bob', 'warn', ''], value: 0.25 });
  t.equal(rule.update('took forever', level), undefined);
  t.equal(rule.update('took soonms for bob', level), 'bad-number');
  t.same(rule.bounds, [1, 2]);
  const counter = compileRule({ name: 'n', type: 'counter', value: 'v', scale: -1 }, []);
  t.equal(
    counter.update('', () => '3'),
    'negative',
  );
  t.end();
});

test('rules that cannot be right are refused', (t) => {
  const good = { name: 'a', type: 'counter', scale: 1 } as const;
  t.throws(() => compileRule({ ...good, match: '(a+)\\1' }, []), { code: 'ADAPTER_BAD_REGEX' });
  const bad = [
    { ...good, name: 'a b' },
    { ...good, type: 'gauge' as const },
    { ...good, labels: { 'a-b': 'x' } },
    { ...good, labels: { __x: 'x' } },
    { ...good, type: 'histogram' as const, value: 'v', labels: { le: 'x' } },
    { ...good, type: 'histogram' as const, value: 'v', buckets: [2, 1] },
  ];
  for (const rule of bad) t.throws(() => compileRule(rule, []), { code: 'CONFIG_INVALID' });
  t.end();
});

test('a pattern made to be slow is not', (t) => {
  const rule = compileRule({ name: 'a', type: 'counter', scale: 1, match: '^(a+)+$' }, []);
  t.equal(
    rule.update(`${'a'.repeat(20_000)}!`, () => undefined),
    undefined,
  );
  t.end();
});

test('ready-made labels have few values, whatever clients send', (t) => {
  const [requests] = readyMadeRules('nginx', []);
  const values = new Set<string>();
  for (let i = 0; i < 5000; i++) {
    const line = `h - - [x] "M${i} /${i} HTTP/1.1" ${String(i % 1000).padStart(3, '0')} 1`;
    const update = requests?.update(line, fieldsOf('nginx', line) ?? (() => undefined));
    if (typeof update === 'object') values.add(update.labels.join());
  }
  t.equal(values.size, 501);
  const [lines] = readyMadeRules('json', []);
  const level = (text: string) => lines?.update(text, fieldsOf('json', text) ?? (() => undefined));
  t.same(level('{"level":50}'), { labels: ['error'], value: 1 });
  t.same(level('{"severity":"WARNING"}'), { labels: ['warn'], value: 1 });
  t.same(level('{"level":"constructor"}'), { labels: ['other'], value: 1 });
  t.end();
});
