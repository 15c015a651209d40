/** One named counter or gauge with its label sets, each a cell. */

import type { Cells } from './cells.ts';

export interface FamilySpec {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly maxSeries: number;
  /** Cells per series: 1, or a histogram's buckets with sum and count. */
  readonly width: number;
}

interface Series {
  readonly values: readonly string[];
  readonly index: number;
}

/** Joins label values; a control character, so that no two different sets join alike. */
const separator = '\u0001';

export class Family {
  readonly spec: FamilySpec;
  readonly #cells: Cells;
  readonly #series = new Map<string, Series>();
  readonly #onOverflow: (family: string) => void;
  #overflow: number | undefined;

  constructor(spec: FamilySpec, cells: Cells, onOverflow: (family: string) => void) {
    this.spec = spec;
    this.#cells = cells;
    this.#onOverflow = onOverflow;
    if (spec.labels.length === 0) this.at();
  }

  /**
   * The cell of a label set, made when first seen. Keep it: look-ups do not belong in hot code.
   * Beyond `maxSeries` all further sets share one cell whose label values are `(other)`, and the overflow is counted.
   */
  at(...values: string[]): number {
    const key = values.join(separator);
    const known = this.#series.get(key);
    if (known !== undefined) return known.index;
    if (values.length !== this.spec.labels.length) {
      throw new TypeError(
        `${this.spec.name} has labels (${this.spec.labels.join(', ')}), got ${values.length} values`,
      );
    }
    const index = this.#series.size < this.spec.maxSeries ? this.#cells.allocate(this.spec.width) : undefined;
    if (index === undefined) return this.#overflowCell();
    this.#series.set(key, { values, index });
    return index;
  }

  add(amount: number, ...values: string[]): void {
    const index = this.at(...values);
    this.#cells.values[index] = (this.#cells.values[index] ?? 0) + amount;
  }

  set(value: number, ...values: string[]): void {
    this.#cells.values[this.at(...values)] = value;
  }

  get(...values: string[]): number {
    const known = this.#series.get(values.join(separator));
    return known === undefined ? 0 : (this.#cells.values[known.index] ?? 0);
  }

  /** Drops a label set from the page and gives its cells back. */
  remove(...values: string[]): void {
    const key = values.join(separator);
    const known = this.#series.get(key);
    if (known === undefined) return;
    this.#series.delete(key);
    this.#cells.release(known.index, this.spec.width);
  }

  *series(): Generator<Series> {
    yield* this.#series.values();
    if (this.#overflow !== undefined)
      yield { values: this.spec.labels.map(() => '(other)'), index: this.#overflow };
  }

  #overflowCell(): number {
    this.#onOverflow(this.spec.name);
    this.#overflow ??= this.#cells.allocateOrThrow(this.spec.width);
    return this.#overflow;
  }
}
