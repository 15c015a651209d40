/** The joint of everything that is told to the adapter: a series is opened once by its names, then updated by its slot. */

import type { LabelPairs } from '@outrigger/core/exposition';

export type SeriesType = 'counter' | 'gauge' | 'histogram' | 'summary';

export interface SeriesSpec {
  /** Valid in text format 0.0.4. */
  readonly name: string;
  readonly type: SeriesType;
  /** Of the first series of a name; not escaped. */
  readonly help: string;
  /** Without duplicates, names valid in text format 0.0.4; order does not matter. */
  readonly labels: LabelPairs;
  /** Who tells it, for the limit per source. */
  readonly source: string;
  /** Forgotten when nothing was told for so long; 0: kept. */
  readonly ttlMs: number;
  /** Upper bounds, ascending; histograms only. The first series of a name decides for all. */
  readonly bounds?: readonly number[];
  /** Summaries only. */
  readonly summary?: SummarySpec;
}

export interface SummarySpec {
  readonly quantiles: readonly { readonly quantile: number; readonly error: number }[];
  /** How far back quantiles look, in ms. */
  readonly maxAgeMs: number;
  readonly ageBuckets: number;
}

/**
 * Why a series was not opened: the name has another type; the name belongs to another family's samples (`x_count` of a
 * histogram `x`); the limit of the whole or of the source is reached.
 */
export type Refusal = 'type-conflict' | 'name-conflict' | 'series-limit' | 'source-limit';

/** Where a series is kept. Taken by another series after the first was forgotten: hold it with its generation. */
export type Slot = number;

export interface SeriesStore {
  /** Finds or makes the series. A negative number, `-1 - refusals.indexOf(reason)`, refuses it. */
  open(spec: SeriesSpec): Slot;
  /** What `open` would answer, without making anything. */
  wouldRefuse(spec: SeriesSpec): Refusal | undefined;
  /** Grows whenever any series is forgotten: caches of slots made before must be checked with `generation`. */
  readonly forgotten: number;
  generation(slot: Slot): number;
  add(slot: Slot, amount: number): void;
  set(slot: Slot, value: number): void;
  /** Adds to a gauge. */
  adjust(slot: Slot, delta: number): void;
  /** `weight`: how many observations this one stands for, 1/rate; need not be whole. */
  observe(slot: Slot, value: number, weight: number): void;
  readonly size: number;
}

export const refusals: readonly Refusal[] = [
  'type-conflict',
  'name-conflict',
  'series-limit',
  'source-limit',
];

/** Names that begin so are the adapter's own: whoever else tells them would hide what it says of itself. */
export const ownPrefix = 'outrigger_adapter_';
