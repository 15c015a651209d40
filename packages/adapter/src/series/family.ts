/** All series of one name. */

import { none } from './columns.ts';
import type { SeriesSpec, SeriesType, SummarySpec } from './series.ts';

export interface StoredFamily {
  readonly id: number;
  readonly name: string;
  readonly type: SeriesType;
  readonly help: string;
  /** Histograms only. */
  readonly bounds: readonly number[];
  /** Summaries only. */
  readonly summary: SummarySpec | undefined;
  /** Its series are a list through the columns `next` and `previous`. */
  head: number;
  tail: number;
  count: number;
}

const noBounds: readonly number[] = [];
const defaultSummary: SummarySpec = {
  quantiles: [
    { quantile: 0.5, error: 0.05 },
    { quantile: 0.9, error: 0.01 },
    { quantile: 0.99, error: 0.001 },
  ],
  maxAgeMs: 600_000,
  ageBuckets: 5,
};

export function newFamily(id: number, spec: SeriesSpec): StoredFamily {
  return {
    id,
    name: spec.name,
    type: spec.type,
    help: spec.help,
    bounds: spec.type === 'histogram' ? (spec.bounds ?? noBounds) : noBounds,
    summary: spec.type === 'summary' ? (spec.summary ?? defaultSummary) : undefined,
    head: none,
    tail: none,
    count: 0,
  };
}

/** What a family of the type writes below its name. */
export function suffixesOf(type: SeriesType): readonly string[] {
  if (type === 'histogram') return ['_bucket', '_sum', '_count'];
  return type === 'summary' ? ['_sum', '_count'] : [];
}

/** Suffixes some type writes, with the types that do. */
export const ownedSuffixes: readonly (readonly [suffix: string, owners: readonly SeriesType[]])[] = [
  ['_bucket', ['histogram']],
  ['_sum', ['histogram', 'summary']],
  ['_count', ['histogram', 'summary']],
];
