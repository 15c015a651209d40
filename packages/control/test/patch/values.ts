/** Random JSON values from a seed, for property tests. */

import { seededRandom } from '@outrigger/core/clock';
import type { Random } from '@outrigger/core/clock';

/** The fixed seed of property tests; tests print it with what failed. */
const seed = 20_260_101;

export function randomSource(): { random: Random; seed: number } {
  return { random: seededRandom(seed), seed };
}

export function below(random: Random, n: number): number {
  return Math.floor(random.next() * n);
}

export function pick<T>(random: Random, values: readonly T[]): T {
  const value = values[below(random, values.length)];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}

const names = ['a', 'b', 'c', 'a/b', 'm~n', '', '0', 'x y', 'toString'];
const scalars = [0, 1, -1.5, '', 'text', true, false, 'ü'];

/** Without null, which a merge patch cannot express; pass `nulls` to have them. */
export function randomValue(random: Random, options: { depth?: number; nulls?: boolean } = {}): unknown {
  const { depth = 3, nulls = false } = options;
  const kind = depth === 0 ? 2 : below(random, 3);
  const inner = { depth: depth - 1, nulls };
  if (kind === 0) {
    const object: Record<string, unknown> = {};
    for (let i = below(random, 4); i > 0; i -= 1) object[pick(random, names)] = randomValue(random, inner);
    return object;
  }
  if (kind === 1) return Array.from({ length: below(random, 4) }, () => randomValue(random, inner));
  return nulls && below(random, 4) === 0 ? null : pick(random, scalars);
}
