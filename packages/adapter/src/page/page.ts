/**
 * The scrape page: every source is asked side by side within the time the scraper has, what they answer is merged with
 * what was told, and one that fails is `up 0` and changes nothing else.
 */

import type { Clock } from '@outrigger/core/clock';
import { OutriggerError } from '@outrigger/core/errors';
import {
  escapeMetricName,
  givingWay,
  isAsked,
  isLegacyMetricName,
  writeEnd,
  writeHead,
  writeMore,
} from '@outrigger/core/exposition';
import type { MetricFamily, PageAsked, PageWriter } from '@outrigger/core/exposition';
import type { SeriesRegistry } from '../series/registry.ts';
import { readStored } from '../series/read.ts';
import { writeStored } from '../series/render.ts';
import type { AskedSource, Outcome } from './ask.ts';
import { Merger } from './merge.ts';
import { sourceFamilies } from './observe.ts';
import type { PageMetrics } from './observe.ts';

/** Scrapes under way at most, until they are sent: each holds a page in memory. */
export const maxScrapes = 8;

/** Asked by nobody who says how long he waits. */
const defaultTimeoutMs = 10_000;

/** For writing and sending the page, out of the scraper's time. */
const reservedMs = 500;

/** Below it no source could answer. */
const leastMs = 5;

export interface PageParts {
  readonly registry: SeriesRegistry;
  readonly metrics: PageMetrics;
  /** `outrigger_adapter_*` of other parts. */
  readonly own: () => Promise<readonly MetricFamily[]>;
  /** In the order of the configuration. */
  readonly sources: () => readonly AskedSource[];
  /** Told and pulled. */
  readonly maxSeries: () => number;
  readonly clock: Clock;
}

interface Answered {
  readonly source: AskedSource;
  readonly outcome: Outcome;
}

/** How long sources may take when the scraper waits so long. */
export function timeForSources(scrapeTimeoutMs: number | undefined): number {
  const timeout = scrapeTimeoutMs ?? defaultTimeoutMs + reservedMs;
  return Math.max(timeout - reservedMs, timeout / 2, leastMs);
}

export class Page {
  readonly #parts: PageParts;
  readonly #counted = new WeakSet<Outcome>();
  #underWay = 0;

  constructor(parts: PageParts) {
    this.#parts = parts;
  }

  get metrics(): PageMetrics {
    return this.#parts.metrics;
  }

  /** `sent`: settles when the page is needed no more; absent: when it is written. Throws SCRAPE_BUSY. */
  async write(out: PageWriter, asked: PageAsked, sent?: Promise<void>): Promise<void> {
    const { metrics } = this.#parts;
    metrics.scrapes.add(1);
    if (this.#underWay >= maxScrapes) {
      metrics.refusedScrapes.add(1);
      throw new OutriggerError(`${maxScrapes} scrapes are under way already`, {
        code: 'SCRAPE_BUSY',
        hint: 'scrape less often, or with fewer scrapers',
      });
    }
    this.#underWay += 1;
    try {
      const answered = await this.#ask(asked);
      await this.#compose(out, asked, answered);
    } finally {
      const leave = (): void => {
        this.#underWay -= 1;
      };
      if (sent === undefined) leave();
      else void sent.then(leave);
    }
  }

  /** Everything as families, for those who push it. */
  async families(): Promise<MetricFamily[]> {
    const { registry, clock } = this.#parts;
    const answered = await this.#ask({ timeoutMs: undefined });
    const giveWay = givingWay(clock);
    const release = registry.hold();
    try {
      const merger = await this.#merged(answered, giveWay);
      const families = [...merger.families()];
      for (const family of [...registry.families()])
        families.push(await readStored(registry, family, giveWay));
      return families;
    } finally {
      release();
    }
  }

  async #ask(asked: Pick<PageAsked, 'timeoutMs'>): Promise<Answered[]> {
    const leftMs = timeForSources(asked.timeoutMs);
    const sources = this.#parts.sources();
    return Promise.all(sources.map(async (source) => ({ source, outcome: await source.ask(leftMs) })));
  }

  async #compose(out: PageWriter, asked: PageAsked, answered: readonly Answered[]): Promise<void> {
    const { registry, clock, metrics } = this.#parts;
    const started = clock.now();
    const giveWay = givingWay(clock);
    const release = registry.hold();
    try {
      const merger = await this.#merged(answered, giveWay);
      await this.#writeAll(out, asked, merger, giveWay);
      writeEnd(out, asked.format);
    } finally {
      release();
    }
    metrics.renderSeconds.set((clock.now() - started) / 1000);
  }

  async #merged(answered: readonly Answered[], giveWay: () => Promise<void> | undefined): Promise<Merger> {
    const { registry, metrics } = this.#parts;
    const merger = new Merger(registry);
    await this.#merge(merger, answered, giveWay);
    merger.addOwn([...(await metrics.families()), ...sourceFamilies(answered), ...(await this.#parts.own())]);
    return merger;
  }

  async #merge(
    merger: Merger,
    answered: readonly Answered[],
    giveWay: () => Promise<void> | undefined,
  ): Promise<void> {
    const { metrics, registry, maxSeries } = this.#parts;
    let room = maxSeries() - registry.size;
    for (const { source, outcome } of answered) {
      const { name, shape } = source.options;
      const leftOut = (reason: string, count: number): void => metrics.dropped.add(count, name, reason);
      // Scrapes may share an outcome; what it says happened once.
      const isNew = !this.#counted.has(outcome);
      this.#counted.add(outcome);
      if (isNew && !outcome.up) metrics.errors.add(1, name, outcome.failure);
      if (isNew && outcome.up)
        for (const [reason, count] of Object.entries(outcome.answer.dropped ?? {})) leftOut(reason, count);
      const families = outcome.up ? outcome.answer.families : outcome.families;
      const series = outcome.up ? outcome.series : 0;
      if (series > room) leftOut('series-limit', series);
      else {
        room -= series;
        await merger.add({ families, mayRepeat: shape.changes }, leftOut, giveWay);
      }
    }
  }

  async #writeAll(
    out: PageWriter,
    asked: PageAsked,
    merger: Merger,
    giveWay: () => Promise<void> | undefined,
  ): Promise<void> {
    const { registry } = this.#parts;
    const pulled = new Map<string, MetricFamily>();
    for (const family of merger.families()) pulled.set(family.name, family);
    const ambiguous = (family: Pick<MetricFamily, 'name' | 'type'>): boolean =>
      asked.format.kind === 'openmetrics' && merger.isAmbiguous(family);
    // A copy: names that come while this page is written belong to the next one.
    for (const family of [...registry.families()]) {
      const more = pulled.get(family.name);
      pulled.delete(family.name);
      if (!isAsked(family, asked)) continue;
      const isAmbiguous = ambiguous(family);
      await writeStored(registry, family, out, asked.format, giveWay, isAmbiguous);
      if (more !== undefined)
        await writeMore(out, isAmbiguous ? { ...more, type: 'unknown' } : more, asked.format, giveWay);
    }
    const written = new Set<string>();
    for (const family of pulled.values()) {
      if (!isAsked(family, asked) || this.#collides(family, asked, merger, written)) continue;
      const shown: MetricFamily = ambiguous(family) ? { ...family, type: 'unknown' } : family;
      writeHead(out, shown, asked.format);
      await writeMore(out, shown, asked.format, giveWay);
    }
  }

  /** Whether the name, written as this scraper takes names, is another family's: `a.b` beside `a_b`. */
  #collides(
    { name, samples }: MetricFamily,
    { format }: PageAsked,
    merger: Merger,
    written: Set<string>,
  ): boolean {
    if (isLegacyMetricName(name) || format.escaping === 'allow-utf-8') return false;
    const escaped = escapeMetricName(name, format.escaping);
    const collides = merger.has(escaped) || written.has(escaped);
    written.add(escaped);
    if (collides) this.#parts.metrics.dropped.add(samples.length, '', 'name-conflict');
    return collides;
  }
}
