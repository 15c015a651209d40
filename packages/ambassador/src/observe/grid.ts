/** Label sets as cells, found by two small integers: one load on the hot path, a look-up by name the first time. */

export type ResolveCell = (row: number, column: number) => number;

const unknown = -1;

export class CellGrid {
  readonly #width: number;
  readonly #resolve: ResolveCell;
  #cells: Int32Array;

  /** `resolve` is asked once for each place that is used. */
  constructor(width: number, resolve: ResolveCell) {
    this.#width = width;
    this.#resolve = resolve;
    this.#cells = new Int32Array(0);
  }

  /** Hot. */
  at(row: number, column: number): number {
    const cell = this.#cells[row * this.#width + column];
    return cell === undefined || cell === unknown ? this.#find(row, column) : cell;
  }

  /** The row's label sets are gone, or mean something else from now on. */
  forget(row: number): void {
    this.#cells.fill(unknown, row * this.#width, (row + 1) * this.#width);
  }

  #find(row: number, column: number): number {
    const cell = this.#resolve(row, column);
    const at = row * this.#width + column;
    if (at >= this.#cells.length) this.#grow(at + 1);
    this.#cells[at] = cell;
    return cell;
  }

  #grow(needed: number): void {
    const grown = new Int32Array(Math.max(needed, this.#cells.length * 2)).fill(unknown);
    grown.set(this.#cells);
    this.#cells = grown;
  }
}
