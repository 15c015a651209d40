/** What a page says, whatever its format: families of samples. */

/** Prometheus text format 0.0.4 and OpenMetrics 1.0. Formats without a type write the nearest one they have. */
export type MetricType =
  'counter' | 'gauge' | 'histogram' | 'gaugehistogram' | 'summary' | 'info' | 'stateset' | 'unknown';

/** Names (without duplicates) and values, in the order in which they are written; values are any Unicode text. */
export type LabelPairs = readonly (readonly [name: string, value: string])[];

export interface Exemplar {
  /** At most 128 characters in all (OpenMetrics 1.0); longer ones are left out. */
  readonly labels: LabelPairs;
  readonly value: number;
  /** Seconds since the epoch. */
  readonly timestamp?: number;
}

export type SampleSuffix = '' | '_bucket' | '_sum' | '_count' | '_created' | '_gcount' | '_gsum';

export interface Sample {
  /** `_created` (seconds since the epoch) is written where the format has it. */
  readonly suffix: SampleSuffix;
  /** With `le` or `quantile` where the type wants it: any decimal number, written canonically. */
  readonly labels: LabelPairs;
  readonly value: number;
  readonly exemplar?: Exemplar;
}

export interface MetricFamily {
  /**
   * The name of the samples without their suffix, as text format 0.0.4 writes it: with `_total` for counters that have
   * it and `_info` for infos. A counter without `_total` is `unknown` in OpenMetrics, so that no name depends on the format.
   */
  readonly name: string;
  readonly type: MetricType;
  /** Any Unicode text, not escaped. */
  readonly help: string;
  /** OpenMetrics' UNIT; the name must end in it. */
  readonly unit?: string;
  /** Buckets and quantiles of one series ascending and side by side; no two samples with the same suffix and labels. */
  readonly samples: readonly Sample[];
}
