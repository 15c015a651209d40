/** What the adapter says about the page it makes and about whom it asks: `outrigger_adapter_*` of this page. */

import type { MetricFamily, Sample } from '@outrigger/core/exposition';
import type { Family, Metrics } from '@outrigger/core/metrics';
import type { SeriesRegistry } from '../series/registry.ts';
import { ownPrefix } from '../series/series.ts';
import type { AskedSource, Outcome } from './ask.ts';

export class PageMetrics {
  readonly #metrics: Metrics;
  readonly scrapes: Family;
  readonly refusedScrapes: Family;
  readonly cutScrapes: Family;
  readonly renderSeconds: Family;
  readonly errors: Family;
  readonly dropped: Family;
  readonly pushes: Family;

  constructor(metrics: Metrics, registry: SeriesRegistry, maxSeries: () => number) {
    this.#metrics = metrics;
    this.scrapes = metrics.counter({
      name: 'outrigger_adapter_scrapes_total',
      help: 'Scrapes of this page.',
    });
    this.refusedScrapes = metrics.counter({
      name: 'outrigger_adapter_scrapes_refused_total',
      help: 'Scrapes answered with 503, because too many were under way.',
    });
    this.cutScrapes = metrics.counter({
      name: 'outrigger_adapter_scrapes_cut_total',
      help: 'Pages given up because the scraper took them too slowly.',
    });
    this.renderSeconds = metrics.gauge({
      name: 'outrigger_adapter_render_seconds',
      help: 'Time the last page took to write, without asking the sources.',
    });
    this.errors = metrics.counter({
      name: 'outrigger_adapter_source_errors_total',
      help: 'Times a source did not answer as it should, by the class of failure.',
      labels: ['source', 'class'],
    });
    this.dropped = metrics.counter({
      name: 'outrigger_adapter_source_dropped_total',
      help: 'Parts of the answers of sources that are not on the page, by reason.',
      labels: ['source', 'reason'],
    });
    this.pushes = metrics.counter({
      name: 'outrigger_adapter_otlp_pushes_total',
      help: 'Requests to the OpenTelemetry collector, by result.',
      labels: ['result'],
    });
    declareRegistry(metrics, registry, maxSeries);
  }

  /** The families of the adapter itself; those of the cells they are counted in are the admin page's. */
  async families(): Promise<MetricFamily[]> {
    const all = await this.#metrics.families();
    return all.filter(({ name }) => name.startsWith(ownPrefix));
  }
}

function declareRegistry(metrics: Metrics, registry: SeriesRegistry, maxSeries: () => number): void {
  const gauge = (name: string, help: string, read: () => number): void =>
    metrics.collected('gauge', { name, help }, () => [{ labels: [], value: read() }]);
  gauge(
    'outrigger_adapter_series',
    'Series kept of what was told; pulled ones are not kept.',
    () => registry.size,
  );
  gauge('outrigger_adapter_series_limit', 'Series at most, told and pulled together.', maxSeries);
  metrics.collected(
    'counter',
    {
      name: 'outrigger_adapter_series_forgotten_total',
      help: 'Series not told any more for their time to live.',
    },
    () => [{ labels: [], value: registry.forgotten }],
  );
  metrics.collected(
    'counter',
    {
      name: 'outrigger_adapter_series_refused_total',
      help: 'Times a new series was not kept, by who told it and why.',
      labels: ['source', 'reason'],
    },
    () =>
      [...registry.refused()].map(({ source, reason, count }) => ({
        labels: [source, reason],
        value: count,
      })),
  );
}

/** As seen by one scrape: a source that was too late for it is down for it. */
export function sourceFamilies(
  asked: readonly { readonly source: AskedSource; readonly outcome: Outcome }[],
): MetricFamily[] {
  const family = (name: string, help: string, read: (one: (typeof asked)[number]) => number | undefined) => ({
    name: `outrigger_adapter_source_${name}`,
    help,
    type: 'gauge' as const,
    samples: asked.flatMap((one): Sample[] => {
      const value = read(one);
      const { name: source, endpoint } = one.source.options;
      const labels = [['source', source], ['endpoint', endpoint]] as const; // prettier-ignore
      return value === undefined ? [] : [{ suffix: '', labels, value }];
    }),
  });
  return [
    family('up', '1 if the source answered this scrape in time.', ({ outcome }) => (outcome.up ? 1 : 0)),
    family(
      'duration_seconds',
      'How long the source took when it was asked last.',
      ({ source }) => source.state?.seconds,
    ),
    family(
      'last_success_timestamp_seconds',
      'When the source answered last.',
      ({ source }) => source.state?.lastSuccess,
    ),
    family('series', 'Series of the source in its answer.', ({ outcome }) =>
      outcome.up ? outcome.series : 0,
    ),
  ];
}
