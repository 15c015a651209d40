import { FakeClock, seededRandom } from '@outrigger/core/clock';
import {
  BlockPool,
  boundText,
  canonicalNumber,
  PageWriter,
  readPageAsked,
  writePage,
  answerPage,
  escapeLabelName,
  escapeMetricName,
  negotiate,
  takesGzip,
} from '@outrigger/core/exposition';
import type { MetricFamily, MetricType, Sample } from '@outrigger/core/exposition';
import { spawnSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import { test } from 'tap';
import { needs, toolPath } from '../../../../test/harness/index.ts';
import { readBack } from './read-back.ts';

const om = 'application/openmetrics-text;version=1.0.0';

async function pageOf(families: readonly MetricFamily[], accept?: string, query = ''): Promise<string> {
  const out = new PageWriter(new BlockPool());
  const asked = readPageAsked({ accept }, new URLSearchParams(query));
  await writePage(out, families, asked, new FakeClock());
  return Buffer.concat(out.finish()).toString('utf8');
}

const sample = (value: number, labels: Sample['labels'] = [], more: Partial<Sample> = {}): Sample => ({
  suffix: '',
  labels,
  value,
  ...more,
});

const everyType: MetricFamily[] = [
  {
    name: 'jobs_total',
    type: 'counter',
    help: 'Jobs "done"\\\nin all.',
    samples: [
      sample(3, [['q', 'a"\\\nb']], {
        exemplar: { labels: [['trace_id', 'x']], value: 1.5, timestamp: 12.25 },
      }),
      sample(1700000000.5, [['q', 'a"\\\nb']], { suffix: '_created' }),
    ],
  },
  { name: 'plain', type: 'counter', help: '', samples: [sample(1), sample(2, [], { suffix: '_created' })] },
  {
    name: 'temp_celsius',
    type: 'gauge',
    help: 'T.',
    unit: 'celsius',
    samples: [sample(-1e-7), sample(Infinity, [['k', '']])],
  },
  {
    name: 'lat_seconds',
    type: 'histogram',
    help: 'L.',
    unit: 'seconds',
    samples: [
      sample(1, [['le', '1']], { suffix: '_bucket', exemplar: { labels: [['trace_id', 'y']], value: 0.5 } }),
      sample(2, [['le', '+Inf']], { suffix: '_bucket' }),
      sample(3.5, [], { suffix: '_sum' }),
      sample(2, [], { suffix: '_count' }),
      sample(7, [], { suffix: '_created' }),
    ],
  },
  {
    name: 's',
    type: 'summary',
    help: 'S.',
    samples: [
      sample(NaN, [['quantile', '0.990']]),
      sample(0, [['quantile', '1']]),
      sample(0, [], { suffix: '_sum' }),
      sample(0, [], { suffix: '_count' }),
    ],
  },
  { name: 'build_info', type: 'info', help: 'B.', samples: [sample(1, [['version', '1']])] },
  {
    name: 'state',
    type: 'stateset',
    help: 'St.',
    samples: [sample(1, [['state', 'on']]), sample(0, [['state', 'off']])],
  },
  {
    name: 'gh',
    type: 'gaugehistogram',
    help: 'G.',
    samples: [
      sample(2, [['le', '+Inf']], { suffix: '_bucket' }),
      sample(2, [], { suffix: '_gcount' }),
      sample(1, [], { suffix: '_gsum' }),
    ],
  },
  { name: 'what', type: 'unknown', help: 'W.', samples: [sample(1)] },
  { name: 'empty', type: 'gauge', help: 'Nothing.', samples: [] },
];

test('text format 0.0.4, letter by letter', async (t) => {
  t.equal(
    await pageOf(everyType),
    `# HELP jobs_total Jobs "done"\\\\\\nin all.
# TYPE jobs_total counter
jobs_total{q="a\\"\\\\\\nb"} 3
# HELP plain${' '}
# TYPE plain counter
plain 1
# HELP temp_celsius T.
# TYPE temp_celsius gauge
temp_celsius -1e-7
temp_celsius{k=""} +Inf
# HELP lat_seconds L.
# TYPE lat_seconds histogram
lat_seconds_bucket{le="1"} 1
lat_seconds_bucket{le="+Inf"} 2
lat_seconds_sum 3.5
lat_seconds_count 2
# HELP s S.
# TYPE s summary
s{quantile="0.99"} NaN
s{quantile="1"} 0
s_sum 0
s_count 0
# HELP build_info B.
# TYPE build_info gauge
build_info{version="1"} 1
# HELP state St.
# TYPE state gauge
state{state="on"} 1
state{state="off"} 0
# HELP gh G.
# TYPE gh untyped
gh_bucket{le="+Inf"} 2
gh_gcount 2
gh_gsum 1
# HELP what W.
# TYPE what untyped
what 1
# HELP empty Nothing.
# TYPE empty gauge
`,
  );
});

test('OpenMetrics 1.0, letter by letter', async (t) => {
  t.equal(
    await pageOf(everyType, om),
    `# TYPE jobs counter
# HELP jobs Jobs \\"done\\"\\\\\\nin all.
jobs_total{q="a\\"\\\\\\nb"} 3 # {trace_id="x"} 1.5 12.25
jobs_created{q="a\\"\\\\\\nb"} 1700000000.5
# TYPE plain unknown
# HELP plain${' '}
plain 1
# TYPE temp_celsius gauge
# UNIT temp_celsius celsius
# HELP temp_celsius T.
temp_celsius -1e-7
temp_celsius{k=""} +Inf
# TYPE lat_seconds histogram
# UNIT lat_seconds seconds
# HELP lat_seconds L.
lat_seconds_bucket{le="1.0"} 1 # {trace_id="y"} 0.5
lat_seconds_bucket{le="+Inf"} 2
lat_seconds_sum 3.5
lat_seconds_count 2
lat_seconds_created 7
# TYPE s summary
# HELP s S.
s{quantile="0.99"} NaN
s{quantile="1.0"} 0
s_sum 0
s_count 0
# TYPE build info
# HELP build B.
build_info{version="1"} 1
# TYPE state stateset
# HELP state St.
state{state="on"} 1
state{state="off"} 0
# TYPE gh gaugehistogram
# HELP gh G.
gh_bucket{le="+Inf"} 2
gh_gcount 2
gh_gsum 1
# TYPE what unknown
# HELP what W.
what 1
# TYPE empty gauge
# HELP empty Nothing.
# EOF
`,
  );
});

test('names of any text: quoted where they are taken, escaped where they are not', async (t) => {
  const family: MetricFamily = {
    name: 'http.requests_total',
    type: 'counter',
    help: 'H.',
    samples: [sample(1, [['http.code', '200'], ['plain', 'v']])], // prettier-ignore
  };
  t.equal(
    await pageOf([family], `${om};escaping=allow-utf-8`),
    '# TYPE "http.requests" counter\n# HELP "http.requests" H.\n{"http.requests_total","http.code"="200",plain="v"} 1\n# EOF\n',
  );
  t.match(
    await pageOf([family]),
    '# TYPE http_requests_total counter\nhttp_requests_total{http_code="200",plain="v"} 1\n',
  );
  t.match(
    await pageOf([family], 'text/plain;version=1.0.0;escaping=dots'),
    '\nhttp_dot_requests__total{http_dot_code="200",plain="v"} 1\n',
  );
  t.match(
    await pageOf([family], 'text/plain;escaping=values'),
    '\nU__http_2e_requests__total{U__http_2e_code="200",plain="v"} 1\n',
  );
  t.equal(escapeMetricName('9é:😀', 'values'), 'U___39__e9_:_1f600_');
  t.equal(escapeMetricName('9é:a', 'underscores'), '__:a');
  t.equal(escapeLabelName('a:b', 'underscores'), 'a_b');
  t.equal(escapeMetricName('plain_name', 'dots'), 'plain__name');
});

test('numbers as Go writes them, and canonical ones', (t) => {
  const go: [number, string, string][] = [
    [0, '0', '0.0'],
    [1, '1', '1.0'],
    [0.5, '0.5', '0.5'],
    [-2, '-2', '-2.0'],
    [100_000, '100000', '100000.0'],
    [1_000_000, '1e+06', '1e+06'],
    [123_456_789, '1.23456789e+08', '1.23456789e+08'],
    [0.0001, '0.0001', '0.0001'],
    [0.00001, '1e-05', '1e-05'],
    [1e21, '1e+21', '1e+21'],
    [Infinity, '+Inf', '+Inf'],
  ];
  for (const [value, bound, canonical] of go) {
    t.equal(boundText(value), bound);
    t.equal(canonicalNumber(value), canonical);
  }
  t.end();
});

test('what Prometheus 2 and 3 and others ask for, and what they get', (t) => {
  const prometheus2 =
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
  const prometheus3 =
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
  const protobuf =
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;version=1.0.0;escaping=underscores;q=0.4,*/*;q=0.2';
  const asked: [string | undefined, string][] = [
    [undefined, 'text/plain; version=0.0.4; charset=utf-8'],
    ['', 'text/plain; version=0.0.4; charset=utf-8'],
    ['text/html,*/*;q=0.8', 'text/plain; version=0.0.4; charset=utf-8'],
    [prometheus2, 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
    [prometheus3, 'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8'],
    [protobuf, 'text/plain; version=1.0.0; charset=utf-8; escaping=underscores'],
    [
      'application/openmetrics-text;version=0.0.1',
      'application/openmetrics-text; version=0.0.1; charset=utf-8',
    ],
    ['application/openmetrics-text', 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
    [
      'application/openmetrics-text;version=2.0.0,text/plain;q=0.1',
      'text/plain; version=0.0.4; charset=utf-8',
    ],
    [
      'text/plain;version=0.0.4;q=0.9,application/openmetrics-text;version=1.0.0;q=0.1',
      'text/plain; version=0.0.4; charset=utf-8',
    ],
    ['application/openmetrics-text;q=0', 'text/plain; version=0.0.4; charset=utf-8'],
    ['TEXT/PLAIN; Version="0.0.4"; escaping=nonsense', 'text/plain; version=0.0.4; charset=utf-8'],
    [',;,=;q=x', 'text/plain; version=0.0.4; charset=utf-8'],
  ];
  for (const [accept, contentType] of asked)
    t.equal(negotiate(accept).contentType, contentType, String(accept));
  t.end();
});

test('gzip when it is accepted, and name[] for some families', async (t) => {
  for (const header of ['gzip', 'deflate, GZIP;q=0.5', '*', 'identity;q=0.2,*;q=0.1'])
    t.ok(takesGzip(header), header);
  for (const header of [undefined, '', 'br', 'gzip;q=0', 'gzip;q=0,*', 'xgzip'])
    t.notOk(takesGzip(header), String(header));
  const answer = await answerPage(
    { 'accept-encoding': 'gzip', accept: om },
    new URLSearchParams('name[]=jobs&name[]=s'),
    new BlockPool(),
    (out, asked) => writePage(out, everyType, asked, new FakeClock()),
  );
  t.equal(answer.headers['content-encoding'], 'gzip');
  const page = readBack(gunzipSync(answer.body).toString('utf8'), true);
  t.strictSame([...page.types.keys()], ['jobs', 's']);
});

test('the scrape timeout is read, and nonsense is none', (t) => {
  const read = (seconds: string) =>
    readPageAsked({ 'x-prometheus-scrape-timeout-seconds': seconds }, new URLSearchParams()).timeoutMs;
  t.equal(read('10.5'), 10_500);
  t.equal(read('0.001'), 1);
  for (const nonsense of ['', '-1', 'x', 'Infinity', '0']) t.equal(read(nonsense), undefined);
  t.end();
});

test('whatever the names and values, a reader gets back what was written', async (t) => {
  const seed = 20_260_101;
  const random = seededRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random.next() * from.length)] as T;
  const alphabet = [
    'a',
    'Z',
    '0',
    '_',
    ':',
    '.',
    '"',
    '\\',
    '\n',
    '\r',
    '{',
    '}',
    '=',
    ',',
    ' ',
    'é',
    '😀',
    '#',
  ];
  const text = (most: number) =>
    Array.from({ length: Math.floor(random.next() * most) }, () => pick(alphabet)).join('');
  const values = [0, 1, -1, 0.1, 1e300, 5e-324, 2 ** 31, 2 ** 53, NaN, Infinity, -Infinity, 123456.789];
  const types: MetricType[] = ['gauge', 'unknown'];
  for (let round = 0; round < 300; round++) {
    const families = Array.from({ length: 5 }, (_, f): MetricFamily => ({
      name: `f${f}${text(6)}`,
      type: pick(types),
      help: text(20),
      samples: Array.from(
        { length: 4 },
        (_unused, s) =>
        sample(pick(values), [['n', String(s)], ...Array.from({ length: 3 }, (_more, l) => [`${l}${text(5)}`, text(30)] as const)]), // prettier-ignore
      ),
    }));
    for (const openMetrics of [false, true]) {
      const accept = openMetrics
        ? `${om};escaping=allow-utf-8`
        : 'text/plain;version=1.0.0;escaping=allow-utf-8';
      const page = readBack(await pageOf(families, accept), openMetrics);
      const wrote = families.flatMap(({ name, samples }) =>
        samples.map(({ labels, value }) => ({
          name,
          labels: Object.fromEntries(labels),
          value,
          exemplar: undefined,
        })),
      );
      if (!t.strictSame(page.samples, wrote, `seed ${seed}, round ${round}`)) return;
      for (const { name, help } of families)
        if (page.helps.get(name) !== help) t.fail(`help of ${name}, round ${round}`);
    }
  }
});

test('promtool reads both kinds of names', needs('promtool'), async (t) => {
  const clean = everyType.filter(({ name }) => !['plain', 'gh', 'what', 's', 'jobs_total'].includes(name));
  const check = spawnSync(toolPath('promtool'), ['check', 'metrics'], {
    input: await pageOf(clean),
    encoding: 'utf8',
  });
  t.equal(check.stdout + check.stderr, '');
  t.equal(check.status, 0);
});

test('what a type adds stands behind the escaped name, so that heads and samples agree', async (t) => {
  const families: MetricFamily[] = [
    { name: 'a.b', type: 'histogram', help: 'A.', samples: [sample(2.6, [], { suffix: '_count' })] },
    { name: 'c_d_total', type: 'counter', help: 'C.', samples: [sample(2.6)] },
  ];
  t.equal(
    await pageOf(families, `${om};escaping=dots`),
    [
      '# TYPE a_dot_b histogram\n# HELP a_dot_b A.\na_dot_b_count 3\n',
      '# TYPE c__d_ counter\n# HELP c__d_ C.\nc__d__total 2.6\n# EOF\n',
    ].join(''),
    'and counts are whole numbers in OpenMetrics',
  );
  t.match(await pageOf(families, 'text/plain;escaping=values'), '\nU__a_2e_b_count 2.6\n');
});

test('a counter beside a gauge of its shorter name is of unknown type in OpenMetrics', async (t) => {
  const families: MetricFamily[] = [
    { name: 'jobs', type: 'gauge', help: 'J.', samples: [sample(1)] },
    { name: 'jobs_total', type: 'counter', help: 'T.', samples: [sample(2), sample(3, [], { suffix: '_created' })] }, // prettier-ignore
  ];
  t.equal(
    await pageOf(families, om),
    '# TYPE jobs gauge\n# HELP jobs J.\njobs 1\n# TYPE jobs_total unknown\n# HELP jobs_total T.\njobs_total 2\n# EOF\n',
  );
  t.match(await pageOf(families), '\n# TYPE jobs_total counter\njobs_total 2\n');
});
