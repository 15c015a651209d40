/** docs/redis-commands.md says of every command what the ambassador's table says, and the table is as generated. */

import { test } from 'tap';
import { markedParts } from '../../scripts/docs/marked.mjs';
import { commandParts, commandTable } from '../../scripts/docs/redis-commands.mjs';
import { renderTable } from '../../scripts/redis-commands/render.mjs';
import { CommandTable, knownRows } from '../../packages/ambassador/src/commands/table.ts';
import { generatedServers } from '../../packages/ambassador/src/commands/table.generated.ts';
import { report } from './problems.ts';
import { files } from './tree.ts';

const PATH = 'docs/redis-commands.md';
const [page] = files(PATH);
const parts = markedParts(page?.text ?? '', 'commands') as Record<string, string>;

test('every table is as the script writes it', (t) => {
  const stale = commandParts.filter((part) => parts[part] !== commandTable(part));
  const problems = stale.map((part) => ({
    path: PATH,
    line: 1,
    what: `the table of ${part} is not what the ambassador does. Run: node scripts/docs.mjs`,
  }));
  report(t, 'command tables', problems);
  t.end();
});

test('every command is on the page once', (t) => {
  const rows = Object.values(parts).flatMap((table) => table.split('\n').slice(2, -1));
  const names = rows.map((row) => /^\| `([^`]+)`/.exec(row)?.[1] ?? row);
  const known = new CommandTable().all().filter(({ name }) => name !== '(unknown)');
  t.same(names.toSorted(), known.map(({ name }) => name.replace('|', ' ')).toSorted());
  t.end();
});

test('of every read whose answers differ by their flags the page says how', (t) => {
  const undescribed = (parts['reads'] ?? '').split('\n').filter((row) => row.endsWith('| ? |'));
  t.same(undescribed, [], 'describe it in DIFFERS of scripts/docs/redis-commands.mjs');
  t.end();
});

test('nobody has edited the generated table', (t) => {
  const answers = Object.values(generatedServers).map((server) => ({
    server,
    rows: knownRows().filter(({ origin }) => origin.split(', ').includes(server)),
  }));
  const [file] = files('packages/ambassador/src/commands/table.generated.ts');
  t.equal(renderTable(answers), file?.text, 'Run: node scripts/redis-commands.mjs');
  t.end();
});
