import { test } from 'tap';
import { refusals } from '../../src/series/series.ts';
import type { SeriesStore } from '../../src/series/series.ts';
import { newRegistry, spec } from './harness.ts';

const reasonOf = (slot: number) => (slot < 0 ? refusals[-1 - slot] : undefined);
const openMetrics = 'application/openmetrics-text; version=1.0.0';

test('one series, however its labels are ordered; common labels give way to its own', async (t) => {
  const { registry, page } = newRegistry({ labels: { pod: 'p', zone: 'z' } });
  const slot = registry.open(spec('a_total', [['b', 'x"y\\\n'], ['pod', 'mine']])); // prettier-ignore
  t.equal(registry.open(spec('a_total', [['pod', 'mine'], ['b', 'x"y\\\n']])), slot); // prettier-ignore
  registry.add(slot, 2);
  registry.add(slot, 3);
  t.equal(
    await page(),
    '# HELP a_total a_total.\n# TYPE a_total counter\na_total{b="x\\"y\\\\\\n",pod="mine",zone="z"} 5\n',
  );
  t.equal(registry.size, 1);
});

test('texts that differ only where labels meet are different series', (t) => {
  const { registry } = newRegistry();
  const slots = [
    registry.open(spec('a', [['a', 'x,b:y'], ['b', 'z']])), // prettier-ignore
    registry.open(spec('a', [['a', 'x'], ['b', 'y,b:z']])), // prettier-ignore
    registry.open(spec('a', [['a', 'x",b="y']])), // prettier-ignore
    registry.open(spec('a', [['a', 'x'], ['b', 'y']])), // prettier-ignore
  ];
  t.equal(new Set(slots).size, 4);
  t.end();
});

test('histograms are cumulative and weighted, with canonical bounds in OpenMetrics', async (t) => {
  const { registry, page } = newRegistry();
  const slot = registry.open(spec('t', [['k', 'v']], { type: 'histogram', bounds: [0.1, 1, 1e6] }));
  registry.observe(slot, 0.05, 1);
  registry.observe(slot, 0.1, 4);
  registry.observe(slot, 1e7, 1.5);
  t.equal(
    (await page()).split('\n').slice(2).join('\n'),
    't_bucket{k="v",le="0.1"} 5\nt_bucket{k="v",le="1"} 5\nt_bucket{k="v",le="1e+06"} 5\n' +
      't_bucket{k="v",le="+Inf"} 6.5\nt_sum{k="v"} 15000000.45\nt_count{k="v"} 6.5\n',
  );
  t.equal(
    await page(openMetrics),
    '# TYPE t histogram\n# HELP t t.\n' +
      't_bucket{k="v",le="0.1"} 5\nt_bucket{k="v",le="1.0"} 5\nt_bucket{k="v",le="1e+06"} 5\n' +
      't_bucket{k="v",le="+Inf"} 7\nt_sum{k="v"} 15000000.45\nt_count{k="v"} 7\n' +
      't_created{k="v"} 1767225600\n# EOF\n',
  );
});

test('a histogram without labels has only le', async (t) => {
  const { registry, page } = newRegistry();
  registry.observe(registry.open(spec('t', [], { type: 'histogram', bounds: [1] })), 2, 1);
  t.match(await page(), '\nt_bucket{le="1"} 0\nt_bucket{le="+Inf"} 1\nt_sum 2\nt_count 1\n');
});

test('counters in OpenMetrics: the family without _total, and when they began', async (t) => {
  const { registry, page, clock } = newRegistry();
  await clock.advance(1500);
  registry.add(registry.open(spec('a_total', [['k', 'v']])), 1); // prettier-ignore
  registry.add(registry.open(spec('b')), 1);
  t.equal(
    await page(openMetrics),
    '# TYPE a counter\n# HELP a a_total.\na_total{k="v"} 1\na_created{k="v"} 1767225601.5\n' +
      '# TYPE b unknown\n# HELP b b.\nb 1\n# EOF\n',
  );
});

test('a name has one type, and nobody may write what a histogram or summary writes', (t) => {
  const { registry } = newRegistry();
  const open = (name: string, type: 'counter' | 'gauge' | 'histogram' | 'summary') =>
    agreed(registry, name, type);
  t.equal(open('a', 'counter'), undefined);
  t.equal(open('a', 'gauge'), 'type-conflict');
  t.equal(open('lat', 'histogram'), undefined);
  t.equal(open('lat_count', 'counter'), 'name-conflict');
  t.equal(open('lat_bucket', 'counter'), 'name-conflict');
  t.equal(open('sum', 'summary'), undefined);
  t.equal(open('sum_bucket', 'counter'), undefined, 'a summary has no buckets');
  t.equal(open('sum_sum', 'gauge'), 'name-conflict');
  t.equal(open('other_sum', 'counter'), undefined);
  t.equal(open('other', 'histogram'), 'name-conflict');
  t.strictSame(
    [...registry.refused()],
    [
      { source: 'test', reason: 'type-conflict', count: 1 },
      { source: 'test', reason: 'name-conflict', count: 4 },
    ],
  );
  t.end();

  /** What `wouldRefuse` foresees is what `open` does. */
  function agreed(store: SeriesStore, name: string, type: 'counter' | 'gauge' | 'histogram' | 'summary') {
    const foreseen = store.wouldRefuse(spec(name, [], { type }));
    const reason = reasonOf(store.open(spec(name, [], { type })));
    t.equal(foreseen, reason);
    return reason;
  }
});

test('limits of the whole and of a source; what is kept goes on', (t) => {
  const { registry } = newRegistry({ maxSeries: 3, maxSeriesOf: { greedy: 1 } });
  const open = (k: string, source: string) => registry.open(spec('a', [['k', k]], { source }));
  const first = open('1', 'greedy');
  t.equal(reasonOf(open('2', 'greedy')), 'source-limit');
  t.ok(open('3', 'other') >= 0);
  t.ok(open('4', 'other') >= 0);
  t.equal(reasonOf(open('5', 'other')), 'series-limit');
  t.equal(open('1', 'greedy'), first);
  t.equal(registry.seriesOf('other'), 2);
  t.equal(registry.size, 3);
  t.end();
});

test('names and labels too long for any page fill no memory', (t) => {
  const { registry } = newRegistry();
  t.equal(reasonOf(registry.open(spec('a', [['k', 'x'.repeat(20_000)]]))), 'series-limit');
  t.equal(reasonOf(registry.open(spec('a', [['k', 'é'.repeat(10_000)]]))), 'series-limit');
  t.equal(registry.size, 0);
  t.end();
});

test('a series is forgotten after its time to live, and its slot taken under a new generation', async (t) => {
  const { registry, clock, page } = newRegistry();
  const kept = registry.open(spec('kept'));
  const short = registry.open(spec('short', [], { ttlMs: 2000 }));
  const told = registry.open(spec('told', [], { type: 'histogram', bounds: [1], ttlMs: 2000 }));
  const before = registry.generation(short);
  for (let second = 0; second < 4; second++) {
    await clock.advance(1000);
    registry.sweep();
    registry.observe(told, 1, 1);
  }
  t.equal(registry.forgotten, 1);
  t.not(registry.generation(short), before);
  t.notMatch(await page(), 'short');
  t.match(await page(), '\ntold_count 4\n');
  t.equal(registry.open(spec('short', [], { type: 'gauge' })), short, 'under another type, too');
  t.equal(registry.generation(kept), 0);
});

test('nothing is forgotten while a page is written', async (t) => {
  const { registry, clock } = newRegistry();
  registry.open(spec('short', [], { ttlMs: 1000 }));
  const release = registry.hold();
  registry.forgetSource('test');
  await clock.advance(5000);
  registry.sweep();
  t.equal(registry.size, 1);
  release();
  registry.sweep();
  t.equal(registry.size, 0);
});

test('the series of a source that went are forgotten, others are not', (t) => {
  const { registry } = newRegistry();
  registry.open(spec('a', [], { source: 'gone' }));
  registry.open(spec('b', [], { source: 'here' }));
  registry.forgetSource('gone');
  registry.sweep();
  t.strictSame([...registry.families()].map(({ name }) => name), ['b']); // prettier-ignore
  t.end();
});

test('new labels reach the series already kept', async (t) => {
  const { registry, page } = newRegistry({ labels: { pod: 'old' } });
  const slot = registry.open(spec('a', [['k', 'v']]));
  registry.add(registry.open(spec('b')), 1);
  registry.add(registry.open(spec('c', [['pod', 'own']])), 1);
  registry.configure({ maxSeries: 100, labels: { pod: 'new', zone: 'z' } });
  registry.add(slot, 7);
  t.equal(registry.open(spec('a', [['k', 'v']])), slot);
  t.match(await page(), '\na{k="v",pod="new",zone="z"} 7\n');
  t.match(await page(), '\nb{pod="new",zone="z"} 1\n');
  t.match(await page(), '\nc{pod="own",zone="z"} 1\n');
});

test('thousands of series come and go, and the page says exactly those that are there', async (t) => {
  const { registry, clock, page } = newRegistry({ maxSeries: 5000 });
  const expected = new Map<string, number>();
  for (let round = 0; round < 20; round++) {
    expected.clear();
    for (let i = 0; i < 2000; i++) {
      const k = `${(round * 977 + i * 13) % 4001}${'x'.repeat(i % 37)}`;
      const slot = registry.open(spec('m', [['k', k]], { type: 'gauge', ttlMs: 1000 }));
      registry.set(slot, i - 1000.5);
      expected.set(`m{k="${k}"} ${i - 1000.5}`, 1);
    }
    await clock.advance(3000);
    const lines = (await page()).split('\n').slice(2, -1);
    const current = lines.filter((line) => expected.has(line));
    t.equal(current.length, expected.size);
    t.equal(new Set(lines).size, lines.length);
    t.equal(lines.length, registry.size);
    registry.sweep();
    t.equal(registry.size, 0);
  }
});

test('names without number of a hostile client change nothing, and many are forgotten in parts', (t) => {
  const { registry } = newRegistry({ maxSeries: 10_000 });
  for (let i = 0; i < 100_000; i++) registry.open(spec(`hostile_${i}`));
  t.equal(registry.size, 10_000);
  t.strictSame([...registry.refused()], [{ source: 'test', reason: 'series-limit', count: 90_000 }]);
  const { length } = registry.arena.bytes;
  t.ok(length < 1 << 20, `${length} bytes of names`);
  registry.forgetSource('test');
  const sizes: number[] = [];
  for (let more = true; more; sizes.push(registry.size)) more = registry.sweep();
  t.strictSame(sizes, [5904, 1808, 0]);
  t.strictSame([...registry.families()], []);
  let taken = 0;
  for (let i = 0; i < 10_000; i++) taken += registry.open(spec(`next_${i}`)) >= 0 ? 1 : 0;
  t.equal(taken, 10_000, 'there is room for others');
  t.end();
});
