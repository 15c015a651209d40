/** The Node that runs everything: the one the lockfile pins, whatever the machine has. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SetUpError } from './error.mjs';
import { root } from './paths.mjs';

const LOWEST = [24, 12];

/** The path of a Node that runs Outrigger. */
export function pinnedNode() {
  const pinned = join(root, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
  if (existsSync(pinned)) return pinned;
  if (isNewEnough(process.versions.node)) return process.execPath;
  throw new SetUpError(
    `no Node is pinned for ${process.platform}-${process.arch} and this one, ${process.version}, is older than ` +
      `${LOWEST.join('.')}. Install Node ${LOWEST.join('.')} or newer and run the command again.` +
      (isPinnedPlatform()
        ? ' (npm was told to leave out optional packages: npm ci --include=optional.)'
        : ''),
  );
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > LOWEST[0] || (major === LOWEST[0] && minor >= LOWEST[1]);
}

function isPinnedPlatform() {
  return process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);
}
