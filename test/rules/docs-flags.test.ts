/** docs/configuration.md lists the flags of every command as `--help` does, each with a word on what it moves. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'tap';
import { parseHelp, rowsOf, sharedFlags } from '../../scripts/docs/flags.mjs';
import { markedParts } from '../../scripts/docs/marked.mjs';
import { root } from '../../scripts/setup/paths.mjs';
import { report } from './problems.ts';
import type { Problem } from './problems.ts';
import { files } from './tree.ts';

const COMMANDS = ['control', 'proxy', 'ambassador', 'adapter', 'register', 'up'];
const PATH = 'docs/configuration.md';
const MEND = 'Run: npm run build && node scripts/docs.mjs, and fill in its last cell.';

interface Flag {
  readonly name: string;
  readonly default: string;
}
interface Row extends Flag {
  readonly note: string;
}

const HELP: Readonly<Record<string, readonly Flag[]>> = Object.fromEntries(
  COMMANDS.map((command) => [command, readHelp(command)]),
);

test('every flag of every command is on the page, with its default', (t) => {
  const tables = tablesOfPage();
  const problems = COMMANDS.flatMap((command) =>
    flagsOf(command).flatMap((flag) => {
      const row = rowFor(tables, command, flag.name);
      if (row === undefined) return [problem(`${command} --${flag.name} is missing. ${MEND}`)];
      if (row.default === flag.default) return [];
      const what = `${command} --${flag.name} says default ${row.default}, --help says ${flag.default}. ${MEND}`;
      return [problem(what)];
    }),
  );
  report(t, 'flags', problems);
  t.end();
});

test('the page names no flag that is gone, and says of each what it moves', (t) => {
  const tables = tablesOfPage();
  const problems = Object.entries(tables).flatMap(([table, rows]) => {
    const commands = table in sharedFlags ? COMMANDS : [table];
    const known = new Set(commands.flatMap((command) => flagsOf(command).map(({ name }) => name)));
    return rows.flatMap(({ name, note }) => [
      ...(known.has(name) ? [] : [problem(`${table} has no flag --${name} any more. ${MEND}`)]),
      ...(note === '' ? [problem(`${table} --${name}: the last cell is empty. ${MEND}`)] : []),
    ]);
  });
  report(t, 'rows', problems);
  t.end();
});

function tablesOfPage(): Record<string, Row[]> {
  const [page] = files(PATH);
  const parts = markedParts(page?.text ?? '', 'flags') as Record<string, string>;
  return Object.fromEntries(
    Object.entries(parts).map(([name, table]): [string, Row[]] => [name, rowsOf(table)]),
  );
}

/** A command's own table first: it may describe a shared flag anew. */
function rowFor(
  tables: Readonly<Record<string, readonly Row[]>>,
  command: string,
  flag: string,
): Row | undefined {
  return [command, ...Object.keys(sharedFlags)]
    .flatMap((table) => tables[table] ?? [])
    .find(({ name }) => name === flag);
}

function flagsOf(command: string): readonly Flag[] {
  return HELP[command] ?? [];
}

function readHelp(command: string): Flag[] {
  const main = join(root, 'packages/cli/src/main.ts');
  const args = ['--conditions=@outrigger/source', main, command, '--help'];
  return parseHelp(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

function problem(what: string): Problem {
  return { path: PATH, line: 1, what };
}
