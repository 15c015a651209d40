/**
 * A page of Prometheus' text format 0.0.4 or of OpenMetrics 1.0 → families. Metadata may stand anywhere, lines of a
 * family need not stand together: samples are gathered by their names and made into families at the end.
 */

import { nextTurn } from '@outrigger/core/clock';
import type { MetricFamily, MetricType } from '@outrigger/core/exposition';
import { assemble, perTurn } from './assemble.ts';
import { LineError, LineReader } from './line.ts';
import type { Draft } from './line.ts';

export interface ParsedPage {
  readonly families: readonly MetricFamily[];
  /** Samples not taken, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** The page cannot be read: what is wrong in which line. */
export class PageError extends Error {
  readonly line: number;

  constructor(line: number, what: string) {
    super(`line ${line}: ${what}`);
    this.line = line;
  }
}

/** What a page says, before samples are put into families. Orders are those of the page. */
export interface RawPage {
  readonly types: Map<string, MetricType>;
  readonly helps: Map<string, string>;
  readonly units: Map<string, string>;
  readonly samples: Map<string, Draft[]>;
}

export type PageFormat = 'text' | 'openmetrics';

/** By `Content-Type`; anything that does not say OpenMetrics is the text format. */
export function formatOf(contentType: string): PageFormat {
  return /^\s*application\/openmetrics-text\s*(?:;|$)/i.test(contentType) ? 'openmetrics' : 'text';
}

/** Throws PageError. */
export function parsePage(text: string, format: PageFormat): ParsedPage {
  const steps = parseSteps(text, format);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The same, giving way to everything else between parts: a large page takes a while. Rejects with PageError. */
export async function parsePageInTurns(text: string, format: PageFormat): Promise<ParsedPage> {
  const steps = parseSteps(text, format);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await nextTurn();
  }
}

function* parseSteps(text: string, format: PageFormat): Generator<void, ParsedPage> {
  return yield* assemble(yield* readLines(text, format === 'openmetrics'));
}

function* readLines(text: string, openMetrics: boolean): Generator<void, RawPage> {
  const page: RawPage = { types: new Map(), helps: new Map(), units: new Map(), samples: new Map() };
  const reader = new LineReader(text, openMetrics);
  let line = 0;
  let ended = false;
  for (let from = 0; from < text.length;) {
    line++;
    if (line % perTurn === 0) yield;
    const lineBreak = text.indexOf('\n', from);
    const next = lineBreak === -1 ? text.length : lineBreak;
    const to = next > from && text.charCodeAt(next - 1) === 13 ? next - 1 : next;
    try {
      if (ended) throw new LineError('there is more after # EOF');
      ended = readLine(page, reader, text, from, to) && openMetrics;
    } catch (error) {
      throw error instanceof LineError ? new PageError(line, error.message) : error;
    }
    from = next + 1;
  }
  if (openMetrics && !ended) throw new PageError(line, 'the page ends without # EOF: it is not complete');
  return page;
}

/** True if the line is `# EOF`. */
function readLine(page: RawPage, reader: LineReader, text: string, from: number, to: number): boolean {
  const start = afterBlanks(text, from, to);
  if (start === to) return false;
  if (text.charCodeAt(start) !== 35) {
    const sample = reader.sample(start, to);
    const known = page.samples.get(reader.name);
    if (known === undefined) page.samples.set(reader.name, [sample]);
    else known.push(sample);
    return false;
  }
  const meta = reader.meta(start, to);
  if (meta === undefined) return text.slice(start, to).trimEnd() === '# EOF';
  // The first of each kind holds; that there is a second is no reason to lose the page.
  if (meta.keyword === 'TYPE') setOnce(page.types, meta.name, typeOf(meta.text));
  else setOnce(meta.keyword === 'HELP' ? page.helps : page.units, meta.name, meta.text);
  return false;
}

function afterBlanks(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && (text.charCodeAt(at) === 32 || text.charCodeAt(at) === 9)) at++;
  return at;
}

const types: readonly MetricType[] = [
  ...(['counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset', 'unknown'] as const),
];

function typeOf(text: string): MetricType {
  const wanted = text.toLowerCase();
  const found = types.find((type) => type === wanted);
  if (found !== undefined) return found;
  if (wanted === 'untyped') return 'unknown';
  throw new LineError(`there is no type ${JSON.stringify(text)}`);
}

function setOnce<V>(map: Map<string, V>, name: string, value: V): void {
  if (!map.has(name)) map.set(name, value);
}
