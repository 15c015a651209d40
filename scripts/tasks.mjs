/** The tasks behind the npm scripts: which set-up each needs and what it then hands over to. */

import { join } from 'node:path';
import { handOver } from './hand-over.mjs';
import { ensureBuilt } from './setup/build.mjs';
import { SetUpError } from './setup/error.mjs';
import { ensurePackages } from './setup/packages.mjs';
import { root } from './setup/paths.mjs';
import { pinnedNode } from './setup/pinned-node.mjs';
import { say } from './setup/say.mjs';
import { ensureTools } from './setup/tools.mjs';

/**
 * `script`, relative to the root; whether the system `tools` the tests use are looked at first; whether dist/ must be
 * built. Tests run the sources, so they go on when a package does not compile; `check` compiles by itself.
 */
const TASKS = {
  start: { script: 'packages/cli/dist/demo.js', build: 'required' },
  test: { script: 'scripts/test/main.mjs', tools: true, build: 'tried' },
  check: { script: 'scripts/check.mjs' },
  // Type stripping without the source condition: what runs is the compiled packages, as users run them.
  bench: { script: 'bench/main.ts', tools: true, build: 'required' },
  chaos: { script: 'test/chaos/main.ts', tools: true, build: 'required' },
};

/** Sets `process.exitCode`; a failed set-up is told in one line and exits 1. */
export async function runTask(name, args) {
  const task = Object.hasOwn(TASKS, name ?? '') ? TASKS[name] : undefined;
  if (task === undefined) {
    console.error(`No task '${name ?? ''}'. There are: ${Object.keys(TASKS).join(', ')}.`);
    process.exitCode = 2;
    return;
  }
  try {
    const node = await setUp(task);
    process.exitCode = await handOver(node, [join(root, task.script), ...args], {
      ownSession: name === 'start',
    });
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    console.error(`\nSet-up failed: ${error.message}`);
    process.exitCode = 1;
  }
}

/** The system tools come from other servers than the npm packages, so both are fetched at once. */
async function setUp(task) {
  const tools = task.tools === true ? ensureTools() : Promise.resolve();
  const [packages] = await Promise.allSettled([ensurePackages(), tools]);
  if (packages.status === 'rejected') throw packages.reason;
  await tools;
  const node = pinnedNode();
  if (task.build !== undefined) await build(node, task.build);
  return node;
}

async function build(node, need) {
  try {
    await ensureBuilt(node);
  } catch (error) {
    if (need === 'required' || !(error instanceof SetUpError)) throw error;
    say(`! Tests of the compiled packages will fail: ${error.message}`);
  }
}
