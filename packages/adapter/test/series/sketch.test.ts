import { seededRandom } from '@outrigger/core/clock';
import { test } from 'tap';
import { SlidingSketch } from '../../src/series/sketch.ts';
import { newRegistry, spec } from './harness.ts';

const wanted = [0.01, 0.5, 0.9, 0.99, 1];

test('quantiles are right within 1 % of their value, whatever the sign and size', (t) => {
  const random = seededRandom(11);
  const draws: Record<string, () => number> = {
    even: () => random.next() * 100,
    'long tail': () => Math.exp(random.next() * 9),
    'both signs': () => (random.next() - 0.5) * 1e6,
    tiny: () => 1e-6 * (1 + random.next()),
  };
  for (const [name, draw] of Object.entries(draws)) {
    const sketch = new SlidingSketch(60_000, 5, 0);
    const values = Array.from({ length: 20_000 }, draw);
    for (const value of values) sketch.add(value, 1, 0);
    const sorted = values.toSorted((a, b) => a - b);
    sketch.quantiles(wanted, 0).forEach((value, i) => {
      const exact = sorted[Math.ceil((wanted[i] ?? 0) * sorted.length) - 1] ?? 0;
      t.ok(
        Math.abs(value - exact) <= Math.abs(exact) * 0.0101,
        `${name} ${wanted[i]}: ${value} for ${exact}`,
      );
    });
  }
  t.end();
});

test('weights count as so many observations; zeros and nothing', (t) => {
  const sketch = new SlidingSketch(60_000, 5, 0);
  t.strictSame(sketch.quantiles([0.5], 0), [Number.NaN]);
  sketch.add(0, 3, 0);
  sketch.add(100, 1.5, 0);
  const [half = 0, high = 0] = sketch.quantiles([0.5, 0.9], 0);
  t.equal(half, 0);
  t.ok(Math.abs(high - 100) <= 1);
  t.end();
});

test('what is older than the window does not count, and memory is bounded', (t) => {
  const sketch = new SlidingSketch(10_000, 5, 100);
  sketch.add(1, 1000, 100);
  sketch.add(50, 1, 106);
  t.ok((sketch.quantiles([0.5], 107)[0] ?? 0) < 1.1);
  t.ok((sketch.quantiles([0.5], 111)[0] ?? 0) > 49, 'only the young one');
  t.strictSame(sketch.quantiles([0.5], 200), [Number.NaN]);
  for (let exponent = -8; exponent < 300; exponent++) sketch.add(10 ** exponent, 1, 200);
  const [high = 0] = sketch.quantiles([1], 200);
  t.ok(Math.abs(high / 1e299 - 1) < 0.011, 'the highest stay exact when bins run out');
  t.end();
});

test('summaries on the page, and in OpenMetrics with canonical quantiles', async (t) => {
  const { registry, page, clock } = newRegistry();
  const summary = { quantiles: [{ quantile: 1, error: 0 }, { quantile: 0.5, error: 0.01 }], maxAgeMs: 60_000, ageBuckets: 3 }; // prettier-ignore
  const slot = registry.open(spec('s', [['k', 'v']], { type: 'summary', summary }));
  registry.observe(slot, 0, 2);
  t.equal(
    (await page()).split('\n').slice(1).join('\n'),
    '# TYPE s summary\ns{k="v",quantile="0.5"} 0\ns{k="v",quantile="1"} 0\ns_sum{k="v"} 0\ns_count{k="v"} 2\n',
  );
  await clock.advance(120_000);
  registry.sweep();
  t.match(
    await page('application/openmetrics-text'),
    '\ns{k="v",quantile="1.0"} NaN\ns_sum{k="v"} 0\ns_count{k="v"} 2\ns_created',
  );
});
