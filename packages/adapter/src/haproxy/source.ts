/** HAProxy's statistics (`;csv`) as a source, in the metric names of haproxy_exporter. */

import type { MetricsSource } from '@outrigger/core/api';
import type { LabelPairs } from '@outrigger/core/exposition';
import type { FamilyBuilder } from '../sources/families.ts';
import { fetchedSource } from '../sources/fetched.ts';
import type { FetchedDeps } from '../sources/fetched.ts';
import { SourceError } from '../sources/source.ts';
import type { Place, Source } from '../sources/source.ts';
import { columnsOf } from './columns.ts';
import type { Column, RowKind } from './columns.ts';
import { parseCsv } from './csv.ts';

export type HaproxySpec = NonNullable<MetricsSource['haproxy']>;

/** Throws CONFIG_INVALID. */
export function haproxySource(spec: HaproxySpec, place: Place, deps: FetchedDeps): Source {
  return fetchedSource(spec, place, deps, {
    up: { name: 'haproxy_up', type: 'gauge', help: '1 if HAProxy answered with its statistics.' },
    read: readStatistics,
  });
}

const keyColumns = ['pxname', 'svname', 'type'];
/** By the column `type`; 3 are sockets, which the exporter does not show either. */
const kinds: Readonly<Record<string, RowKind>> = { '0': 'frontend', '1': 'backend', '2': 'server' };

export function readStatistics(text: string, to: FamilyBuilder): Readonly<Record<string, number>> {
  const [head = [], ...rows] = parseCsv(text);
  const places = new Map(head.map((name, index) => [name.replace(/^# /, ''), index]));
  const needed = keyColumns.filter((name) => !places.has(name));
  if (needed.length > 0) {
    const hint = 'is it the page of statistics, with ;csv at its end?';
    throw new SourceError('parse', `the page has no column ${needed.join(', ')}; ${hint}`);
  }
  const shortest = Math.max(...keyColumns.map((name) => places.get(name) ?? 0)) + 1;
  const drops = new Map<string, number>();
  const drop = (reason: string): void => void drops.set(reason, (drops.get(reason) ?? 0) + 1);
  for (const cells of rows) {
    const cell = (name: string): string => cells[places.get(name) ?? -1] ?? '';
    if (cells.length < shortest) {
      drop('short-row');
      continue;
    }
    const kind = kinds[cell('type')];
    if (kind === undefined) continue;
    const labels = labelsOf(kind, cell('pxname'), cell('svname'));
    for (const column of columnsOf[kind]) addCell(to, column, labels, cell(column.column), drop);
  }
  return Object.fromEntries(drops);
}

function labelsOf(kind: RowKind, proxy: string, server: string): LabelPairs {
  const own = [kind === 'frontend' ? 'frontend' : 'backend', proxy] as const;
  return kind === 'server' ? [own, ['server', server]] : [own];
}

function addCell(
  to: FamilyBuilder,
  column: Column,
  labels: LabelPairs,
  text: string,
  drop: (reason: string) => void,
): void {
  if (text === '') return;
  const value = column.column === 'status' ? isUp(text) : number(text);
  if (value === undefined) {
    drop('bad-number');
    return;
  }
  const all: LabelPairs = column.code === undefined ? labels : [...labels, ['code', column.code]];
  // With several processes each has its rows; this page is of the one that answered first.
  if (!to.add(column, value / column.divisor, all)) drop('duplicate');
}

/** `UP 1/3` is up and going down, `DRAIN` serves those it has. */
function isUp(status: string): number {
  return /^(UP|OPEN|no check|DRAIN)\b/.test(status) ? 1 : 0;
}

function number(text: string): number | undefined {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}
