/** Series → families as objects, for those who do not want a page: pushing. Giving way in between. */

import { boundText } from '@outrigger/core/exposition';
import type { LabelPairs, MetricFamily, Sample } from '@outrigger/core/exposition';
import { none } from './columns.ts';
import type { StoredFamily } from './family.ts';
import type { SeriesRegistry } from './registry.ts';
import type { GiveWay } from './render.ts';

/** Nothing may be forgotten meanwhile (`hold`). */
export async function readStored(
  registry: SeriesRegistry,
  family: StoredFamily,
  giveWay: GiveWay,
): Promise<MetricFamily> {
  const samples: Sample[] = [];
  const last = family.tail;
  for (let slot = family.head; slot !== none; slot = registry.columns.next[slot] ?? none) {
    readSeries(registry, family, slot, samples);
    if (samples.length % 64 === 0) await giveWay();
    if (slot === last) break;
  }
  const { name, type, help } = family;
  return { name, type, help, samples };
}

function readSeries(registry: SeriesRegistry, family: StoredFamily, slot: number, to: Sample[]): void {
  const { columns, cells } = registry;
  const labels = labelsOf(registry, family, slot);
  const value = columns.values[slot] ?? 0;
  const first = columns.extra[slot] ?? 0;
  const created: Sample = { suffix: '_created', labels, value: columns.created[slot] ?? 0 };
  switch (family.type) {
    case 'gauge':
      to.push({ suffix: '', labels, value });
      return;
    case 'counter':
      to.push({ suffix: '', labels, value }, created);
      return;
    case 'histogram': {
      let below = 0;
      [...family.bounds, Number.POSITIVE_INFINITY].forEach((bound, i) => {
        below += cells.values[first + i] ?? 0;
        to.push({ suffix: '_bucket', labels: [...labels, ['le', boundText(bound)]], value: below });
      });
      to.push({ suffix: '_sum', labels, value }, { suffix: '_count', labels, value: below }, created);
      return;
    }
    case 'summary': {
      const wanted = (family.summary?.quantiles ?? []).map(({ quantile }) => quantile);
      const values = registry.sketchOf(slot).quantiles(wanted, registry.seconds);
      wanted.forEach((quantile, i) =>
        to.push({
          suffix: '',
          labels: [...labels, ['quantile', boundText(quantile)]],
          value: values[i] ?? Number.NaN,
        }),
      );
      to.push(
        { suffix: '_sum', labels, value },
        { suffix: '_count', labels, value: cells.values[first] ?? 0 },
      );
      to.push(created);
    }
  }
}

function labelsOf({ columns, arena }: SeriesRegistry, family: StoredFamily, slot: number): LabelPairs {
  const start = columns.textAt[slot] ?? 0;
  const text = arena.bytes.toString(
    'utf8',
    start + family.name.length,
    start + (columns.textLength[slot] ?? 0),
  );
  const pairs = text.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/gs);
  return [...pairs].map(([, name = '', value = '']) => [name, unescape(value)] as const);
}

function unescape(value: string): string {
  return value.includes('\\')
    ? value.replace(/\\(.)/gs, (_, char: string) => (char === 'n' ? '\n' : char))
    : value;
}
