import { BlockPool, PageWriter, textFormat } from '@outrigger/core/exposition';
import { test } from 'tap';
import { writeStored } from '../../src/series/render.ts';
import { newRegistry, spec } from './harness.ts';

test('what changes while a page is written tears no series and loses none', async (t) => {
  const { registry, clock } = newRegistry({ maxSeries: 20_000 });
  const open = (i: number, ttlMs = 0) =>
    registry.open(spec('h', [['i', String(i)]], { type: 'histogram', bounds: [1, 2], ttlMs }));
  const slots = Array.from({ length: 3000 }, (_, i) => open(i, i % 2 === 0 ? 1000 : 0));
  for (const slot of slots) registry.observe(slot, 1.5, 1);
  const release = registry.hold();
  let turns = 0;
  const meanwhile = async (): Promise<void> => {
    turns += 1;
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
