/** The test files there are, and which of them name a tool: what is "skipped for lack of it" is read from the tests. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './paths.mjs';

const NOT_TESTS = ['fixtures', 'node_modules', 'dist'];
/** Harness functions that need a tool without the test naming it. */
const STANDS_FOR = { 'redis-server': ['startRedis('] };

/** Every `*.test.ts` of the repository, relative to the root, sorted. */
export function testFiles() {
  const packages = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name, 'test'));
  return [...packages, join(root, 'test')]
    .flatMap(walk)
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => relative(root, path))
    .sort();
}

export function testsUsing(names) {
  const needles = names.flatMap((name) => [`'${name}'`, ...(STANDS_FOR[name] ?? [])]);
  return testFiles().filter((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    return needles.some((needle) => text.includes(needle));
  });
}

function walk(folder) {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  return entries
    .filter((entry) => !NOT_TESTS.includes(entry.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? walk(path) : [path];
    });
}
