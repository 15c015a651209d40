/**
 * `npm run bench [-- SUITE … --runs N --seconds N --write]`: our compiled programs and their peers, measured in the
 * same run. Prints the table; `--write` also puts it into docs/benchmarks.md. Exits 1 when a gate (★) is missed.
 * `--profile FOLDER` measures nothing: it records CPU profiles of the suites that can, and prints where the time went.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tool } from '../test/harness/index.ts';
import { busyShare } from './harness/quiet.ts';
import { passes } from './harness/suite.ts';
import type { BenchContext, Row, Suite } from './harness/suite.ts';
import { renderTable } from './harness/table.ts';
import { suites } from './suites/index.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    write: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});

const chosen = positionals.length === 0 ? suites : suites.filter((suite) => positionals.includes(suite.name));
if (chosen.length === 0) {
  console.error(`No suite of that name. There are: ${suites.map((suite) => suite.name).join(', ')}.`);
  process.exit(2);
}
const { profile: profileFolder } = values;
if (profileFolder !== undefined) {
  for (const suite of chosen) await profile(suite, profileFolder);
  process.exit(0);
}
const busy = await busyShare(1);
if (busy > 0.1) {
  console.error(`Others use ${Math.round(busy * 100)} % of this machine's CPUs: figures are worth little.`);
}
const rows: Row[] = [];
for (const suite of chosen) rows.push(...((await inContext(suite, suite.run)) ?? []));
const table = renderTable(rows);
console.log(`\n${table}`);
if (values.write) writeResults(table);
process.exit(rows.some((row) => row.gate === true && !passes(row)) ? 1 : 0);

async function profile(suite: Suite, folder: string): Promise<void> {
  const { profile: record } = suite;
  if (record === undefined) return console.error(`${suite.name} has nothing to profile`);
  console.log(await inContext(suite, (context) => record(context, folder)));
}

/** Undefined when the suite's tools are missing. Whatever was started is stopped. */
async function inContext<T>(
  suite: Suite,
  act: (context: BenchContext) => Promise<T>,
): Promise<T | undefined> {
  const missing = suite.needs.map((name) => tool(name).missing).filter((why) => why !== undefined);
  if (missing.length > 0) {
    console.error(`${suite.name} skipped: ${missing.join('; ')}`);
    return undefined;
  }
  const undo: (() => unknown)[] = [];
  const context: BenchContext = {
    runs: Number(values.runs),
    seconds: Number(values.seconds),
    teardown: (step) => void undo.push(step),
    progress: (text) => void process.stderr.write(`\r\u001b[K${suite.name}: ${text}`),
  };
  try {
    return await act(context);
  } finally {
    for (const step of undo.toReversed()) await step();
    process.stderr.write('\r\u001b[K');
  }
}

/** Replaces what stands between the two markers, so that the words around the table stay. */
function writeResults(text: string): void {
  const file = join(import.meta.dirname, '../docs/benchmarks.md');
  const [before = '', rest = ''] = readFileSync(file, 'utf8').split('<!-- results -->');
  const after = rest.split('<!-- /results -->')[1] ?? '';
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, Node ${process.version}`;
  writeFileSync(
    file,
    `${before}<!-- results -->\n\nMeasured on ${machine}.\n\n${text}\n\n<!-- /results -->${after}`,
  );
}
