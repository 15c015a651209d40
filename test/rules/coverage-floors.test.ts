/** The floors of line coverage: core and the pure modules, never under 95. */

import { test } from 'tap';
import { exists, readJson } from './tree.ts';

const LOWEST = 95;
const MUST_HAVE = ['packages/core/src', 'packages/proxy/src/plan', 'packages/proxy/src/balance'];

test('floors are not lowered, and every part is there', (t) => {
  const floors = readJson('test/coverage-floors.json') as Record<string, number>;
  for (const part of MUST_HAVE) t.ok(floors[part] !== undefined, `${part} has a floor`);
  for (const [part, floor] of Object.entries(floors)) {
    t.ok(floor >= LOWEST, `${part}: ${floor} is at least ${LOWEST}`);
    t.ok(exists(part), `${part} exists; name the part that took its place`);
  }
  t.end();
});
