/** Where a command's keys are among its arguments. */

/** Keys at `first`, `first + step` … `last` (negative: from the end); argument 0 is the name. */
export interface KeySpec {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}
