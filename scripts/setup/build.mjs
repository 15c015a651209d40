/** Builds dist/ when a source is newer than the last build. Looking costs a few milliseconds, a build under a second. */

import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { command, tail } from './command.mjs';
import { SetUpError } from './error.mjs';
import { withLock } from './lock.mjs';
import { root } from './paths.mjs';
import { step } from './say.mjs';

const STAMP = join(root, '.cache/built');
const BUILD_LIMIT_MS = 2 * 60_000;

export async function ensureBuilt(node) {
  if (isFresh()) return;
  await withLock('build', async () => {
    if (!isFresh()) await step('Compiling the packages', () => build(node));
  });
}

/** The stamp carries the time the build *began*: a file saved while it ran is newer and builds again. */
async function build(node) {
  const began = new Date();
  for (const folder of packages()) removeOrphans(join(folder, 'src'), join(folder, 'dist'));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const result = await command(node, [tsc, '-b', 'packages/cli'], { cwd: root, timeoutMs: BUILD_LIMIT_MS });
  if (result.code !== 0) throw new SetUpError(`the packages do not compile:\n${tail(result.output, 40)}`);
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, '');
  utimesSync(STAMP, began, began);
}

function isFresh() {
  const built = statSync(STAMP, { throwIfNoEntry: false })?.mtimeMs;
  if (built === undefined || newer(join(root, 'tsconfig.json'), built)) return false;
  return packages().every(
    (folder) =>
      existsSync(join(folder, 'dist/.tsbuildinfo')) &&
      !newer(join(folder, 'package.json'), built) &&
      !newer(join(folder, 'tsconfig.json'), built) &&
      !treeNewer(join(folder, 'src'), built),
  );
}

function packages() {
  const folder = join(root, 'packages');
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => existsSync(join(path, 'tsconfig.json')));
}

function newer(path, than) {
  return statSync(path).mtimeMs > than;
}

/** Folders count too: their time changes when a file is removed. */
function treeNewer(folder, than) {
  if (newer(folder, than)) return true;
  return readdirSync(folder, { withFileTypes: true }).some((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? treeNewer(path, than) : newer(path, than);
  });
}

/** tsc leaves the output of removed sources behind; published or imported, it would be a ghost. */
function removeOrphans(source, output) {
  if (!existsSync(output)) return;
  for (const entry of readdirSync(output, { withFileTypes: true })) {
    const path = join(output, entry.name);
    if (entry.isDirectory()) {
      removeOrphans(join(source, entry.name), path);
      if (readdirSync(path).length === 0) rmSync(path, { recursive: true });
    } else if (/\.(js|d\.ts)$/.test(entry.name)) {
      const from = join(source, entry.name.replace(/(\.d)?\.(js|ts)$/, '.ts'));
      if (!existsSync(from)) rmSync(path);
    }
  }
}
