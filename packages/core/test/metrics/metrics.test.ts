import { Metrics } from '@outrigger/core/metrics';
import { seededRandom } from '@outrigger/core/clock';
import { spawnSync } from 'node:child_process';
import { test } from 'tap';
import { needs, toolPath } from '../../../../test/harness/index.ts';

test('counters, gauges and collected families appear on the page', async (t) => {
  const metrics = new Metrics({ processMetrics: false });
  const requests = metrics.counter({ name: 'requests_total', help: 'Requests.', labels: ['result'] });
  const ok = requests.at('ok');
  metrics.cells.values[ok]! += 3;
  requests.add(1, 'a"b\n');
  metrics.gauge({ name: 'depth', help: 'Depth.' }).set(7);
  metrics.collected('gauge', { name: 'age_seconds', help: 'Age.', labels: ['of'] }, () => [
    { labels: ['x'], value: 1.5 },
  ]);
  const page = await metrics.page();
  t.match(
    page,
    /# TYPE requests_total counter\nrequests_total\{result="ok"\} 3\nrequests_total\{result="a\\"b\\n"\} 1\n/,
  );
  t.match(page, /\ndepth 7\n/);
  t.match(page, /\nage_seconds\{of="x"\} 1\.5\n/);
  t.match(page, /outrigger_metrics_cells_used \d+/);
});

test('a family declared after a scrape is on the next page', async (t) => {
  const metrics = new Metrics({ processMetrics: false });
  await metrics.page();
  metrics.counter({ name: 'late_total', help: 'Late.' }).add(2);
  t.match(await metrics.page(), /\nlate_total 2\n/);
});

test('label sets beyond the limit share one series and are counted', async (t) => {
  const metrics = new Metrics({ processMetrics: false });
  const family = metrics.counter({ name: 'hits_total', help: 'Hits.', labels: ['path'], maxSeries: 2 });
  for (const path of ['a', 'b', 'c', 'd']) family.add(1, path);
  const page = await metrics.page();
  t.match(page, /hits_total\{path="\(other\)"\} 2\n/);
  t.match(page, /outrigger_metrics_overflow_total\{family="hits_total"\} 2\n/);
  family.remove('a');
  family.add(5, 'e');
  t.match(
    await metrics.page(),
    /hits_total\{path="e"\} 5\n/,
    'a removed set makes room, its cell starts from zero',
  );
});

test('wrong label count and double declaration are mistakes told at once', async (t) => {
  const metrics = new Metrics({ processMetrics: false });
  const family = metrics.counter({ name: 'x_total', help: 'X.', labels: ['a'] });
  t.throws(() => family.at(), /x_total has labels \(a\)/);
  t.throws(() => metrics.gauge({ name: 'x_total', help: 'X.' }), /declared twice/);
});

test('a log-linear histogram puts every value under its bound', async (t) => {
  const metrics = new Metrics({ processMetrics: false });
  const histogram = metrics.histogram({ name: 'h_seconds', help: 'H.', smallest: 0.001, largest: 8 });
  const random = seededRandom(7);
  const { bounds } = histogram.shape;
  const series = histogram.at();
  const exact = bounds.flatMap((bound) => [bound, bound * 1.000_001, bound * 0.999_999]);
  const values = [...exact, ...Array.from({ length: 2000 }, () => random.next() ** 6 * 20), 0, 1e9];
  for (const value of values) histogram.record(series, value);
  const read = histogram.read(series);
  t.equal(read.count, values.length);
  for (const [bound, below] of read.buckets) {
    const want = values.filter((value) => value <= bound * (1 + 1e-9)).length;
    t.equal(below, want, `le=${bound}`);
  }
  t.match(await metrics.page(), /h_seconds_bucket\{le="0\.001"\} \d+\nh_seconds_bucket\{le="0\.002"\}/);
});

test('quantiles are right within one step, and a peer’s bounds are kept exactly', (t) => {
  const metrics = new Metrics({ processMetrics: false });
  const fine = metrics.histogram({ name: 'fine_seconds', help: 'F.', smallest: 0.001, largest: 10 });
  const series = fine.at();
  t.equal(fine.quantile(series, 0.5), 0);
  for (let i = 1; i <= 1000; i++) fine.record(series, i / 1000);
  const median = fine.quantile(series, 0.5);
  t.ok(median >= 0.5 && median <= 0.5 * 1.25, `median ${median}`);
  const peer = metrics.histogram({ name: 'peer_seconds', help: 'P.', bounds: [0.25, 0.5, 1] });
  for (const value of [0.1, 0.25, 0.3, 1, 2]) peer.observe(value);
  t.same(peer.read(peer.at()).buckets, [
    [0.25, 2],
    [0.5, 3],
    [1, 4],
    [Number.POSITIVE_INFINITY, 5],
  ]);
  t.end();
});

test('many observations of one value count as so many single ones', (t) => {
  const metrics = new Metrics({ processMetrics: false });
  const batch = metrics.histogram({ name: 'batch_seconds', help: 'B.', smallest: 0.001, largest: 1 });
  const single = metrics.histogram({ name: 'single_seconds', help: 'S.', smallest: 0.001, largest: 1 });
  batch.recordMany(batch.at(), 0.25, 16);
  for (let i = 0; i < 16; i++) single.record(single.at(), 0.25);
  t.same(batch.read(batch.at()), single.read(single.at()));
  t.equal(batch.read(batch.at()).sum, 4);
  t.end();
});

test('the process is on the page from its first moment, before it has measured anything', async (t) => {
  const page = await new Metrics().page();
  t.match(page, /\nnodejs_eventloop_utilization_ratio_count \d+\n/);
  t.match(page, /\nprocess_resident_memory_bytes \d+/);
});

test('promtool finds nothing wrong with what a process says of itself', needs('promtool'), async (t) => {
  const metrics = new Metrics();
  await metrics.page();
  const page = await metrics.page();
  t.match(page, /\nprocess_cpu_user_seconds_total \d/);
  t.match(page, /\nnodejs_active_handles\{type=/);
  t.match(page, /\nnodejs_eventloop_utilization_ratio_bucket\{le="\+Inf"\}/);
  const check = spawnSync(toolPath('promtool'), ['check', 'metrics'], { input: page, encoding: 'utf8' });
  t.equal(check.stdout + check.stderr, '');
  t.equal(check.status, 0);
});
