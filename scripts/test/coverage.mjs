/**
 * Line coverage of the parts that must be well covered, against the floors in test/coverage-floors.json.
 *
 * A source no test has loaded is not in the report; here it counts as uncovered.
 */

import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from '../setup/paths.mjs';

const SUMMARY = join(root, '.tap/report/coverage-summary.json');
const FLOORS = join(root, 'test/coverage-floors.json');

/** `{ text, ok }`: a table to print, and whether no part is below its floor. */
export function coverageReport() {
  if (!existsSync(SUMMARY)) return { text: `No coverage report at ${relative(root, SUMMARY)}.`, ok: false };
  const measured = readSummary();
  const rows = Object.entries(JSON.parse(readFileSync(FLOORS, 'utf8'))).map(([part, floor]) => {
    const percent = linesCovered(part, measured);
    return { part, floor, percent, ok: percent >= floor };
  });
  return { text: ['lines covered', ...rows.map(row)].join('\n'), ok: rows.every(({ ok }) => ok) };
}

function row({ part, floor, percent, ok }) {
  const verdict = ok
    ? `floor ${floor} %`
    : `BELOW its floor of ${floor} %: cover what tap report shows as uncovered`;
  return `${percent.toFixed(1).padStart(6)} %  ${part}  (${verdict})`;
}

function readSummary() {
  const { total: _, ...files } = JSON.parse(readFileSync(SUMMARY, 'utf8'));
  return new Map(Object.entries(files).map(([path, { lines }]) => [relative(root, path), lines]));
}

/** `part` is a folder or a file of sources. A part without any source has nothing covered. */
function linesCovered(part, measured) {
  const sources = part.endsWith('.ts') ? [part] : globSync(`${part}/**/*.ts`, { cwd: root });
  let total = 0;
  let covered = 0;
  for (const source of sources) {
    const lines = measured.get(source) ?? { total: executableLines(source), covered: 0 };
    total += lines.total;
    covered += lines.covered;
  }
  return total === 0 ? 0 : (covered / total) * 100;
}

/** Types and the names an index passes on are nothing to execute. */
function executableLines(source) {
  const path = join(root, source);
  if (!existsSync(path)) return 1;
  const code = readFileSync(path, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  if (!/^(export )?(async )?(function|class|abstract class|const|let)\b/m.test(code)) return 0;
  return code.split('\n').filter((line) => line.trim() !== '').length;
}
