import { test } from 'tap';
import { Mapper } from '../../src/mapping/mapper.ts';
import { mappingProblems, readMapping } from '../../src/mapping/read.ts';
import type { MappingRules, MetricKind } from '../../src/mapping/rules.ts';

const bounds = [0.1, 1];

function rulesOf(document: unknown): MappingRules {
  const read = readMapping(document, bounds);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.rules;
}

function problemsOf(document: unknown): string[] {
  const read = readMapping(document, bounds);
  return 'problems' in read ? read.problems.map(({ path, got, want }) => `${path}: ${got} → ${want}`) : [];
}

function mapped(document: unknown, name: string, kind: MetricKind = 'counter') {
  const found = new Mapper(rulesOf(document)).map(name, kind);
  return found && { rule: found.rule.index, name: found.name, labels: Object.fromEntries(found.labels) };
}

test('globs: each * is one field, captured for name and labels', (t) => {
  const document = {
    mappings: [
      {
        match: 'test.dispatcher.*.*.*',
        name: 'dispatcher_events_total',
        labels: { processor: '$1', action: '$2', outcome: '$3', job: 'test_dispatcher' },
      },
      {
        match: '*.signup.*.*',
        name: '${2}_signup_$1',
        labels: { provider: '$2', outcome: '$3x', all: '$0' },
      },
    ],
  };
  t.same(mapped(document, 'test.dispatcher.FooProcessor.send.success'), {
    rule: 0,
    name: 'dispatcher_events_total',
    labels: { processor: 'FooProcessor', action: 'send', outcome: 'success', job: 'test_dispatcher' },
  });
  t.same(mapped(document, 'foo_product.signup.facebook.failure'), {
    rule: 1,
    name: 'facebook_signup_foo_product',
    labels: { provider: 'facebook', outcome: '', all: 'foo_product.signup.facebook.failure' },
  });
  t.equal(mapped(document, 'test.dispatcher.Foo.send'), undefined, 'a field too few');
  t.equal(mapped(document, 'test.dispatcher.a.b.c.d'), undefined, 'a field too many');
  t.equal(mapped(document, ''), undefined);
  t.end();
});

test('numbers and truths are taken where a text is wanted', (t) => {
  const document = { mappings: [{ match: 'a.*', name: 'a', labels: { code: 200, shared: true } }] };
  t.same(mapped(document, 'a.b'), { rule: 0, name: 'a', labels: { code: '200', shared: 'true' } });
  t.same(problemsOf({ mappings: [{ match: 'a.*', name: 'a', labels: { list: [] } }] }).length, 1);
  t.end();
});

test('the first glob in the document wins, or the most specific one where ordering is off', (t) => {
  const mappings = [
    { match: '*.*.c', name: 'first' },
    { match: 'a.b.*', name: 'second' },
    { match: 'a.b.c', name: 'third' },
    { match: 'a.*.d', name: 'fourth' },
  ];
  t.equal(mapped({ mappings }, 'a.b.c')?.name, 'first');
  t.equal(mapped({ mappings }, 'a.b.d')?.name, 'second');
  t.equal(mapped({ mappings }, 'a.x.d')?.name, 'fourth');
  const unordered = { defaults: { glob_disable_ordering: true }, mappings };
  t.equal(mapped(unordered, 'a.b.c')?.name, 'third');
  t.equal(mapped(unordered, 'a.b.d')?.name, 'second');
  t.equal(mapped(unordered, 'x.b.c')?.name, 'first', 'comes back from a branch that leads nowhere');
  t.equal(mapped(unordered, 'a.x.c')?.name, 'first');
  t.end();
});

test('regular expressions come after all globs, in order, unanchored; kinds are told apart', (t) => {
  const document = {
    mappings: [
      { match: '.', match_type: 'regex', match_metric_type: 'gauge', name: 'any_gauge' },
      { match: '^(\\w+)\\.(?P<rest>.*)$', match_type: 'regex', name: '${1}_seen', labels: { rest: '$rest' } },
      { match: 'a.b', name: 'glob_counter', match_metric_type: 'counter' },
    ],
  };
  t.equal(mapped(document, 'a.b')?.name, 'glob_counter');
  t.equal(mapped(document, 'a.b', 'gauge')?.name, 'any_gauge');
  t.same(mapped(document, 'a.b', 'observer'), { rule: 1, name: 'a_seen', labels: { rest: 'b' } });
  t.end();
});

test('defaults and options reach the rules', (t) => {
  const { rules, ...defaults } = rulesOf({
    defaults: {
      observer_type: 'histogram',
      histogram_options: { buckets: [0.2, 0.4, Infinity] },
      summary_options: {
        quantiles: [{ quantile: 0.5, error: 0.1 }],
        max_age: '30s',
        age_buckets: 3,
        buf_cap: 9,
      },
      match_type: 'glob',
      ttl: '1m30s',
    },
    mappings: [
      { match: 'a', name: 'a' },
      { match: 'b', name: 'b', observer_type: 'summary', summary_options: { max_age: '1h' }, ttl: '5s' },
      {
        match: 'c',
        name: 'c',
        timer_type: 'summary',
        quantiles: [{ quantile: 0.99, error: 0.001 }],
        scale: 0.001,
      },
      { match: 'd', name: 'd', buckets: [1, 2], honor_labels: true, action: 'drop', help: 'What it is' },
      { match: 'e', name: 'e', histogram_options: { native_histogram_bucket_factor: 1.1 } },
    ],
  });
  const inherited = { type: 'histogram', bounds: [0.2, 0.4] };
  t.match(defaults, { observer: inherited, ttlMs: 90_000 });
  t.match(rules[0], { observer: inherited, ttlMs: 90_000, scale: 1, drop: false, honorLabels: false });
  t.same(rules[1]?.observer, {
    type: 'summary',
    summary: { quantiles: [{ quantile: 0.5, error: 0.1 }], maxAgeMs: 3_600_000, ageBuckets: 3 },
  });
  t.equal(rules[1]?.ttlMs, 5000);
  t.match(rules[2], {
    observer: { summary: { quantiles: [{ quantile: 0.99 }], maxAgeMs: 30_000 } },
    scale: 0.001,
  });
  t.match(rules[3], { observer: { bounds: [1, 2] }, honorLabels: true, drop: true, help: 'What it is' });
  t.match(defaults.notes, [/mappings\[4\]: native histograms are written with classic buckets/]);
  t.end();
});

test('without any choice timers are summaries, as in statsd_exporter', (t) => {
  const { rules, observer } = rulesOf({ mappings: [{ match: 'a', name: 'a' }] });
  t.match(observer, { type: 'summary', summary: { maxAgeMs: 600_000, ageBuckets: 5 } });
  t.same(rules[0]?.observer, observer);
  const { observer: other } = rulesOf({ defaults: { observer_type: 'histogram' } });
  t.same(other, { type: 'histogram', bounds }, 'buckets that nobody names are the adapter’s');
  t.end();
});

test('every problem of a document at once, each with its place', (t) => {
  const problems = problemsOf({
    typo: 1,
    defaults: { observer_type: 'cumulative', ttl: 'soon', colour: 'red' },
    mappings: [
      { name: 'no_match' },
      { match: 'a', action: 'drop' },
      { match: 'a..b', name: 'b' },
      { match: '1a', name: '1b' },
      { match: 'a', name: 'a-b', labels: { 'x-y': 'z', __name__: 'z' } },
      { match: '(', match_type: 'regex', name: 'a' },
      { match: '(a)\\1', match_type: 'regex', name: 'a' },
      { match: 'a', name: 'a', observer_type: 'histogram', summary_options: {} },
      { match: 'a', name: 'a', observer_type: 'summary', histogram_options: {} },
      {
        match: 'a',
        name: 'a',
        buckets: [1],
        histogram_options: { buckets: [2] },
        observer_type: 'histogram',
      },
      { match: 'a', name: 'a', buckets: [2, 1], match_metric_type: 'set' },
      { match: 'a', name: 'a', quantiles: [{ quantile: 50 }], scale: 'k', labels: ['x'] },
      'text',
    ],
  });
  for (const expected of [
    /^typo: an unknown field/,
    /^defaults\.observer_type: "cumulative" → one of histogram, summary/,
    /^defaults\.ttl: "soon"/,
    /^defaults\.colour: an unknown field/,
    /^mappings\[0\]\.match: nothing/,
    /^mappings\[1\]\.name: nothing/,
    /^mappings\[2\]\.match: "a\.\.b"/,
    /^mappings\[3\]\.match: "1a"/,
    /^mappings\[3\]\.name: "1b"/,
    /^mappings\[4\]\.name: "a-b"/,
    /^mappings\[4\]\.labels\.x-y/,
    /^mappings\[4\]\.labels\.__name__/,
    /^mappings\[5\]\.match: "\("/,
    /^mappings\[6\]\.match: .*no back-references/,
    /^mappings\[7\]\.summary_options/,
    /^mappings\[8\]\.histogram_options/,
    /^mappings\[9\]\.buckets: .*histogram_options\.buckets is set as well/,
    /^mappings\[10\]\.buckets\[1\]/,
    /^mappings\[10\]\.match_metric_type/,
    /^mappings\[11\]\.quantiles\[0\]\.quantile/,
    /^mappings\[11\]\.scale/,
    /^mappings\[11\]\.labels/,
    /^mappings\[12\]: "text" → a mapping of fields/,
  ]) {
    t.ok(
      problems.some((problem) => expected.test(problem)),
      String(expected),
    );
  }
  t.same(problemsOf(null), [], 'an empty file maps nothing');
  t.end();
});

test('what is meant to be a mapping, and what is another document', (t) => {
  t.equal(mappingProblems({ mappings: [{}] })?.length, 2);
  t.same(mappingProblems({ defaults: { ttl: '1s' } }), []);
  for (const other of [
    null,
    'text',
    [],
    {},
    { kind: 'Pod', mappings: [] },
    { modules: {} },
    { defaults: {}, rules: [] },
  ])
    t.equal(mappingProblems(other), undefined, JSON.stringify(other));
  t.end();
});

test('patterns that take other engines minutes take none here', (t) => {
  const document = { mappings: [{ match: '^(a+)+$', match_type: 'regex', name: 'evil' }] };
  const mapper = new Mapper(rulesOf(document));
  const started = performance.now();
  t.equal(mapper.map(`${'a'.repeat(5000)}!`, 'counter'), undefined);
  t.ok(performance.now() - started < 5000);
  t.end();
});

test('many globs cost a walk, not a try each', (t) => {
  const mappings = Array.from({ length: 5000 }, (_, i) => ({ match: `app.*.m${i}.*`, name: `m_${i}` }));
  const mapper = new Mapper(rulesOf({ mappings }));
  t.equal(mapper.map('app.x.m4999.y', 'counter')?.name, 'm_4999');
  t.equal(mapper.map('app.x.m5000.y', 'counter'), undefined);
  t.end();
});
