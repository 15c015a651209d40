/**
 * Series → lines of the page.
 *
 * A line is the series' bytes as the arena holds them, then digits: no string is made, and 100,000 series take some
 * milliseconds. After each slice the event loop has a turn, so that datagrams are read while a page is written; one
 * series is never divided between turns, and while a page is under way none is forgotten (`hold`).
 */

import {
  boundText,
  canonicalNumber,
  openMetricsName,
  valueText,
  writeHead,
  writeMore,
} from '@outrigger/core/exposition';
import type { Format, PageWriter } from '@outrigger/core/exposition';
import { none } from './columns.ts';
import type { StoredFamily } from './family.ts';
import { readStored } from './read.ts';
import type { SeriesRegistry } from './registry.ts';

/** Series between looks at the clock. */
const slice = 512;

/** Called now and then; gives way when it is time. */
export type GiveWay = () => Promise<void> | undefined;

/** Head and series of one family. Nothing may be forgotten meanwhile (`hold`). `isAmbiguous`: a counter written as of unknown type. */
export async function writeStored(
  registry: SeriesRegistry,
  family: StoredFamily,
  out: PageWriter,
  format: Format,
  giveWay: GiveWay,
  isAmbiguous = false,
): Promise<void> {
  const shown = isAmbiguous ? ({ ...family, type: 'unknown' } as const) : family;
  writeHead(out, shown, format);
  // The one escaping under which the stored bytes are not what is written: every underscore is another.
  if (format.escaping === 'dots') {
    const read = await readStored(registry, family, giveWay);
    return writeMore(out, { ...read, type: shown.type }, format, giveWay);
  }
  const write = isAmbiguous ? plainWriter(registry, out) : writerOf(registry, family, out, format);
  let slot = family.head;
  // Series that come while this page is written belong to the next one.
  const last = family.tail;
  let done = slot === none;
  while (!done) {
    for (let i = 0; i < slice && !done; i++) {
      write(slot);
      done = slot === last;
      slot = registry.columns.next[slot] ?? none;
    }
    await giveWay();
  }
}

type WriteSeries = (slot: number) => void;

function writerOf(
  registry: SeriesRegistry,
  family: StoredFamily,
  out: PageWriter,
  format: Format,
): WriteSeries {
  switch (family.type) {
    case 'histogram':
      return histogramWriter(registry, family, out, format);
    case 'summary':
      return summaryWriter(registry, family, out, format);
    case 'gauge':
      return plainWriter(registry, out);
    case 'counter':
      return format.kind === 'openmetrics' && family.name.endsWith('_total')
        ? counterWriter(registry, family, out)
        : plainWriter(registry, out);
  }
}

function plainWriter({ columns, arena }: SeriesRegistry, out: PageWriter): WriteSeries {
  return (slot) => {
    const start = columns.textAt[slot] ?? 0;
    out.bytes(arena.bytes, start, start + (columns.textLength[slot] ?? 0));
    out.line(columns.values[slot] ?? 0);
  };
}

function counterWriter(registry: SeriesRegistry, family: StoredFamily, out: PageWriter): WriteSeries {
  const write = plainWriter(registry, out);
  const created = createdWriter(registry, family, out);
  // A family of the name that the time of creation has here would be divided by it.
  if (registry.family(`${openMetricsName(family)}_created`) !== undefined) return write;
  return (slot) => {
    write(slot);
    created(slot);
  };
}

/** `name_created{labels} seconds`. */
function createdWriter(registry: SeriesRegistry, family: StoredFamily, out: PageWriter): WriteSeries {
  const name = Buffer.from(`${openMetricsName(family)}_created`);
  let last = Number.NaN;
  let text: Buffer = name;
  return (slot) => {
    named(registry, family, out, name, slot);
    const created = registry.columns.created[slot] ?? 0;
    // Series come in bursts: many were made in the same millisecond.
    if (created !== last) text = Buffer.from(`${valueText(Math.round(created * 1000) / 1000)}\n`);
    last = created;
    out.bytes(text, 0, text.length);
  };
}

/** The text of a series under another name. */
function named(
  { columns, arena }: SeriesRegistry,
  family: StoredFamily,
  out: PageWriter,
  name: Buffer,
  slot: number,
): void {
  const start = columns.textAt[slot] ?? 0;
  out.bytes(name, 0, name.length);
  out.bytes(arena.bytes, start + family.name.length, start + (columns.textLength[slot] ?? 0));
}

/** Lines with one label more, last: `le` or `quantile`. `texts` end in the space before the value. */
function labelled(
  registry: SeriesRegistry,
  family: StoredFamily,
  out: PageWriter,
  name: string,
  label: string,
) {
  const open = Buffer.from(`${name}{`);
  const { columns, arena } = registry;
  return {
    /** The label with its value, after a comma and without one. */
    prepare: (text: string) => Buffer.from(`,${label}="${text}"} `),
    write: (slot: number, prepared: Buffer): void => {
      const from = (columns.textAt[slot] ?? 0) + family.name.length + 1;
      const to = (columns.textAt[slot] ?? 0) + (columns.textLength[slot] ?? 0) - 2;
      out.bytes(open, 0, open.length);
      if (to > from) out.bytes(arena.bytes, from, to);
      out.bytes(prepared, to > from ? 0 : 1, prepared.length);
    },
  };
}

function histogramWriter(
  registry: SeriesRegistry,
  family: StoredFamily,
  out: PageWriter,
  format: Format,
): WriteSeries {
  const bucket = labelled(registry, family, out, `${family.name}_bucket`, 'le');
  const bounds = [...family.bounds, Number.POSITIVE_INFINITY].map((bound) =>
    bucket.prepare(numberText(bound, format)),
  );
  const ends = endWriter(registry, family, out, format);
  const count = countOf(format);
  return (slot) => {
    const first = registry.columns.extra[slot] ?? 0;
    const { values } = registry.cells;
    let below = 0;
    bounds.forEach((bound, i) => {
      below += values[first + i] ?? 0;
      bucket.write(slot, bound);
      out.line(count(below));
    });
    ends(slot, below);
  };
}

function summaryWriter(
  registry: SeriesRegistry,
  family: StoredFamily,
  out: PageWriter,
  format: Format,
): WriteSeries {
  const wanted = (family.summary?.quantiles ?? []).map(({ quantile }) => quantile).sort((a, b) => a - b);
  const line = labelled(registry, family, out, family.name, 'quantile');
  const labels = wanted.map((quantile) => line.prepare(numberText(quantile, format)));
  const ends = endWriter(registry, family, out, format);
  return (slot) => {
    const values = registry.sketchOf(slot).quantiles(wanted, registry.seconds);
    labels.forEach((label, i) => {
      line.write(slot, label);
      out.line(values[i] ?? Number.NaN);
    });
    ends(slot, registry.cells.values[registry.columns.extra[slot] ?? 0] ?? 0);
  };
}

/** `_sum`, `_count` and, in OpenMetrics, `_created`. */
function endWriter(
  registry: SeriesRegistry,
  family: StoredFamily,
  out: PageWriter,
  format: Format,
): (slot: number, count: number) => void {
  const sumName = Buffer.from(`${family.name}_sum`);
  const countName = Buffer.from(`${family.name}_count`);
  const created =
    format.kind === 'openmetrics' && registry.family(`${family.name}_created`) === undefined
      ? createdWriter(registry, family, out)
      : undefined;
  const whole = countOf(format);
  return (slot, count) => {
    named(registry, family, out, sumName, slot);
    out.line(registry.columns.values[slot] ?? 0);
    named(registry, family, out, countName, slot);
    out.line(whole(count));
    created?.(slot);
  };
}

/** OpenMetrics demands whole numbers; sampled observations weigh 1/rate, which is none. */
function countOf(format: Format): (count: number) => number {
  return format.kind === 'openmetrics' ? Math.round : (count) => count;
}

function numberText(value: number, format: Format): string {
  return format.kind === 'openmetrics' ? canonicalNumber(value) : boundText(value);
}
