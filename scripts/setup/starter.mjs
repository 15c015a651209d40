/**
 * Starts a program that was unpacked together with newer system libraries than the machine has: a script that lets the
 * unpacked loader run it, so that it finds these first and everything else where the machine keeps it.
 */

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Puts `start` into the folder. `as` is the name the program is to know itself by: some do different things by it. */
export function writeStarter(folder, { program, as }) {
  const loader = findLoader(folder);
  if (loader === undefined) throw new Error(`no loader was unpacked into ${folder}`);
  const script = [
    '#!/bin/sh',
    `# ${as}, with the libraries beside it`,
    'here=$(dirname "$0")',
    `exec "$here/${loader}" --argv0 ${as} --library-path "$here/${join(loader, '..')}" "$here/${program}" "$@"`,
    '',
  ].join('\n');
  writeFileSync(join(folder, 'start'), script, { mode: 0o755 });
}

/** Relative to the folder. Set-up runs on the machine's own Node, which may be too old for globs. */
function findLoader(folder) {
  for (const machine of readdirSync(join(folder, 'usr/lib'))) {
    if (!machine.endsWith('-linux-gnu')) continue;
    const name = readdirSync(join(folder, 'usr/lib', machine)).find((file) =>
      /^ld-linux-.*\.so\./.test(file),
    );
    if (name !== undefined) return join('usr/lib', machine, name);
  }
  return undefined;
}
