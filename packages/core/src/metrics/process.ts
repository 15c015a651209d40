/** `process_*` and `nodejs_*`, which prom-client knows how to measure. */

import type { MetricFamily, MetricType, Sample, SampleSuffix } from '../exposition/index.ts';

/** Imports prom-client, and begins to measure (the event loop's lag is watched from now on). */
export async function processFamilies(): Promise<() => Promise<MetricFamily[]>> {
  const { Registry, collectDefaultMetrics } = await import('prom-client');
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return async () =>
    (await registry.getMetricsAsJSON()).map((metric) => familyOf(metric as unknown as Measured));
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
  return { name, help, type: types.has(type) ? (type as MetricType) : 'unknown', samples };
}
