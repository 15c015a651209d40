/** The table of results, as Markdown. */

import { passes } from './suite.ts';
import type { Row } from './suite.ts';

export function renderTable(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    `${row.gate === true ? '★ ' : ''}${row.work}`,
    row.figure,
    `${format(row.ours)} ${row.unit}`,
    row.peer === undefined ? '–' : `${row.peer.name} ${format(row.peer.value)} ${row.unit}`,
    row.peer === undefined ? '–' : `${(row.ours / row.peer.value).toFixed(2)}×`,
    reach(row),
    passes(row) ? 'yes' : 'NO',
  ]);
  const head = ['work', 'figure', 'Outrigger', 'peer, same run', 'ratio', 'reach', 'reached'];
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function reach(row: Row): string {
  const unit = row.peer === undefined ? ` ${row.unit}` : '×';
  const { atMost, atLeast } = row.reach;
  if (atMost !== undefined) return `≤ ${atMost}${unit}`;
  return atLeast === undefined ? '–' : `≥ ${atLeast}${unit}`;
}

function format(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}
