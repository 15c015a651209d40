import type { RelabelRule } from '@outrigger/core/api';
import { FakeClock } from '@outrigger/core/clock';
import type { MetricFamily } from '@outrigger/core/exposition';
import { spawnSync } from 'node:child_process';
import { test } from 'tap';
import { needs, toolPath } from '../../../../test/harness/index.ts';
import { AskedSource } from '../../src/page/ask.ts';
import { maxScrapes, timeForSources } from '../../src/page/page.ts';
import { SourceError } from '../../src/sources/source.ts';
import type { Asked } from '../../src/sources/source.ts';
import { answering, collected, family, newPage } from './harness.ts';

const openMetrics = { accept: 'application/openmetrics-text;version=1.0.0' };

test('families of the registry and of sources under one name stand together, once', async (t) => {
  const { registry, read } = newPage({
    one: answering(family('a', 'gauge', [[['k', '1']], 1], [[['k', '2']], 2])),
    two: answering(family('a', 'gauge', [[['k', '2']], 9], [[['k', '3']], 3]), family('b', 'gauge', [[], 4])),
  });
  registry.set(
    registry.open({ name: 'a', type: 'gauge', help: 'A.', labels: [['k', '1']], source: 's', ttlMs: 0 }),
    7,
  );
  const page = await read();
  t.strictSame(collected(page), ['a{k="1"} 7', 'a{k="2"} 2', 'a{k="3"} 3', 'b 4'], 'who comes first wins');
  t.equal(page.match(/# TYPE a gauge/g)?.length, 1);
  t.match(await read(), '\noutrigger_adapter_source_dropped_total{source="one",reason="duplicate"} 2\n');
  t.match(await read(), '{source="two",reason="duplicate"} 3\n');
});

test('another type, or what a histogram writes, is left out and told', async (t) => {
  const histogram = {
    ...family('lat', 'histogram'),
    samples: [{ suffix: '_count' as const, labels: [], value: 1 }],
  };
  const { registry, read } = newPage({
    one: answering(family('a', 'counter', [[], 1]), histogram, family('stored_sum', 'gauge', [[], 1])),
    two: answering(family('a', 'gauge', [[], 2]), family('lat_count', 'gauge', [[], 2], [[['k', '']], 3])),
    three: answering(family('ok', 'gauge', [[], 5])),
  });
  registry.open({
    name: 'stored',
    type: 'histogram',
    help: 'S.',
    labels: [],
    source: 's',
    ttlMs: 0,
    bounds: [],
  });
  const page = await read();
  t.notMatch(page, /^stored_sum 1$/m);
  t.notMatch(page, /^a 2$/m);
  t.match(page, /^ok 5$/m, 'nothing else changes');
  const next = await read();
  t.match(next, '{source="one",reason="name-conflict"} 2\n');
  t.match(next, '{source="two",reason="type-conflict"} 2\n');
  t.match(next, '{source="two",reason="name-conflict"} 4\n');
});

test('a source that fails is up 0, and nothing else changes', async (t) => {
  const { read } = newPage({
    bad: () =>
      Promise.reject(new SourceError('refused', 'no', { families: [family('bad_up', 'gauge', [[], 0])] })),
    broken: () => {
      throw new TypeError('a mistake');
    },
    huge: [answering(family('h', 'gauge', [[], 1], [[['k', '1']], 1])), { maxSeries: 1 }],
    good: answering(family('a', 'gauge', [[], 1])),
  });
  const page = await read();
  t.strictSame(collected(page), ['bad_up 0', 'a 1']);
  for (const [name, up] of [
    ['bad', 0],
    ['broken', 0],
    ['huge', 0],
    ['good', 1],
  ] as const)
    // prettier-ignore
    t.match(page, `\noutrigger_adapter_source_up{source="${name}",endpoint=""} ${up}\n`);
  t.match(page, '\noutrigger_adapter_source_errors_total{source="bad",class="refused"} 1\n');
  t.match(page, '{source="broken",class="internal"} 1\n');
  t.match(page, '{source="huge",class="too-large"} 1\n');
  t.match(
    page,
    '\noutrigger_adapter_source_last_success_timestamp_seconds{source="good",endpoint=""} 1767225600\n',
  );
  t.notMatch(page, 'last_success_timestamp_seconds{source="bad"');
});

test('the deadline is the shorter of scraper and source, and who is late is down for this scrape', async (t) => {
  t.equal(timeForSources(undefined), 10_000);
  t.equal(timeForSources(10_000), 9500);
  t.equal(timeForSources(600), 300);
  t.equal(timeForSources(1), 5);
  const clock = new FakeClock();
  const asked: number[] = [];
  const { promise, resolve } = Promise.withResolvers<{ families: [] }>();
  const slow = ({ leftMs, signal }: Asked) => {
    asked.push(leftMs);
    return Promise.race([
      promise,
      new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
    ]);
  };
  const { read } = newPage(
    { slow, patient: [slow, { timeoutMs: 100 }], quick: answering(family('a', 'gauge', [[], 1])) },
    { clock },
  );
  const hurried = read({ 'x-prometheus-scrape-timeout-seconds': '0.001' });
  await clock.advance(5);
  const page = await hurried;
  t.strictSame(asked, [5, 5]);
  t.match(page, 'source_up{source="slow",endpoint=""} 0\n');
  t.match(page, 'source_errors_total{source="slow",class="timeout"} 1\n');
  t.match(page, /^a 1$/m);
  const calm = read({ 'x-prometheus-scrape-timeout-seconds': '5' });
  await clock.advance(100);
  resolve({ families: [] });
  const second = await calm;
  t.strictSame(asked.slice(2), [4500, 100]);
  t.match(second, 'source_up{source="slow",endpoint=""} 1\n');
  t.match(second, 'source_up{source="patient",endpoint=""} 0\n');
});

test('scrapes at the same time share one answer, and the longest decides how long it may take', async (t) => {
  const clock = new FakeClock();
  let times = 0;
  const { read } = newPage(
    {
      slow: async () => {
        times += 1;
        await clock.sleep(1000);
        return { families: [family('a', 'gauge', [[], times])] };
      },
    },
    { clock },
  );
  const short = read({ 'x-prometheus-scrape-timeout-seconds': '1' });
  const long = read({ 'x-prometheus-scrape-timeout-seconds': '5', ...openMetrics });
  await clock.advance(1000);
  t.match(await short, 'source_up{source="slow",endpoint=""} 0\n');
  t.match(await long, /^a 1$/m);
  t.equal(times, 1);
  const third = read();
  await clock.advance(1000);
  t.match(await third, /^a 2$/m);
});

test('too many scrapes at once are refused', async (t) => {
  const clock = new FakeClock();
  const { read } = newPage({ slow: async () => clock.sleep(1000).then(() => ({ families: [] })) }, { clock });
  const under = Array.from({ length: maxScrapes }, () => read());
  await t.rejects(read(), { code: 'SCRAPE_BUSY' });
  await clock.advance(1000);
  await Promise.all(under);
  const after = read();
  await clock.advance(1000);
  t.match(await after, '\noutrigger_adapter_scrapes_refused_total 1\n');
});

test('labels of source, place and configuration; whose own win, or step aside', async (t) => {
  const families = [family('a', 'gauge', [[['pod', 'own'], ['job', 'j']], 1])]; // prettier-ignore
  const prometheus = { url: 'http://x', http: {} as never, sourceLabel: 'source', honorLabels: false };
  const { read } = newPage({
    json: [
      answering(...families),
      { spec: { labels: { job: 'given' } }, place: { pod: 'p', node: 'n' }, common: { zone: 'z' } },
    ],
    prom: [answering(...families), { spec: { prometheus, labels: { job: 'given' } } }],
  });
  t.strictSame(collected(await read()), [
    'a{pod="own",job="j",zone="z",node="n"} 1',
    'a{pod="own",exported_job="j",job="given",source="prom"} 1',
  ]);
});

test('relabelling renames, drops and merges what becomes alike', async (t) => {
  const relabel: RelabelRule[] = [
    { action: 'drop', sourceLabels: ['__name__'], regex: 'go_.*', separator: ';', replacement: '$1' },
    {
      action: 'replace',
      sourceLabels: ['__name__'],
      regex: 'old_(.*)',
      targetLabel: '__name__',
      replacement: 'new_$1',
      separator: ';',
    },
    { action: 'labeldrop', regex: 'id', separator: ';', replacement: '$1' },
  ];
  const samples = ['1', '2'].map((id) => ({
    suffix: '_sum' as const,
    labels: [['id', id]] as const,
    value: Number(id),
  }));
  const { read } = newPage({
    one: [
      answering(
        family('go_x', 'gauge', [[], 1]),
        { ...family('old_lat', 'summary'), samples },
        family('keep', 'gauge', [[], 2]),
      ),
      { spec: { relabel } },
    ],
  });
  const page = await read();
  t.strictSame(collected(page), ['new_lat_sum 1', 'keep 2']);
  t.match(page, '# TYPE new_lat summary\n');
});

test('the whole page has a limit, told and pulled together', async (t) => {
  const { registry, read } = newPage(
    {
      one: answering(family('a', 'gauge', [[], 1], [[['k', '1']], 1])),
      two: answering(family('b', 'gauge', [[], 1], [[['k', '1']], 1])),
      three: answering(family('c', 'gauge', [[], 1])),
    },
    { maxSeries: 4 },
  );
  registry.open({ name: 't', type: 'gauge', help: 'T.', labels: [], source: 's', ttlMs: 0 });
  const page = await read();
  t.strictSame(collected(page), ['t 0', 'a 1', 'a{k="1"} 1', 'c 1']);
  t.match(await read(), '{source="two",reason="series-limit"} 4\n');
});

test('a counter and a gauge that share a name in OpenMetrics do not share a family', async (t) => {
  const { registry, read } = newPage({
    one: answering(
      family('jobs', 'gauge', [[], 1]),
      family('runs_total', 'counter', [[], 2]),
      family('runs', 'gauge', [[], 3]),
    ),
  });
  registry.open({ name: 'jobs_total', type: 'counter', help: 'J.', labels: [], source: 's', ttlMs: 0 });
  const page = await read(openMetrics);
  t.match(page, '# TYPE jobs_total unknown\n');
  t.match(page, '# TYPE runs_total unknown\n');
  t.notMatch(page, '_created');
  const names = [...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  t.equal(new Set(names).size, names.length);
  t.match(
    await read({}, 'name[]=jobs_total'),
    /^# HELP jobs_total J\.\n# TYPE jobs_total counter\njobs_total 0\n$/,
  );
});

test('in OpenMetrics no counter lays claim to the name of a gauge or an info', async (t) => {
  const { read } = newPage({
    one: answering(
      family('jobs_total', 'counter', [[], 1]),
      family('jobs_created', 'gauge', [[], 2]),
      family('build_info', 'info', [[['version', '1']], 1]),
      family('build_total', 'counter', [[], 3]),
      family('runs_total', 'counter', [[], 4]),
      family('lat', 'summary'),
      family('lat_count_total', 'counter', [[], 5]),
    ),
  });
  const page = await read(openMetrics);
  const types = [...page.matchAll(/^# TYPE (\S+ \S+)/gm)].map(([, head = '']) => head);
  t.strictSame(
    types.filter((head) => !head.startsWith('outrigger_')),
    [
      ...['jobs_total unknown', 'jobs_created gauge', 'build info', 'build_total unknown', 'runs counter'],
      ...['lat summary', 'lat_count_total unknown'],
    ],
  );
});

test('names that become alike where this scraper takes no others', async (t) => {
  const { read } = newPage({
    one: answering(
      family('a.b', 'gauge', [[], 1]),
      family('a_b', 'gauge', [[], 2]),
      family('c.d', 'gauge', [[], 3]),
    ),
    two: answering(family('c-d', 'gauge', [[], 4])),
  });
  t.strictSame(collected(await read()), ['a_b 2', 'c_d 3']);
  const utf8 = await read({ accept: 'text/plain;version=1.0.0;escaping=allow-utf-8' });
  t.strictSame(collected(utf8), ['{"a.b"} 1', 'a_b 2', '{"c.d"} 3', '{"c-d"} 4']);
  t.match(utf8, 'source_dropped_total{source="",reason="name-conflict"} 2\n');
});

test('promtool finds nothing wrong with a merged page', needs('promtool'), async (t) => {
  const { registry, read } = newPage({
    one: answering(family('one_ratio', 'gauge', [[], 1])),
    bad: () => Promise.reject(new SourceError('dns', 'no')),
  });
  registry.observe(
    registry.open({
      name: 'lat_seconds',
      type: 'summary',
      help: 'L.',
      labels: [['k', 'é"\n']],
      source: 's',
      ttlMs: 0,
    }),
    1,
    1,
  );
  const check = spawnSync(toolPath('promtool'), ['check', 'metrics'], {
    input: await read(),
    encoding: 'utf8',
  });
  t.equal(check.stdout + check.stderr, '');
  t.equal(check.status, 0);
});

test('nobody else can say or hide what the adapter says of itself', async (t) => {
  const { registry, read } = newPage({
    liar: answering(
      family('outrigger_adapter_source_up', 'counter', [[['source', 'liar']], 7]),
      family('outrigger_adapter_scrapes_total', 'gauge', [[], 999]),
      family('outrigger_adapter_source_dropped', 'histogram', [[], 999]),
      family('outrigger.adapter.series', 'gauge', [[], 999]),
      family('honest', 'gauge', [[], 1]),
    ),
  });
  const told = { type: 'counter', help: 'T.', labels: [], source: 'statsd', ttlMs: 0 } as const;
  t.ok(registry.open({ ...told, name: 'outrigger_adapter_series' }) < 0);
  await read();
  const page = await read();
  t.notMatch(page, '999');
  t.match(page, '\n# TYPE outrigger_adapter_source_up gauge\n');
  t.match(page, '\noutrigger_adapter_source_up{source="liar",endpoint=""} 1\n');
  t.match(page, '\noutrigger_adapter_scrapes_total 2\n');
  t.match(page, '\noutrigger_adapter_series 0\n');
  t.match(page, '{source="liar",reason="name-conflict"} 6\n');
  t.match(page, '\noutrigger_adapter_series_refused_total{source="statsd",reason="name-conflict"} 1\n');
  t.match(page, /^honest 1$/m);
});

test('what went wrong with an answer that scrapes share is counted once', async (t) => {
  const clock = new FakeClock();
  const { read } = newPage(
    {
      half: async () => clock.sleep(10).then(() => ({ families: [], dropped: { 'bad-line': 3 } })),
      none: async () => clock.sleep(10).then(() => Promise.reject(new SourceError('refused', 'no'))),
    },
    { clock },
  );
  const together = [read(), read(), read()];
  await clock.advance(10);
  const pages = await Promise.all(together);
  t.match(pages[2], '\noutrigger_adapter_source_dropped_total{source="half",reason="bad-line"} 3\n');
  t.match(pages[2], '\noutrigger_adapter_source_errors_total{source="none",class="refused"} 1\n');
});

test('rules see the beginning of a counter under its own name, and it stays with the counter', async (t) => {
  const counter = {
    ...family('b_total', 'counter', [[], 3]),
    samples: [
      { suffix: '' as const, labels: [], value: 3 },
      { suffix: '_created' as const, labels: [], value: 17 },
    ],
  };
  const rule = (more: Partial<RelabelRule>) =>
    ({ action: 'replace', separator: ';', regex: '(.*)', replacement: '$1', ...more }) as RelabelRule;
  const sourceLabels = ['__name__'];
  const drop = [rule({ action: 'drop', sourceLabels, regex: 'b_created' })];
  const rename = [rule({ sourceLabels, regex: 'b_(.*)', targetLabel: '__name__', replacement: 'c_$1' })];
  const shown = async (relabel: RelabelRule[]) => {
    const { read } = newPage({ one: [answering(counter), { spec: { relabel } }] });
    return (await read(openMetrics)).split('\n').filter((line) => /^(# TYPE )?[bc](_| )/.test(line));
  };
  t.strictSame(await shown(drop), ['# TYPE b counter', 'b_total 3']);
  t.strictSame(await shown(rename), ['# TYPE c counter', 'c_total 3', 'c_created 17']);
});

test('a source that throws at once, or whose rules do, fails alone, and again and again', async (t) => {
  const clock = new FakeClock();
  const broken = (): never => {
    throw new TypeError('a mistake');
  };
  const refuse = () =>
    Promise.reject(new SourceError('refused', 'no', { families: [family('x_up', 'gauge', [[], 0])] }));
  const options = { name: 'one', endpoint: '', timeoutMs: 100, maxSeries: 10 };
  const shapes = {
    good: { changes: false, apply: (given: readonly MetricFamily[]) => Promise.resolve(given) },
  };
  const sources = [
    new AskedSource({ ...options, source: { collect: broken, close: broken }, shape: shapes.good }, clock),
    new AskedSource(
      { ...options, source: { collect: refuse, close: broken }, shape: { changes: true, apply: broken } },
      clock,
    ),
  ];
  for (const source of [...sources, ...sources])
    t.match(await source.ask(50), { up: false, failure: 'internal', message: /a mistake/, families: [] });
});
