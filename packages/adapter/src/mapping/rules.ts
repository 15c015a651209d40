/** What a mapping says once it is read: rules in their order, and what applies where no rule says otherwise. */

import type { SummarySpec } from '../series/series.ts';

/** What rules tell apart: timers, histograms and distributions are all observed; sets are gauges. */
export type MetricKind = 'counter' | 'gauge' | 'observer';

export type Observer =
  | { readonly type: 'histogram'; readonly bounds: readonly number[] }
  | { readonly type: 'summary'; readonly summary: SummarySpec };

export interface Rule {
  /** Position in `mappings`, from 0. */
  readonly index: number;
  readonly matchType: 'glob' | 'regex';
  readonly match: string;
  /** Undefined: every kind. */
  readonly kind: MetricKind | undefined;
  readonly drop: boolean;
  /** Template of the name, with `$1` or `${1}` for what was captured. */
  readonly name: string;
  /** Label → template. */
  readonly labels: readonly (readonly [string, string])[];
  /** A tag of the line wins over a label of the rule. */
  readonly honorLabels: boolean;
  readonly help: string | undefined;
  readonly observer: Observer;
  /** 0: kept. */
  readonly ttlMs: number;
  readonly scale: number;
}

export interface MappingRules {
  readonly rules: readonly Rule[];
  /** Of names no rule matches. */
  readonly observer: Observer;
  readonly ttlMs: number;
  /** The most specific glob wins, field by field, rather than the first. */
  readonly globDisableOrdering: boolean;
  /** What is accepted but done otherwise than statsd_exporter does it. */
  readonly notes: readonly string[];
}
