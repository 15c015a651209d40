/** Paths whose last part may have * and ?, and the files they name now. */

import { errorCode } from '@outrigger/core/errors';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export function hasWildcard(path: string): boolean {
  return /[*?]/.test(basename(path));
}

/** `*` any characters, `?` one. As in a shell, a leading dot must be written. Linear in the name per `*`. */
export function matchesWildcard(pattern: string, name: string): boolean {
  if (name.startsWith('.') && !pattern.startsWith('.')) return false;
  let at = 0;
  let star = -1;
  let tried = 0;
  let index = 0;
  while (at < name.length) {
    const wanted = pattern[index];
    if (wanted === '*') {
      star = index;
      tried = at;
      index += 1;
    } else if (wanted !== undefined && (wanted === '?' || wanted === name[at])) {
      index += 1;
      at += 1;
    } else if (star >= 0) {
      // The last star takes one more; earlier ones never need to.
      tried += 1;
      at = tried;
      index = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[index] === '*') index += 1;
  return index === pattern.length;
}

/** In order of their names. A folder that is not there has no files yet. */
export async function filesOf(pattern: string): Promise<string[]> {
  if (!hasWildcard(pattern)) return [pattern];
  const folder = dirname(pattern);
  const last = basename(pattern);
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => matchesWildcard(last, name))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
