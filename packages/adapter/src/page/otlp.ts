/**
 * What the page shows, pushed to an OpenTelemetry collector by OTLP over HTTP. The one file that knows the SDK; it is
 * imported when an endpoint is configured, and nothing of it is registered for the whole process.
 *
 * Names as the OpenTelemetry specification maps those of Prometheus: a monotonic sum is named without `_total`. The SDK
 * knows no summaries: their quantiles are gauges, their sum and count are sums of their own.
 */

import { ValueType } from '@opentelemetry/api';
import type { HrTime } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type {
  CollectionResult,
  DataPoint,
  Histogram,
  MetricData,
  PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import type { Clock } from '@outrigger/core/clock';
import { readNumber } from '@outrigger/core/exposition';
import type { LabelPairs, MetricFamily, Sample } from '@outrigger/core/exposition';
import { version } from '@outrigger/core/lifecycle';
import type { OtlpConfig, OtlpPush } from './push.ts';

/** Points in one request. */
const maxBatch = 5_000;

/** For the last push when the adapter ends. */
const lastPushMs = 2_000;

export function startOtlpPush(
  config: OtlpConfig,
  families: () => Promise<readonly MetricFamily[]>,
  onPush: (isGood: boolean) => void,
  clock: Clock,
): OtlpPush {
  const { endpoint, intervalMs, headers } = config;
  const resource = resourceFromAttributes({
    'service.name': 'outrigger-adapter',
    'service.version': version,
  });
  const exporter = counted(
    new OTLPMetricExporter({ url: metricsUrl(endpoint), headers: { ...headers } }),
    onPush,
  );
  const startSeconds = clock.wall() / 1000;
  const collect = async (): Promise<CollectionResult> => {
    const now = clock.wall() / 1000;
    const all = await families();
    const names = new Set(all.map(({ name }) => name));
    const metrics = all.flatMap((family) => metricsOf(family, names, startSeconds, now));
    const scopeMetrics = [{ scope: { name: 'outrigger', version }, metrics }];
    return { resourceMetrics: { resource, scopeMetrics }, errors: [] };
  };
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: intervalMs,
    exportTimeoutMillis: Math.min(intervalMs, 30_000),
    metricProducers: [{ collect }],
    maxExportBatchSize: maxBatch,
  });
  const provider = new MeterProvider({ resource, readers: [reader] });
  return {
    push: () => reader.forceFlush(),
    close: () => {
      // A collector that is gone must not keep the adapter; what failed was counted.
      const ended = provider.shutdown().catch(() => undefined);
      return Promise.race([ended, clock.sleep(lastPushMs)]).then(() => undefined);
    },
  };
}

/** The path of the protocol, where the endpoint has none. */
function metricsUrl(endpoint: string): string {
  const url = new URL(endpoint);
  if (url.pathname === '/') url.pathname = '/v1/metrics';
  return url.href;
}

function counted(exporter: PushMetricExporter, onPush: (isGood: boolean) => void): PushMetricExporter {
  return {
    export: (metrics, done) =>
      exporter.export(metrics, (result) => {
        onPush(result.error === undefined);
        done(result);
      }),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
}

/** One family as metrics of the protocol. `names`: of all families. */
function metricsOf(
  family: MetricFamily,
  names: ReadonlySet<string>,
  startSeconds: number,
  now: number,
): MetricData[] {
  const created = new Map(
    family.samples.filter(({ suffix }) => suffix === '_created').map((one) => [keyOf(one.labels), one.value]),
  );
  const point = <T>(labels: LabelPairs, value: T): DataPoint<T> => ({
    startTime: timeOf(created.get(keyOf(labels)) ?? startSeconds),
    endTime: timeOf(now),
    attributes: Object.fromEntries(labels),
    value,
  });
  const plain = (suffix: Sample['suffix'], isSum: boolean): MetricData[] => {
    // JSON has no NaN and no infinity: a point without a value would be sent.
    const samples = family.samples.filter((one) => one.suffix === suffix && Number.isFinite(one.value));
    const dataPoints = samples.map(({ labels, value }) => point(labels, value));
    if (dataPoints.length === 0) return [];
    const name = family.name + suffix;
    const short = name.replace(/_total$/, '');
    return [
      isSum
        ? {
            // A gauge of the shorter name has it.
            ...base(family, names.has(short) ? name : short),
            dataPointType: DataPointType.SUM,
            isMonotonic: true,
            dataPoints,
          }
        : { ...base(family, name), dataPointType: DataPointType.GAUGE, dataPoints },
    ];
  };
  switch (family.type) {
    case 'counter':
      return plain('', true);
    case 'histogram':
      return [
        {
          ...base(family, family.name),
          dataPointType: DataPointType.HISTOGRAM,
          dataPoints: histograms(family).map(({ labels, value }) => point(labels, value)),
        },
      ];
    case 'summary':
      return [...plain('', false), ...plain('_sum', true), ...plain('_count', true)];
    case 'gaugehistogram':
      return [...plain('_bucket', false), ...plain('_gsum', false), ...plain('_gcount', false)];
    case 'gauge':
    case 'info':
    case 'stateset':
    case 'unknown':
      return plain('', false);
  }
}

function base({ help, unit = '' }: MetricFamily, name: string) {
  return {
    descriptor: { name, description: help, unit, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
}

/** Cumulative buckets of one series each → counts between bounds. */
function histograms({ samples }: MetricFamily): { labels: LabelPairs; value: Histogram }[] {
  const found = new Map<
    string,
    { labels: LabelPairs; buckets: [number, number][]; sum: number; count: number }
  >();
  for (const { suffix, labels, value } of samples) {
    const own = suffix === '_bucket' ? labels.filter(([name]) => name !== 'le') : labels;
    const key = keyOf(own);
    const series = found.get(key) ?? { labels: own, buckets: [], sum: 0, count: 0 };
    found.set(key, series);
    if (suffix === '_sum') series.sum = value;
    else if (suffix === '_count') series.count = value;
    else if (suffix === '_bucket') {
      const le = labels.find(([name]) => name === 'le')?.[1] ?? '+Inf';
      series.buckets.push([readNumber(le) ?? Number.POSITIVE_INFINITY, value]);
    }
  }
  return [...found.values()].map(({ labels, buckets, sum, count }) => {
    const ascending = buckets.sort(([a], [b]) => a - b);
    const counts = ascending.map(
      ([, below], i) => Math.round(below) - Math.round(ascending[i - 1]?.[1] ?? 0),
    );
    const boundaries = ascending.map(([bound]) => bound).filter((bound) => Number.isFinite(bound));
    return { labels, value: { buckets: { boundaries, counts }, sum, count: Math.round(count) } };
  });
}

function keyOf(labels: LabelPairs): string {
  return JSON.stringify([...labels].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function timeOf(seconds: number): HrTime {
  const whole = Math.floor(seconds);
  return [whole, Math.round((seconds - whole) * 1e9)];
}
