/** Pushing, where it is configured: the SDK costs tens of milliseconds to import, so only then. */

import type { Clock } from '@outrigger/core/clock';
import type { MetricFamily } from '@outrigger/core/exposition';
import type { Family } from '@outrigger/core/metrics';

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

/** `pushes`: a counter by result. */
export async function startPush(
  config: OtlpConfig,
  families: () => Promise<readonly MetricFamily[]>,
  pushes: Family,
  clock: Clock,
): Promise<OtlpPush> {
  const { startOtlpPush } = await import('./otlp.ts');
  return startOtlpPush(config, families, (isGood) => pushes.add(1, isGood ? 'success' : 'failure'), clock);
}
