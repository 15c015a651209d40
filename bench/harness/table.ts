/** The table of results, as Markdown. */

import { passes } from './suite.ts';
import type { Row } from './suite.ts';

export function renderTable(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    `${row.gate === true ? '★ ' : ''}${row.work}`,
    row.figure,
    ...figures(row),
    reach(row),
    reached(row),
  ]);
  const head = ['work', 'figure', 'Outrigger', 'peer, same run', 'ratio', 'reach', 'reached'];
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function figures({ ours, peer, unit, notMeasured }: Row): string[] {
  if (notMeasured !== undefined) return ['–', peer?.name ?? '–', '–'];
  const own = `${format(ours)} ${unit}`;
  if (peer === undefined) return [own, '–', '–'];
  return [own, `${peer.name} ${format(peer.value)} ${unit}`, `${(ours / peer.value).toFixed(2)}×`];
}

function reached(row: Row): string {
  if (row.notMeasured !== undefined) return `not measured: ${row.notMeasured}`;
  return passes(row) ? 'yes' : 'NO';
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
