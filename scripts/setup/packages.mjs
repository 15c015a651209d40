/**
 * The npm packages, exactly as the lockfile has them, installed only when missing or stale.
 *
 * A stamp in node_modules holds the hash of the lockfile it was checked against, so the usual run compares two hashes.
 * Without a matching stamp the list npm itself keeps of what it installed decides, so packages installed by hand with
 * `npm install` are not installed again.
 */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { command, tail } from './command.mjs';
import { SetUpError } from './error.mjs';
import { withLock } from './lock.mjs';
import { root } from './paths.mjs';
import { step } from './say.mjs';

const MODULES = join(root, 'node_modules');
const STAMP = join(MODULES, '.outrigger-lock-hash');
const TRIES = 2;
const NPM_LIMIT_MS = 10 * 60_000;

export async function ensurePackages() {
  if (stampMatches()) return;
  await withLock('packages', async () => {
    if (stampMatches()) return;
    if (!installedMatches()) await step('Installing the npm packages of the lockfile', install);
    writeFileSync(STAMP, lockHash());
  });
}

function lockText() {
  return readFileSync(join(root, 'package-lock.json'));
}

function lockHash() {
  return createHash('sha256').update(lockText()).digest('hex');
}

function stampMatches() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === lockHash();
}

function installedMatches() {
  const listed = join(MODULES, '.package-lock.json');
  if (!existsSync(listed)) return false;
  return isInstalled(JSON.parse(lockText()).packages, JSON.parse(readFileSync(listed, 'utf8')).packages);
}

/** Both are `packages` maps of npm's lockfile format. Absent optional packages are those of other platforms. */
export function isInstalled(wanted, installed) {
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true;
    const found = installed[path];
    if (found === undefined) return entry.optional === true;
    return (
      found.version === entry.version && found.integrity === entry.integrity && found.link === entry.link
    );
  });
}

/** No install script runs: no package here needs one, and our own build is a step of its own. */
async function install() {
  const [file, ...first] = npm();
  const args = [
    ...first,
    'ci',
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--no-progress',
    '--loglevel=error',
  ];
  let result;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    result = await command(file, args, { cwd: root, env: environment(), timeoutMs: NPM_LIMIT_MS });
    if (result.code === 0) return;
  }
  throw new SetUpError(
    `npm ci could not install the packages of package-lock.json (tried ${TRIES} times):\n${firstLines(result.output)}\n` +
      '  Is the npm registry reachable? If package.json was changed, run npm install once to update the lockfile.',
  );
}

/** The packages will run on the pinned Node, so that is the one they must support, not the one npm runs on. */
function environment() {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const pinned = manifest.optionalDependencies[`node-${process.platform}-${process.arch}`];
  if (pinned === undefined) return process.env;
  const preload = `--require ${JSON.stringify(join(root, 'scripts/setup/target-node.cjs'))}`;
  return {
    ...process.env,
    OUTRIGGER_TARGET_NODE: `v${pinned}`,
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${preload}`.trim(),
  };
}

/** npm tells what is wrong first, then how it is used. */
function firstLines(output) {
  return tail(output.split('\n').slice(0, 30).join('\n'), 30);
}

/** The npm that started us, else the one on the PATH. */
function npm() {
  const cli = process.env.npm_execpath;
  if (cli !== undefined && basename(cli).startsWith('npm') && existsSync(cli)) {
    return [process.env.npm_node_execpath ?? process.execPath, cli];
  }
  return ['npm'];
}
