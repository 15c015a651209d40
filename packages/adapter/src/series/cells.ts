/** Buckets of histograms: neighbours in one array, given back when their series is forgotten. */

export class BucketCells {
  values = new Float64Array(1024);
  #used = 0;
  readonly #free = new Map<number, number[]>();

  /** The first of `count` zeroed neighbours. */
  take(count: number): number {
    const reused = this.#free.get(count)?.pop();
    if (reused !== undefined) return reused;
    if (this.#used + count > this.values.length) {
      const larger = new Float64Array(Math.ceil((this.#used + count) * 1.5));
      larger.set(this.values);
      this.values = larger;
    }
    const first = this.#used;
    this.#used += count;
    return first;
  }

  give(first: number, count: number): void {
    this.values.fill(0, first, first + count);
    const list = this.#free.get(count);
    if (list === undefined) this.#free.set(count, [first]);
    else list.push(first);
  }
}

/** The first bucket whose upper bound is not below the value; the one behind the last stands for +Inf. */
export function bucketOf(bounds: readonly number[], value: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bounds[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
