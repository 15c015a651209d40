/** What must hold of the sources beside the tests: types, lint, format, repository rules. Runs all, then tells which failed. */

import { join } from 'node:path';
import { handOver } from './hand-over.mjs';
import { root } from './setup/paths.mjs';

const bin = (path) => join(root, 'node_modules', path);
const STEPS = [
  { name: 'types', args: [bin('typescript/bin/tsc'), '-b'] },
  { name: 'lint', args: [bin('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings', '.'] },
  { name: 'format', args: [bin('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '--cache', '.'] },
  { name: 'rules', args: [join(root, 'scripts/test/main.mjs'), 'test/rules'] },
];

/** Colours are for terminals. */
const env = process.stdout.isTTY ? process.env : { ...process.env, NO_COLOR: '1' };
const failed = [];
for (const { name, args } of STEPS) {
  const startedAt = Date.now();
  const code = await handOver(process.execPath, args, { env });
  if (code !== 0) failed.push(name);
  console.log(`${code === 0 ? '✓' : '✗'} ${name} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`);
}
if (failed.length > 0) {
  console.log(`\nnpm run check failed: ${failed.join(', ')}. npm run format mends the format.`);
  process.exitCode = 1;
}
