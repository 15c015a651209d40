/** The catalogue at the edge: declares families, names and documents their cells, and reads them when asked. */

import {
  answerPage,
  BlockPool,
  PageWriter,
  textFormat,
  writeHead,
  writePage,
  writeSamples,
} from '../exposition/index.ts';
import type { MetricFamily, PageHeaders, Sample } from '../exposition/index.ts';
import { Cells } from './cells.ts';
import { Family } from './family.ts';
import { Histogram, histogramWidth, logLinearShape } from './histogram.ts';
import { processFamilies } from './process.ts';

export interface FamilyOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** Label sets kept; further ones share `(other)`. Default 10,000. */
  readonly maxSeries?: number;
}

export interface HistogramOptions extends FamilyOptions {
  /** A peer's exact buckets, ascending. Without them: log-linear from `smallest` to `largest`. */
  readonly bounds?: readonly number[];
  /** In the metric's unit. Default 0.00005 (50 µs). */
  readonly smallest?: number;
  /** Default 60. */
  readonly largest?: number;
}

export interface MetricsOptions {
  /** Cells in all. Default 262,144 (2 MiB, of which only touched pages are real). */
  readonly capacity?: number;
  /** `process_*` and `nodejs_*` on this page. Default true. */
  readonly processMetrics?: boolean;
}

export interface CollectedSample {
  readonly labels: readonly string[];
  readonly value: number;
}

interface Exposed {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly read: () => Sample[];
}

export class Metrics {
  readonly cells: Cells;
  readonly pool = new BlockPool();
  readonly #exposed = new Map<string, Exposed>();
  readonly #options: MetricsOptions;
  readonly #overflow: Family;
  #process: Promise<() => Promise<MetricFamily[]>> | undefined;

  constructor(options: MetricsOptions = {}) {
    this.#options = options;
    this.cells = new Cells(options.capacity);
    this.#overflow = this.counter({
      name: 'outrigger_metrics_overflow_total',
      help: 'Label sets not kept because a family reached its limit of series.',
      labels: ['family'],
    });
    this.collected(
      'gauge',
      {
        name: 'outrigger_metrics_cells_used',
        help: 'Metric cells in use; the limit is outrigger_metrics_cells_limit.',
      },
      () => [{ labels: [], value: this.cells.used }],
    );
    this.collected(
      'gauge',
      {
        name: 'outrigger_metrics_cells_limit',
        help: 'Metric cells this process may use.',
      },
      () => [{ labels: [], value: this.cells.capacity }],
    );
  }

  counter(options: FamilyOptions): Family {
    return this.#plain('counter', options);
  }

  gauge(options: FamilyOptions): Family {
    return this.#plain('gauge', options);
  }

  histogram(options: HistogramOptions): Histogram {
    const shape =
      options.bounds === undefined
        ? logLinearShape(options.smallest ?? 0.000_05, options.largest ?? 60)
        : { bounds: options.bounds };
    const family = this.#family(options, histogramWidth(shape));
    const histogram = new Histogram(family, shape, this.cells);
    this.#expose('histogram', options, () => histogramSamples(histogram));
    return histogram;
  }

  /** A family whose samples are computed when the page is read: ages, sizes, states. */
  collected(
    type: 'counter' | 'gauge',
    options: FamilyOptions,
    collect: () => Iterable<CollectedSample>,
  ): void {
    const names = options.labels ?? [];
    this.#expose(type, options, () =>
      [...collect()].map(({ labels, value }) => ({
        suffix: '' as const,
        labels: labelPairs(names, labels),
        value,
      })),
    );
  }

  /** Everything declared here, then the process' own: in the order of the page. */
  async families(): Promise<MetricFamily[]> {
    const own = [...this.#exposed.values()].map(({ name, help, type, read }) => ({
      name,
      help,
      type,
      samples: read(),
    }));
    if (this.#options.processMetrics === false) return own;
    // prom-client costs tens of milliseconds to import: the first scrape pays, not the start.
    this.#process ??= processFamilies();
    return [...own, ...(await (await this.#process)())];
  }

  /** The page in text format 0.0.4, for those who are not asked over HTTP. */
  async page(): Promise<string> {
    const out = new PageWriter(this.pool);
    for (const family of await this.families()) {
      writeHead(out, family, textFormat);
      writeSamples(out, family, textFormat);
    }
    const text = Buffer.concat(out.finish()).toString('utf8');
    out.release();
    return text;
  }

  /** The page in the format and encoding a scraper asks for. */
  async answer(headers: PageHeaders, query: URLSearchParams): ReturnType<typeof answerPage> {
    return answerPage(headers, query, this.pool, async (out, asked) =>
      writePage(out, await this.families(), asked, performance),
    );
  }

  #plain(type: 'counter' | 'gauge', options: FamilyOptions): Family {
    const family = this.#family(options, 1);
    const { values } = this.cells;
    this.#expose(type, options, () =>
      [...family.series()].map((series) => ({
        suffix: '',
        labels: labelPairs(family.spec.labels, series.values),
        value: values[series.index] ?? 0,
      })),
    );
    return family;
  }

  #family(options: FamilyOptions, width: number): Family {
    const { name, help, labels = [], maxSeries = 10_000 } = options;
    return new Family({ name, help, labels, maxSeries, width }, this.cells, (family) => {
      this.#overflow.add(1, family);
    });
  }

  #expose(type: Exposed['type'], options: FamilyOptions, read: Exposed['read']): void {
    if (this.#exposed.has(options.name)) throw new TypeError(`metric ${options.name} is declared twice`);
    this.#exposed.set(options.name, { name: options.name, help: options.help, type, read });
  }
}

function histogramSamples(histogram: Histogram): Sample[] {
  const { labels: names } = histogram.family.spec;
  const samples: Sample[] = [];
  for (const series of histogram.family.series()) {
    const labels = labelPairs(names, series.values);
    const { buckets, count, sum } = histogram.read(series.index);
    for (const [bound, below] of buckets) {
      const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : String(Number(bound.toPrecision(12)));
      samples.push({ suffix: '_bucket', labels: [...labels, ['le', le]], value: below });
    }
    samples.push({ suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: count });
  }
  return samples;
}

function labelPairs(names: readonly string[], values: readonly string[]): [string, string][] {
  return names.map((name, i) => [name, values[i] ?? '']);
}
