/** Pushing, where it is configured: the SDK costs tens of milliseconds to import, so only then. */

import type { Clock } from '@outrigger/core/clock';
import type { MetricFamily } from '@outrigger/core/exposition';
import type { Metrics } from '@outrigger/core/metrics';

export interface OtlpConfig {
  /** http(s) URL of a collector; `/v1/metrics` where it has no path. */
  readonly endpoint: string;
  readonly intervalMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

export interface OtlpPush {
  /** Now, besides the interval. */
  push(): Promise<void>;
  /** Pushes a last time, within bounds. */
  close(): Promise<void>;
}

export async function startPush(
  config: OtlpConfig,
  families: () => Promise<readonly MetricFamily[]>,
  metrics: Metrics,
  clock: Clock,
): Promise<OtlpPush> {
  const { startOtlpPush } = await import('./otlp.ts');
  const pushes = metrics.counter({
    name: 'outrigger_adapter_otlp_pushes_total',
    help: 'Requests to the OpenTelemetry collector, by result.',
    labels: ['result'],
  });
  return startOtlpPush(config, families, (isGood) => pushes.add(1, isGood ? 'success' : 'failure'), clock);
}
