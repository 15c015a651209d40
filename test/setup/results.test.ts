/** The closing line counts what the tests reported: no more and no less. */

import { test } from 'tap';
import { countingParser } from '../../scripts/test/results.mjs';

function counted(...lines: readonly string[]): Record<string, unknown> {
  const { parser, results } = countingParser();
  parser.end(`TAP version 14\n${lines.join('\n')}\n`);
  return results;
}

test('assertions are counted, the closing lines of subtests are not', (t) => {
  const results = counted(
    '# Subtest: a.test.ts',
    '    # Subtest: one',
    '        ok 1 - first',
    '        not ok 2 - second',
    '        1..2',
    '    not ok 1 - one # time=1ms',
    '    ok 2 - two # SKIP no redis-server',
    '    1..2',
    'not ok 1 - a.test.ts # time=12.5ms',
    '1..1',
  );
  t.match(results, { passed: 1, failed: 1, skipped: 1, skipReasons: { 'no redis-server': 1 } });
  t.same(results['files'], [{ file: 'a.test.ts', ms: 12.5, ok: false }]);
  t.end();
});

test('a file without a single assertion counts by its own line', (t) => {
  t.match(counted('# Subtest: a', '    1..0 # SKIP no root', 'ok 1 - a # SKIP no root', '1..1'), {
    passed: 0,
    skipped: 1,
  });
  t.match(counted('not ok 1 - crashed', '1..1'), { passed: 0, failed: 1, skipped: 0 });
  t.end();
});

test("a file that ran into its limit fails, and tap's own words are not taken for a file", (t) => {
  const results = counted(
    '# Subtest: a.test.ts',
    '    ok 1 - first',
    '    not ok 2 - timeout!',
    '    1..2',
    'not ok 1 - a.test.ts # time=120000ms',
    'not ok 2 - timeout!',
    '1..2',
  );
  t.match(results, { passed: 1, failed: 2 });
  t.equal((results['files'] as unknown[]).length, 1);
  t.end();
});
