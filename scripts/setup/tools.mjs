/**
 * The programs the tests use beside Node (test/harness/tools.json): present, installed, or told.
 *
 * They are installed only where asked for (CI, OUTRIGGER_INSTALL_TOOLS=1); everywhere else the machine is left as it is
 * and the user reads what to install and what is skipped without it. In CI a missing tool is a failure: a test that
 * skips there is a test nobody runs.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { aptProblem, installPackages } from './apt.mjs';
import { ensureUnpacked } from './debs.mjs';
import { SetUpError } from './error.mjs';
import { findInPath, root } from './paths.mjs';
import { say, step } from './say.mjs';
import { testsUsing } from './test-files.mjs';

function toolTable() {
  return JSON.parse(readFileSync(join(root, 'test/harness/tools.json'), 'utf8'));
}

export async function ensureTools() {
  const { system, unpacked } = toolTable();
  const [installed, fetched] = await Promise.allSettled([ensureSystem(system), ensureUnpacked(unpacked)]);
  const problems = [installed, fetched].flatMap((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
  if (problems.length === 0) return;
  if (inCi()) {
    throw new SetUpError(`tools that every CI run needs are missing:\n${problems.map(line).join('\n')}`);
  }
  say(`! Not everything the tests use is here; what needs it is skipped:\n${problems.map(line).join('\n')}`);
}

function line({ names, reason }) {
  const files = testsUsing(names);
  const skipped = files.length === 0 ? '' : `\n      skipped: ${files.join(', ')}`;
  return `    ${names.join(', ')}: ${reason}${inCi() ? '' : skipped}`;
}

/** Resolves to the problems left: `{ names, reason }`. */
async function ensureSystem(table) {
  const missing = missingOf(table);
  if (missing.length === 0) return [];
  const packages = [...new Set(missing.map((name) => table[name].package))].sort();
  const byHand = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (!mayInstall()) return [{ names: missing, reason: `install with: ${byHand}` }];
  const problem = aptProblem();
  if (problem !== undefined) return [{ names: missing, reason: `${problem}; by hand: ${byHand}` }];
  await step(`Installing ${packages.join(' ')}`, () => installPackages(packages));
  const still = missingOf(table);
  return still.length === 0 ? [] : [{ names: still, reason: 'not there even after installing its package' }];
}

function missingOf(table) {
  return Object.keys(table).filter((name) => findInPath(name) === undefined);
}

function inCi() {
  return process.env.CI === 'true' || process.env.CI === '1';
}

function mayInstall() {
  return inCi() || process.env.OUTRIGGER_INSTALL_TOOLS === '1';
}
