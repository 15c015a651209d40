import { BlockPool, negotiate, PageWriter, textFormat } from '@outrigger/core/exposition';
import { test } from 'tap';
import { writeStored } from '../../src/series/render.ts';
import { newRegistry, spec } from './harness.ts';

test('what changes while a page is written tears no series and loses none', async (t) => {
  const { registry, clock } = newRegistry({ maxSeries: 3000 });
  const open = (i: number, ttlMs = 0) =>
    registry.open(spec('h', [['i', String(i)]], { type: 'histogram', bounds: [1, 2], ttlMs }));
  const slots = Array.from({ length: 3000 }, (_, i) => open(i, i % 2 === 0 ? 1000 : 0));
  for (const slot of slots) registry.observe(slot, 1.5, 1);
  const release = registry.hold();
  let turns = 0;
  const meanwhile = async (): Promise<void> => {
    turns += 1;
    registry.configure({ maxSeries: 20_000, labels: { turn: String(turns - 1) } });
    // New series, so many that columns and texts move; values; and time, in which half of them would be forgotten.
    for (let i = 0; i < 2000; i++) open(10_000 * turns + i);
    for (const slot of slots) registry.observe(slot, 5, 1);
    registry.configure({ maxSeries: 20_000, labels: { turn: String(turns) } });
    await clock.advance(5000);
    registry.sweep();
  };
  const out = new PageWriter(new BlockPool());
  const [family] = [...registry.families()];
  if (family !== undefined) await writeStored(registry, family, out, textFormat, meanwhile);
  const lines = Buffer.concat(out.finish()).toString('utf8').trimEnd().split('\n').slice(2);
  t.ok(turns >= 5);
  t.equal(lines.length, 3000 * 5, 'those that came later belong to the next page');
  const broken: string[] = [];
  for (let i = 0; i < lines.length; i += 5) {
    const [one, two, rest, sum, count] = lines.slice(i, i + 5).map((line) => line.split('} '));
    const total = Number(count?.[1]);
    const isWhole =
      one?.[1] === '0' &&
      two?.[1] === '1' &&
      rest?.[1] === String(total) &&
      Number(sum?.[1]) === 1.5 + 5 * (total - 1);
    const slot = i / 5;
    if (!isWhole || !count?.[0]?.startsWith(`h_count{i="${slot}"`)) broken.push(lines[i] ?? '');
  }
  t.strictSame(broken, []);
  release();
  while (registry.sweep());
  t.equal(registry.size, 1500 + 2000 * turns);
});

test('every escaping and both formats agree on names; counts in OpenMetrics are whole', async (t) => {
  const { registry } = newRegistry({});
  registry.add(registry.open(spec('web_hits_total', [['http_code', '2"']], { type: 'counter' })), 1.5);
  const seconds = registry.open(spec('run_seconds', [], { type: 'histogram', bounds: [1] }));
  registry.observe(seconds, 0.5, 1 / 0.3);
  const page = async (accept: string): Promise<string> => {
    const out = new PageWriter(new BlockPool());
    for (const family of registry.families())
      await writeStored(registry, family, out, negotiate(accept), () => undefined);
    return Buffer.concat(out.finish()).toString('utf8').replace(/# HELP.*\n/g, ''); // prettier-ignore
  };
  t.equal(
    await page('text/plain;version=1.0.0;escaping=dots'),
    [
      '# TYPE web__hits__total counter\nweb__hits__total{http__code="2\\""} 1.5\n# TYPE run__seconds histogram\n',
      'run__seconds_bucket{le="1"} 3.3333333333333335\nrun__seconds_bucket{le="+Inf"} 3.3333333333333335\n',
      'run__seconds_sum 1.6666666666666667\nrun__seconds_count 3.3333333333333335\n',
    ].join(''),
  );
  const openMetrics = await page('application/openmetrics-text;version=1.0.0');
  t.match(openMetrics, 'run_seconds_bucket{le="1.0"} 3\nrun_seconds_bucket{le="+Inf"} 3\n');
  t.match(openMetrics, '\nrun_seconds_count 3\n');
});
