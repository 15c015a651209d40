/**
 * Brings the flag tables of docs/configuration.md, the command tables of docs/redis-commands.md and the file lists of
 * ARCHITECTURE.md up to date: flags, meanings and defaults come from `--help`, routes from the ambassador's table, purposes
 * from the comment each file opens with. The last cell of a flag's row (what raising or lowering it does) is written by
 * hand and kept.
 *
 *     npm run build && node scripts/docs.mjs
 */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseHelp, renderFlags, sharedFlags } from './docs/flags.mjs';
import { fileList } from './docs/files.mjs';
import { fillMarked } from './docs/marked.mjs';
import { commandTable } from './docs/redis-commands.mjs';
import { root } from './setup/paths.mjs';

const main = join(root, 'packages/cli/dist/main.js');
const helpOf = (command) =>
  parseHelp(execFileSync(process.execPath, [main, command, '--help'], { encoding: 'utf8' }));

update('docs/configuration.md', 'flags', (command, old) => renderFlags(flagsFor(command), old));
update('docs/redis-commands.md', 'commands', (part) => commandTable(part));
update('ARCHITECTURE.md', 'files', (name) => fileList(name));

/** The shared tables stand once; a command's own table leaves them out. */
function flagsFor(command) {
  const shared = sharedFlags[command];
  if (shared !== undefined) return helpOf('proxy').filter(({ name }) => shared.includes(name));
  const elsewhere = Object.values(sharedFlags).flat();
  return helpOf(command).filter(({ name }) => !elsewhere.includes(name));
}

function update(path, marker, render) {
  const file = join(root, path);
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, fillMarked(text, marker, render));
}
