/** Where things are: the repository, the folder for what set-up fetches or remembers, the machine's programs. */

import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Administrators' programs are often there but not on a user's PATH. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** In the repository, so that a fresh clone is truly fresh; `OUTRIGGER_CACHE_DIR` shares one between clones. */
export function cacheDir() {
  const chosen = process.env.OUTRIGGER_CACHE_DIR;
  return chosen ? resolve(chosen) : join(root, '.cache');
}

/** The path of a program, or undefined. */
export function findInPath(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
