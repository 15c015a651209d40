/** The catalogue at the edge: declares families, and lets prom-client name, document and expose their cells. */

import { Cells } from './cells.ts';
import { Family } from './family.ts';
import { Histogram, histogramWidth, logLinearShape } from './histogram.ts';

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

type Exposed = {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  read: () => { labels: Record<string, string>; value: number; metricName?: string }[];
};

const contentType = 'text/plain; version=0.0.4; charset=utf-8';

export class Metrics {
  readonly cells: Cells;
  readonly contentType = contentType;
  readonly #exposed = new Map<string, Exposed>();
  readonly #options: MetricsOptions;
  readonly #overflow: Family;
  #page: Promise<() => Promise<string>> | undefined;

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
      [...collect()].map(({ labels, value }) => ({ labels: labelObject(names, labels), value })),
    );
  }

  /** The page in text format 0.0.4. */
  async page(): Promise<string> {
    // prom-client costs tens of milliseconds to import: the first scrape pays, not the start.
    this.#page ??= this.#build();
    return (await this.#page)();
  }

  #plain(type: 'counter' | 'gauge', options: FamilyOptions): Family {
    const family = this.#family(options, 1);
    const { values } = this.cells;
    this.#expose(type, options, () =>
      [...family.series()].map((series) => ({
        labels: labelObject(family.spec.labels, series.values),
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
    this.#page = undefined;
  }

  async #build(): Promise<() => Promise<string>> {
    const { Registry, collectDefaultMetrics } = await import('prom-client');
    const registry = new Registry();
    if (this.#options.processMetrics !== false) collectDefaultMetrics({ register: registry });
    for (const { name, help, type, read } of this.#exposed.values()) {
      const metric = {
        name,
        help,
        type,
        aggregator: 'sum',
        get: () => Promise.resolve({ name, help, type, values: read() }),
      };
      // The published types know only prom-client's own classes; the registry asks no more of a metric than this shape.
      registry.registerMetric(metric as unknown as Parameters<typeof registry.registerMetric>[0]);
    }
    return () => registry.metrics();
  }
}

function histogramSamples(histogram: Histogram): ReturnType<Exposed['read']> {
  const { name, labels: names } = histogram.family.spec;
  const samples: ReturnType<Exposed['read']> = [];
  for (const series of histogram.family.series()) {
    const labels = labelObject(names, series.values);
    const { buckets, count, sum } = histogram.read(series.index);
    for (const [bound, below] of buckets) {
      const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : String(Number(bound.toPrecision(12)));
      samples.push({ labels: { ...labels, le }, value: below, metricName: `${name}_bucket` });
    }
    samples.push({ labels, value: sum, metricName: `${name}_sum` });
    samples.push({ labels, value: count, metricName: `${name}_count` });
  }
  return samples;
}

function labelObject(names: readonly string[], values: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = {};
  names.forEach((name, i) => (labels[name] = values[i] ?? ''));
  return labels;
}
