/** The indexes against looking at everything. */

import type { Random } from '@outrigger/core/clock';
import { seededRandom } from '@outrigger/core/clock';
import { test } from 'tap';
import { LabelIndex, matches, SelectorIndex } from '../../src/controllers/label-index.ts';
import type { Labels } from '../../src/controllers/label-index.ts';

const seed = 11;

function randomLabels(random: Random, most: number): Labels {
  const labels: Record<string, string> = {};
  for (let i = Math.floor(random.next() * (most + 1)); i > 0; i -= 1) {
    labels[`k${Math.floor(random.next() * 3)}`] = `v${Math.floor(random.next() * 3)}`;
  }
  return labels;
}

test('finding objects by selector', async (t) => {
  const random = seededRandom(seed);
  const index = new LabelIndex();
  const objects = new Map<string, Labels>();
  for (let step = 0; step < 1_000; step += 1) {
    const key = `o${Math.floor(random.next() * 30)}`;
    const before = objects.get(key);
    if (before !== undefined) index.remove('ns', before, key);
    objects.delete(key);
    if (random.next() < 0.7) {
      const labels = randomLabels(random, 3);
      objects.set(key, labels);
      index.add('ns', labels, key);
    }
    const selector = randomLabels(random, 2);
    const want =
      Object.keys(selector).length === 0
        ? []
        : [...objects].filter(([, labels]) => matches(selector, labels));
    t.strictSame(
      index.matching('ns', selector).sort(),
      want.map(([name]) => name).sort(),
      `seed ${seed} step ${step}`,
    );
    t.strictSame(index.matching('elsewhere', selector), []);
  }
});

test('finding selectors by labels', async (t) => {
  const random = seededRandom(seed);
  const index = new SelectorIndex();
  const selectors = new Map<string, Labels>();
  for (let step = 0; step < 1_000; step += 1) {
    const key = `s${Math.floor(random.next() * 20)}`;
    const before = selectors.get(key);
    if (before !== undefined) index.remove('ns', before, key);
    selectors.delete(key);
    if (random.next() < 0.7) {
      const selector = randomLabels(random, 2);
      selectors.set(key, selector);
      index.add('ns', selector, key);
    }
    const labels = randomLabels(random, 3);
    const want = [...selectors].filter(
      ([, selector]) => Object.keys(selector).length > 0 && matches(selector, labels),
    );
    t.strictSame(
      index.selecting('ns', labels).sort(),
      want.map(([name]) => name).sort(),
      `seed ${seed} step ${step}`,
    );
  }
});
