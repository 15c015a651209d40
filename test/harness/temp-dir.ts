/** A folder of its own for one test. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Teardown } from './teardown.ts';

/** Removed with everything in it when the test ends. The path is short enough for unix sockets in it. */
export function tempDir(t: Teardown): string {
  const path = mkdtempSync(join(tmpdir(), 'or-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
