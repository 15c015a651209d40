/** `process_*` and `nodejs_*`, which prom-client knows how to measure. */

import type { MetricFamily, MetricType, Sample, SampleSuffix } from '../exposition/index.ts';

/** Gauges named like counters, which OpenMetrics forbids: sums of the families without `_total`. And what is told twice. */
const leftOut: ReadonlySet<string> = new Set([
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
  'nodejs_eventloop_utilization_summary',
]);

/** No type belongs into a name. */
const renamed: Readonly<Record<string, string>> = {
  nodejs_eventloop_utilization_histogram: 'nodejs_eventloop_utilization_ratio',
};

/** Imports prom-client, and begins to measure (the event loop's lag is watched from now on). */
export async function processFamilies(): Promise<() => Promise<MetricFamily[]>> {
  const { Registry, collectDefaultMetrics } = await import('prom-client');
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return async () => {
    const measured = (await registry.getMetricsAsJSON()) as unknown as Measured[];
    return measured.filter(({ name }) => !leftOut.has(name)).map(familyOf);
  };
}

interface Measured {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly {
    /** Missing in a summary that nothing was put into yet. */
    readonly labels?: Readonly<Record<string, string | number>>;
    readonly value: number;
    readonly metricName?: string;
  }[];
}

const types: ReadonlySet<string> = new Set<MetricType>(['counter', 'gauge', 'histogram', 'summary']);

function familyOf({ name, help, type, values }: Measured): MetricFamily {
  const samples = values.map(({ labels = {}, value, metricName = name }): Sample => {
    const pairs = Object.entries(labels).map(([label, text]) => [label, String(text)] as const);
    return { suffix: metricName.slice(name.length) as SampleSuffix, labels: pairs, value };
  });
  const known = types.has(type) ? (type as MetricType) : 'unknown';
  return { name: renamed[name] ?? name, help, type: known, samples };
}
