/**
 * Metric cells: numbers that hot code adds to by index.
 *
 * A prom-client call costs 155–220 ns (label object, hash, map look-up); adding to a typed array costs 4 ns. So label
 * sets are resolved to an integer once, when first seen, and per packet, command or request only `values[i] += 1`
 * happens. The memory is shared, so that workers can count into the page the main thread serves.
 */

import { OutriggerError } from '../errors/index.ts';

export class Cells {
  /** Written directly by hot code: `cells.values[index] += n`. */
  readonly values: Float64Array<SharedArrayBuffer>;
  #used = 0;
  readonly #free = new Map<number, number[]>();

  /** `capacity` in cells of 8 bytes; untouched pages cost nothing. */
  constructor(capacity = 262_144) {
    this.values = new Float64Array(new SharedArrayBuffer(capacity * Float64Array.BYTES_PER_ELEMENT));
  }

  get used(): number {
    return this.#used;
  }

  get capacity(): number {
    return this.values.length;
  }

  /** The first index of `count` zeroed neighbours, or undefined when the capacity is used up. */
  allocate(count: number): number | undefined {
    const reused = this.#free.get(count)?.pop();
    if (reused !== undefined) return reused;
    if (this.#used + count > this.values.length) return undefined;
    const index = this.#used;
    this.#used += count;
    return index;
  }

  /** Gives cells back; nobody may write to them any more. */
  release(index: number, count: number): void {
    this.values.fill(0, index, index + count);
    const list = this.#free.get(count);
    if (list === undefined) this.#free.set(count, [index]);
    else list.push(index);
  }

  /** For the few families fixed at start, where running out is a mistake in the program. */
  allocateOrThrow(count: number): number {
    const index = this.allocate(count);
    if (index === undefined) {
      throw new OutriggerError(`all ${this.values.length} metric cells are in use`, {
        code: 'METRIC_CELLS_EXHAUSTED',
        hint: 'raise the capacity given to Metrics',
      });
    }
    return index;
  }
}
