/** Families → a whole page, giving way to the event loop between parts. */

import { nextTurn } from '../clock/index.ts';
import { openMetricsName, writeEnd, writeHead, writeSamples } from './encode.ts';
import type { Format } from './format.ts';
import type { MetricFamily } from './model.ts';
import type { PageAsked } from './serve.ts';
import type { PageWriter } from './writer.ts';

/** The longest time a page keeps the event loop to itself, about; in ms. */
const turnMs = 2;

/** Samples between looks at the clock. */
const slice = 256;

/** Returns a function to call now and then: a promise when it is time that others have their turn. */
export function givingWay(clock: { now(): number }): () => Promise<void> | undefined {
  let until = clock.now() + turnMs;
  return () => {
    if (clock.now() < until) return undefined;
    return nextTurn().then(() => {
      until = clock.now() + turnMs;
    });
  };
}

/** Whether `name[]=` asks for the family: by the name in either format. */
export function isAsked(family: Pick<MetricFamily, 'name' | 'type'>, asked: PageAsked): boolean {
  const { names } = asked;
  return names === undefined || names.has(family.name) || names.has(openMetricsName(family));
}

/** Heads of families without samples, too: what there would be is worth knowing. */
export async function writeFamilies(
  out: PageWriter,
  families: Iterable<MetricFamily>,
  asked: PageAsked,
  giveWay: () => Promise<void> | undefined,
): Promise<void> {
  const all = [...families];
  const names = new Set(all.map(({ name }) => name));
  for (const family of all) {
    if (!isAsked(family, asked)) continue;
    const shown = isShared(family, names, asked.format) ? ({ ...family, type: 'unknown' } as const) : family;
    writeHead(out, shown, asked.format);
    await writeMore(out, shown, asked.format, giveWay);
  }
}

/** `x_total` beside `x`: in OpenMetrics both would be called `x`. */
function isShared(family: MetricFamily, names: ReadonlySet<string>, format: Format): boolean {
  const name = openMetricsName(family);
  return format.kind === 'openmetrics' && name !== family.name && names.has(name);
}

/** The samples of a family whose head is written. */
export async function writeMore(
  out: PageWriter,
  family: MetricFamily,
  format: Format,
  giveWay: () => Promise<void> | undefined,
): Promise<void> {
  for (let from = 0; from < family.samples.length; from += slice) {
    writeSamples(out, family, format, from, Math.min(from + slice, family.samples.length));
    await giveWay();
  }
}

export async function writePage(
  out: PageWriter,
  families: Iterable<MetricFamily>,
  asked: PageAsked,
  clock: { now(): number },
): Promise<void> {
  await writeFamilies(out, families, asked, givingWay(clock));
  writeEnd(out, asked.format);
}
