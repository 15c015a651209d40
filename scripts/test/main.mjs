/**
 * Runs the tests: all of them, or those under the paths given (`npm test -- packages/core`); options go to tap.
 *
 * Ends with one plain line, `N passed, N failed, N skipped`, counted from what the tests reported. Exits 1 when a test
 * failed, when none ran, or (all tests only) when coverage fell below a floor.
 */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { handOver } from '../hand-over.mjs';
import { cacheDir, root } from '../setup/paths.mjs';
import { testFiles } from '../setup/test-files.mjs';
import { coverageReport } from './coverage.mjs';
import { byRing, ringTable } from './rings.mjs';

const TAP = join(root, 'node_modules/tap/dist/esm/run.mjs');
/** A file that takes longer says so itself with `t.setTimeout`. */
const FILE_LIMIT_S = 120;
const JOBS = 2;
/** Of a tap that never came to report. */
const NO_RESULTS = { passed: 0, failed: 0, skipped: 0, files: [], skipReasons: {} };

const options = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const paths = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
process.exitCode = await main();

async function main() {
  const files = byRing(
    testFiles().filter((file) => paths.length === 0 || paths.some((path) => isUnder(file, path))),
  );
  if (files.length === 0) {
    console.error(`No test file is under ${paths.join(', ')}.`);
    return 1;
  }
  const everything = paths.length === 0 && options.length === 0;
  const output = join(cacheDir(), 'test', `results-${process.pid}.json`);
  mkdirSync(join(cacheDir(), 'test'), { recursive: true });
  const code = await handOver(process.execPath, [TAP, ...tapArguments(everything), ...options, ...files], {
    env: { ...process.env, OUTRIGGER_TEST_RESULTS: output },
  });
  const results = existsSync(output) ? JSON.parse(readFileSync(output, 'utf8')) : NO_RESULTS;
  rmSync(output, { force: true });
  return report(results, code, everything) ? 0 : 1;
}

function isUnder(file, path) {
  const wanted = path.replace(/^\.\//, '').replace(/\/+$/, '');
  return file === wanted || file.startsWith(`${wanted}/`);
}

/** Coverage is that of all tests or of none: a part of them says nothing about the floors. */
function tapArguments(everything) {
  return [
    `--jobs=${JOBS}`,
    `--timeout=${FILE_LIMIT_S}`,
    `--reporter=${join(root, 'scripts/test/reporter.mjs')}`,
    '--coverage-report=json-summary',
    ...(everything
      ? ['--lines=0', '--statements=0', '--branches=0', '--functions=0']
      : ['--disable-coverage']),
  ];
}

function report(results, code, everything) {
  console.log(`\n${ringTable(results.files)}`);
  for (const [reason, count] of Object.entries(results.skipReasons))
    console.log(`skipped ${count}: ${reason}`);
  const coverage = everything ? coverageReport() : { text: '', ok: true };
  if (coverage.text !== '') console.log(`\n${coverage.text}`);
  // A file that crashed or timed out fails the run even when each of its assertions passed.
  const failed = code === 0 ? results.failed : Math.max(results.failed, 1);
  const line = `${results.passed} passed, ${failed} failed, ${results.skipped} skipped`;
  writeFileSync(join(cacheDir(), 'test', 'closing-line'), `${line}\n`);
  const ran = results.passed + results.failed > 0;
  if (!ran) console.log('\nNo test was executed, which is a failure.');
  console.log(`\n${line}`);
  return ran && failed === 0 && coverage.ok;
}
