/** Installs Debian packages: without questions, without starting their services, within a time limit. */

import { existsSync, readdirSync } from 'node:fs';
import { command, tail } from './command.mjs';
import { SetUpError } from './error.mjs';
import { withoutServices } from './no-services.mjs';
import { say } from './say.mjs';

const INSTALL_LIMIT_MS = 10 * 60_000;
const UPDATE_LIMIT_MS = 3 * 60_000;
const LISTS = '/var/lib/apt/lists';
const PATIENT = [
  '-o',
  'Acquire::Retries=3',
  '-o',
  'Acquire::http::Timeout=30',
  '-o',
  'DPkg::Lock::Timeout=120',
];
const KEEP_CONFIGURATION = ['-o', 'Dpkg::Options::=--force-confdef', '-o', 'Dpkg::Options::=--force-confold'];

/** Why packages cannot be installed here, or undefined. */
export function aptProblem() {
  if (!existsSync('/etc/debian_version') || !existsSync('/usr/bin/apt-get')) {
    return 'set-up installs tools on Debian and Ubuntu only';
  }
  return process.getuid() === 0 ? undefined : 'only root can install packages';
}

/** Package lists are fetched when there are none, and once more when installing from the present ones failed. */
export async function installPackages(packages) {
  const hadLists = existsSync(LISTS) && readdirSync(LISTS).some((name) => name.endsWith('_Packages'));
  if (!hadLists) await update();
  let result = await install(packages);
  if (result.code !== 0 && hadLists) {
    await update();
    result = await install(packages);
  }
  if (result.code !== 0) {
    throw new SetUpError(`apt-get could not install ${packages.join(' ')}:\n${tail(result.output)}`);
  }
}

function install(packages) {
  const args = ['install', '-y', '--no-install-recommends', ...PATIENT, ...KEEP_CONFIGURATION, ...packages];
  return withoutServices(() => apt(args, INSTALL_LIMIT_MS));
}

/** One unreachable third-party source must not stop us: whether the packages can be had is for `install` to tell. */
async function update() {
  const result = await apt(['update', ...PATIENT], UPDATE_LIMIT_MS);
  if (result.code !== 0) say(`! apt-get update was not complete:\n${tail(result.output, 5)}`);
}

function apt(args, timeoutMs) {
  return command('apt-get', args, { timeoutMs, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
}
