/** What each source file is for, in the words it opens with. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/paths.mjs';

const WIDTH = 138;

/** A list of the sources of `packages/NAME`, one line each. */
export function fileList(name) {
  const sources = readdirSync(join(root, 'packages', name, 'src'), { recursive: true })
    .filter((path) => path.endsWith('.ts'))
    .sort();
  return sources.map((path) => line(name, path)).join('');
}

function line(name, path) {
  const text = readFileSync(join(root, 'packages', name, 'src', path), 'utf8');
  return wrap(`- \`${path}\` – ${purposeOf(text)}`);
}

/** Continuation lines are indented as list items are. */
function wrap(text) {
  if (text.length <= WIDTH) return `${text}\n`;
  const at = text.lastIndexOf(' ', WIDTH);
  return `${text.slice(0, at)}\n${wrap(`  ${text.slice(at + 1)}`)}`;
}

/** The first sentence of the opening comment. */
export function purposeOf(text) {
  const comment = /\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? '';
  const flat = comment
    .replaceAll(/\n\s*\*/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const end = /[.:?!](?= [A-Z`#]|$)/.exec(flat);
  return (end === null ? flat : flat.slice(0, end.index)).replaceAll('…', '...');
}
