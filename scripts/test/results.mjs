/** Counts what the tests report, from the raw TAP of the whole run. */

import { Parser } from 'tap-parser';

/**
 * A parser to write TAP into, and what it has counted so far: `passed`, `failed`, `skipped` count assertions (the
 * closing line of a subtest is not one), `files` are the test files with their duration, `skipReasons` how often each
 * reason was given. `onFile(file)` and `onFailure(assertion, path)` are called as they come.
 */
export function countingParser({ onFile = () => {}, onFailure = () => {} } = {}) {
  const results = { passed: 0, failed: 0, skipped: 0, files: [], skipReasons: {} };
  const parser = new Parser();
  count(parser, [], (assert, path) => {
    tally(assert, results);
    if (!assert.ok && assert.skip === false && assert.todo === false) onFailure(assert, path);
  });
  parser.on('assert', (assert) => {
    // Beside the files there are tap's own words at this level, as `timeout!`.
    if (!assert.name.endsWith('.test.ts')) return;
    const file = { file: assert.name, ms: assert.time ?? 0, ok: assert.ok };
    results.files.push(file);
    onFile(file);
  });
  return { parser, results };
}

function count(parser, path, onAssertion) {
  let childAssertions = 0;
  parser.on('child', (child) => {
    childAssertions = 0;
    child.on('assert', () => childAssertions++);
    count(child, [...path, child.name], onAssertion);
  });
  parser.on('assert', (assert) => {
    // The closing line repeats what its subtest said, unless the subtest said nothing.
    if (!assert.closingTestPoint || childAssertions === 0) onAssertion(assert, path);
  });
}

function tally(assert, results) {
  if (assert.skip !== false || assert.todo !== false) {
    const reason = String(assert.skip || assert.todo);
    results.skipped++;
    results.skipReasons[reason] = (results.skipReasons[reason] ?? 0) + 1;
  } else if (assert.ok) results.passed++;
  else results.failed++;
}
