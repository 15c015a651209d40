/**
 * Log-linear histograms over cells: every doubling of the value is cut into equal steps.
 *
 * Finding the bucket is a `clz32` and a shift, whatever the number of buckets; the relative error is bounded by
 * 1/steps. The page shows one cumulative `le` per doubling (dashboards need no more), quantiles here use every step.
 * Where dashboards expect a peer's exact buckets, `bounds` gives them and the bucket is found by binary search.
 */

import type { Cells } from './cells.ts';
import type { Family } from './family.ts';

export interface HistogramShape {
  /** Upper bounds, ascending, in the metric's unit; +Inf is implied. */
  readonly bounds: readonly number[];
  /** Set for log-linear shapes: the smallest bound. */
  readonly smallest?: number;
}

/** Steps per doubling; a power of two. */
const steps = 4;
const stepBits = 2;

/** Bounds from `smallest` up to at least `largest`. */
export function logLinearShape(smallest: number, largest: number): HistogramShape {
  const bounds = [smallest];
  for (let base = smallest; base < largest; base *= 2) {
    for (let step = 1; step <= steps; step++) bounds.push(base * (1 + step / steps));
  }
  return { bounds, smallest };
}

/** Cells per series: one for each bound, one for +Inf, then the sum. */
export function histogramWidth(shape: HistogramShape): number {
  return shape.bounds.length + 2;
}

export class Histogram {
  readonly family: Family;
  readonly shape: HistogramShape;
  readonly #values: Float64Array;
  readonly #sumAt: number;
  readonly #scale: number;

  constructor(family: Family, shape: HistogramShape, cells: Cells) {
    this.family = family;
    this.shape = shape;
    this.#values = cells.values;
    this.#sumAt = shape.bounds.length + 1;
    this.#scale = shape.smallest === undefined ? 0 : 1 / shape.smallest;
  }

  /** The series of a label set, for `record`. */
  at(...values: string[]): number {
    return this.family.at(...values);
  }

  /** Hot: one observation into the series `at` returned, in the metric's unit (seconds, bytes). */
  record(series: number, value: number): void {
    this.recordMany(series, value, 1);
  }

  /** Hot: `count` observations of the same value, for what is measured once per batch. */
  recordMany(series: number, value: number, count: number): void {
    const values = this.#values;
    const bucket = series + (this.#scale === 0 ? this.#search(value) : this.#bucket(value));
    values[bucket] = (values[bucket] ?? 0) + count;
    const sum = series + this.#sumAt;
    values[sum] = (values[sum] ?? 0) + value * count;
  }

  observe(value: number, ...labels: string[]): void {
    this.record(this.at(...labels), value);
  }

  /** Upper bound of the bucket that holds the q-th observation; 0 when there is none. */
  quantile(series: number, q: number): number {
    const counts = this.#values.subarray(series, series + this.#sumAt);
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) return 0;
    let seen = 0;
    for (let i = 0; i < counts.length; i++) {
      seen += counts[i] ?? 0;
      if (seen >= q * total) return this.shape.bounds[i] ?? Number.POSITIVE_INFINITY;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Cumulative (bound, count) pairs for the page, then the sum. */
  read(series: number): { buckets: [number, number][]; count: number; sum: number } {
    const { bounds, smallest } = this.shape;
    const every = smallest === undefined ? 1 : steps;
    const buckets: [number, number][] = [];
    let count = 0;
    bounds.forEach((bound, i) => {
      count += this.#values[series + i] ?? 0;
      if (i % every === 0) buckets.push([bound, count]);
    });
    count += this.#values[series + bounds.length] ?? 0;
    buckets.push([Number.POSITIVE_INFINITY, count]);
    return { buckets, count, sum: this.#values[series + this.#sumAt] ?? 0 };
  }

  #bucket(value: number): number {
    const scaled = value * this.#scale;
    if (!(scaled > 1)) return 0;
    const last = this.shape.bounds.length;
    if (scaled >= 0x1fff_ffff) return last;
    // `scaled` in quarter steps, rounded up, so that a value equal to a bound falls into that bound's bucket.
    const units = Math.ceil(scaled * steps) - 1;
    const exponent = 31 - Math.clz32(units) - stepBits;
    const step = (units >> exponent) - steps;
    return Math.min(1 + exponent * steps + step, last);
  }

  #search(value: number): number {
    const { bounds } = this.shape;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((bounds[middle] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
