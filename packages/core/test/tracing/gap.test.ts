import { seededRandom } from '../../src/clock/index.ts';
import { test } from 'tap';
import { Gap } from '../../src/tracing/gap.ts';

function taken(share: number, calls: number): number {
  const gap = new Gap(share, seededRandom(7));
  let count = 0;
  for (let i = 0; i < calls; i++) if (gap.over()) count++;
  return count;
}

test('the share that is asked for is taken', (t) => {
  t.equal(taken(0, 1_000), 0);
  t.equal(taken(1, 1_000), 1_000);
  for (const share of [0.5, 0.1, 0.01]) {
    const calls = 200_000;
    const deviation = Math.sqrt(calls * share * (1 - share));
    const off = Math.abs(taken(share, calls) - calls * share);
    t.ok(off < 4 * deviation, `${share}: off by ${off}`);
  }
  t.end();
});

test('which ones are taken is random, not every n-th', (t) => {
  const gap = new Gap(0.1, seededRandom(7));
  const distances = new Set<number>();
  let distance = 0;
  for (let i = 0; i < 10_000; i++) {
    distance++;
    if (!gap.over()) continue;
    distances.add(distance);
    distance = 0;
  }
  t.ok(distances.size > 20, `${distances.size} different distances`);
  t.ok(distances.has(1), 'neighbours too');
  t.end();
});
