import { test } from 'tap';
import type { Test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import type { MetricFamily } from '@outrigger/core/exposition';
import { formatOf, PageError, parsePage, parsePageInTurns } from '../../src/prometheus/parse.ts';
import type { PageFormat } from '../../src/prometheus/parse.ts';

/** `name suffix{labels} value` of every sample, in order. */
function lines(families: readonly MetricFamily[]): string[] {
  return families.flatMap(({ name, samples }) =>
    samples.map(({ suffix, labels, value }) => {
      const shown = labels.map(([label, text]) => `${label}=${JSON.stringify(text)}`).join(',');
      return `${name}${suffix === '' ? '' : ` ${suffix}`}{${shown}} ${value}`;
    }),
  );
}

function family(t: Test, text: string, format: PageFormat = 'text'): MetricFamily {
  const { families } = parsePage(text, format);
  const [only] = families;
  if (only === undefined || families.length !== 1) throw new Error(`${families.length} families`);
  t.ok(only);
  return only;
}

test('text 0.0.4: blanks, comments, escapes, odd numbers, timestamps', (t) => {
  const page = [
    '# just a comment',
    '',
    '# HELP http_requests_total Requests.\\nAll of \\\\ them, \\"quoted\\".',
    '# TYPE http_requests_total counter',
    'http_requests_total{method="post",code="200",} 1027 1395066363000',
    '  http_requests_total \t { method = "a\\"b\\\\c\\nd" , code="" }\t3  -3 ',
    'no_type +Inf',
    'nan NaN',
    'small 1.5e-09',
    'small_too{} .5\r',
    'negative -Inf',
    '# TYPE x untyped',
    'x 0x',
  ];
  const { families, dropped } = parsePage(page.slice(0, -1).join('\n'), 'text');
  t.same(lines(families), [
    'http_requests_total{method="post",code="200"} 1027',
    'http_requests_total{method="a\\"b\\\\c\\nd"} 3',
    'no_type{} Infinity',
    'nan{} NaN',
    'small{} 1.5e-9',
    'small_too{} 0.5',
    'negative{} -Infinity',
  ]);
  t.match(families[0], { type: 'counter', help: 'Requests.\nAll of \\ them, \\"quoted\\".' });
  t.match(families[1], { type: 'unknown', help: '' });
  t.same(dropped, {});
  t.throws(() => parsePage(page.join('\n'), 'text'), { message: 'line 13: want a number, got "0x"' });
  t.end();
});

test('histograms and summaries come together whatever their order, and their types too', (t) => {
  const page = [
    'rpc_bucket{le="+Inf",code="a"} 4',
    'rpc_bucket{code="b",le="0.5"} 1',
    'rpc_count{code="a"} 4',
    'other 1',
    'rpc_sum{code="a"} 7',
    'rpc_bucket{le="1.0",code="a"} 3',
    'rpc_bucket{le="0.5",code="a"} 2',
    'rpc_bucket{le="1",code="a"} 99',
    'rpc_bucket{code="a"} 5',
    'rpc_bucket{le="much"} 5',
    '# TYPE rpc histogram',
    'rpc 3',
    '# TYPE s summary',
    's_sum 1',
    's{quantile="0.99"} 2',
    's{quantile="0.5"} 1',
    's 5',
    's_count 2',
  ];
  const { families, dropped } = parsePage(page.join('\n'), 'text');
  t.same(
    families.map(({ name, type }) => `${name} ${type}`),
    ['rpc histogram', 'other unknown', 's summary'],
  );
  t.same(lines(families), [
    'rpc _bucket{le="0.5",code="a"} 2',
    'rpc _bucket{le="1.0",code="a"} 3',
    'rpc _bucket{le="+Inf",code="a"} 4',
    'rpc _sum{code="a"} 7',
    'rpc _count{code="a"} 4',
    'rpc _bucket{code="b",le="0.5"} 1',
    'other{} 1',
    's{quantile="0.5"} 1',
    's{quantile="0.99"} 2',
    's _sum{} 1',
    's _count{} 2',
  ]);
  t.same(dropped, { duplicate: 1, 'bad-le': 2, misplaced: 1, 'bad-quantile': 1 });
  t.end();
});

test('a name that only looks like part of a family stays its own', (t) => {
  const { families } = parsePage('# TYPE jobs gauge\njobs 1\njobs_count 2\n_sum 3\na_created 4\n', 'text');
  t.same(lines(families), ['jobs{} 1', 'jobs_count{} 2', '_sum{} 3', 'a_created{} 4']);
  t.end();
});

test('duplicates: the first of the same labels in any order, and never of others that read alike', (t) => {
  const page =
    'm{a="1",b="2"} 1\nm{b="2",a="1"} 2\nm{a="1,b:2"} 3\nm{a="1",b="2",c="3"} 4\nm{b="1",a="2"} 5\n';
  const { families, dropped } = parsePage(page, 'text');
  t.same(
    families[0]?.samples.map(({ value }) => value),
    [1, 3, 4, 5],
  );
  t.same(dropped, { duplicate: 1 });
  t.end();
});

test('OpenMetrics: totals, created, infos, units, exemplars, seconds as timestamps', (t) => {
  const page = [
    '# TYPE http_requests counter',
    '# UNIT http_requests requests',
    '# HELP http_requests The \\"requests\\".',
    'http_requests_total{code="200"} 5 1520879607.789 # {trace_id="abc \\"x\\""} 1 1520879607.7',
    'http_requests_created{code="200"} 1520430000.123',
    '# TYPE build info',
    'build_info{version="1"} 1',
    '# TYPE lat_seconds histogram',
    '# UNIT lat_seconds seconds',
    'lat_seconds_bucket{le="1.0"} 1 # {} 0.5',
    'lat_seconds_bucket{le="+Inf"} 1',
    'lat_seconds_count 1',
    'lat_seconds_sum 0.5',
    'lat_seconds_created 1',
    '# TYPE q gaugehistogram',
    'q_bucket{le="+Inf"} 3',
    'q_gcount 3',
    'q_gsum 2',
    '# TYPE f stateset',
    'f{f="on"} 1',
    '# TYPE u unknown',
    '# UNIT u bytes',
    'u 1',
    '# EOF',
    '',
  ].join('\n');
  const { families, dropped } = parsePage(page, 'openmetrics');
  t.same(dropped, {});
  t.same(lines(families), [
    'http_requests_total{code="200"} 5',
    'http_requests_total _created{code="200"} 1520430000.123',
    'build_info{version="1"} 1',
    'lat_seconds _bucket{le="1.0"} 1',
    'lat_seconds _bucket{le="+Inf"} 1',
    'lat_seconds _sum{} 0.5',
    'lat_seconds _count{} 1',
    'lat_seconds _created{} 1',
    'q _bucket{le="+Inf"} 3',
    'q _gsum{} 2',
    'q _gcount{} 3',
    'f{f="on"} 1',
    'u{} 1',
  ]);
  t.same(
    families.map(({ type, unit }) => [type, unit]),
    [
      ['counter', 'requests'],
      ['info', undefined],
      ['histogram', 'seconds'],
      ['gaugehistogram', undefined],
      ['stateset', undefined],
      ['unknown', undefined],
    ],
  );
  t.equal(families[0]?.help, 'The "requests".');
  const exemplars = families.flatMap(({ samples }) => samples.flatMap(({ exemplar }) => exemplar ?? []));
  t.same(exemplars, [
    { labels: [['trace_id', 'abc "x"']], value: 1, timestamp: 1520879607.7 },
    { labels: [], value: 0.5 },
  ]);
  t.end();
});

test('names in quotes, of metrics and labels, in both formats', (t) => {
  const page =
    '# TYPE "my.requests" counter\n# HELP "my.requests" Dots.\n{"my.requests","a.b"="c",d="é"} 1\n';
  t.match(family(t, page), {
    name: 'my.requests',
    type: 'counter',
    help: 'Dots.',
    samples: [{ labels: [['a.b', 'c'], ['d', 'é']] }], // prettier-ignore
  });
  t.match(family(t, `${page.replace('{"my.requests"', '{"my.requests_total"')}# EOF\n`, 'openmetrics'), {
    name: 'my.requests_total',
    type: 'counter',
  });
  t.end();
});

test('what cannot be read is named with its line', (t) => {
  const bad: [string, PageFormat, RegExp][] = [
    ['a 1\nb{x="y} 2\n', 'text', /^line 2: a text in quotes does not end in its line$/],
    ['a{x="y\\', 'text', /^line 1: a text in quotes does not end/],
    ['a{x="1",x="2"} 1', 'text', /the label "x" is there twice/],
    ['a{x=1} 1', 'text', /want a text in quotes, got "1} 1"/],
    ['a{x} 1', 'text', /want = after the label "x", got "} 1"/],
    ['{"a","b"} 1', 'text', /want = after the label "b"/],
    ['{x="y"} 1', 'text', /a sample has no name/],
    ['a{x="1" y="2"} 1', 'text', /want , or } after a label, got "y=\\"2\\"} 1"/],
    ['a', 'text', /want a number, got ""/],
    ['a 1 2 3', 'text', /want the end of the line, got "3"/],
    ['a 1 1.5', 'text', /want a timestamp or the end of the line, got "1.5"/],
    ['a 1 # {} 1', 'text', /want the end of the line/],
    ['1a 1', 'text', /want a name, got "1a 1"/],
    ['a{b:c="1"} 1', 'text', /want =/],
    ['# TYPE a guage\na 1', 'text', /there is no type "guage"/],
    ['<html>', 'text', /^line 1: want a name, got "<html>"/],
    ['a 1\n', 'openmetrics', /^line 1: the page ends without # EOF/],
    ['a 1\n# EOF\nb 2\n', 'openmetrics', /^line 3: there is more after # EOF/],
    ['a 1 # {"x"} 1\n# EOF', 'openmetrics', /an exemplar has no name/],
    ['a 1 # x\n# EOF', 'openmetrics', /want { of an exemplar/],
    [`a{${Array.from({ length: 300 }, (_, i) => `l${i}="x"`).join(',')}} 1`, 'text', /more than 256 labels/],
  ];
  for (const [page, format, message] of bad) {
    t.throws(() => parsePage(page, format), { message }, page.slice(0, 40));
  }
  t.same(parsePage('', 'text'), { families: [], dropped: {} });
  t.throws(() => parsePage('', 'openmetrics'), { message: /^line 0: / });
  t.end();
});

test('cut at every byte, an OpenMetrics page is refused and a text page is never misread', (t) => {
  const sample = 'm_total{a="b\\"c"} 12 # {t="x"} 1 2\n';
  const page = `# TYPE m counter\n${sample}# EOF\n`;
  const whole = page.length - 1;
  for (let cut = 0; cut < whole; cut++) {
    t.throws(() => parsePage(page.slice(0, cut), 'openmetrics'), { message: /^line \d+: / }, `at ${cut}`);
  }
  t.doesNotThrow(() => parsePage(page, 'openmetrics'));
  t.end();
});

test('the format is told by the content type', (t) => {
  t.equal(formatOf('application/openmetrics-text; version=1.0.0; charset=utf-8'), 'openmetrics');
  t.equal(formatOf('text/plain; version=0.0.4'), 'text');
  t.equal(formatOf(''), 'text');
  t.end();
});

test('time grows with the page and with nothing else, and others get their turn', async (t) => {
  const page = (count: number): string =>
    Array.from({ length: count }, (_, i) => `m_total{path="/v1/${i}",code="200"} ${i}\n`).join('');
  let turns = 0;
  let reading = true;
  const tick = (): void => {
    turns++;
    if (reading) setImmediate(tick);
  };
  setImmediate(tick);
  const { families } = await parsePageInTurns(`# TYPE m_total counter\n${page(100_000)}`, 'text');
  reading = false;
  t.equal(families[0]?.samples.length, 100_000);
  t.ok(turns >= 100, `${turns} turns for others`);
  const hostile = [
    `m{a="${'\\\\'.repeat(500_000)}"} 1`,
    `m ${' '.repeat(1_000_000)}1`,
    `m{${','.repeat(10)}} 1`,
    `m ${'9'.repeat(1_000_000)}`,
    '#'.repeat(1_000_000),
    `${'m_'.repeat(500_000)} 1`,
  ];
  const began = performance.now();
  for (const text of hostile) {
    try {
      parsePage(text, 'text');
    } catch (error) {
      t.ok(error instanceof PageError, text.slice(0, 20));
    }
  }
  t.ok(performance.now() - began < 5000);
});

test('damaged pages are refused or read, never anything else', (t) => {
  const seed = 20;
  const random = seededRandom(seed);
  const page = '# TYPE h histogram\nh_bucket{le="1",a="b\\"c"} 1 # {t="x"} 1 2\n{"m.n",l="v"} NaN 3\n# EOF\n';
  const noise = '{}"\\#=,\n 1eE+-.abc\u0000\u00e9\ud800';
  let read = 0;
  for (let round = 0; round < 3000; round++) {
    let text = page;
    for (let edits = 0; edits < 3; edits++) {
      const at = Math.floor(random.next() * text.length);
      const put = noise.charAt(Math.floor(random.next() * noise.length));
      text = text.slice(0, at) + put + text.slice(at + Math.floor(random.next() * 3));
    }
    for (const format of ['text', 'openmetrics'] as const) {
      try {
        parsePage(text, format);
        read++;
      } catch (error) {
        if (!(error instanceof PageError))
          t.fail(`seed ${seed}, round ${round}: ${JSON.stringify(text)}`, { error });
      }
    }
  }
  t.ok(read > 0, 'some damage does no harm');
  t.end();
});
