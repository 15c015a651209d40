/** What a benchmark is to the runner: a name, what it needs, and rows of measured figures. */

import type { ToolName } from '../../test/harness/index.ts';

/** One line of the table. Figures are medians of interleaved runs unless the work says otherwise. */
export interface Row {
  readonly work: string;
  readonly figure: string;
  readonly ours: number;
  /** What the peer needed in the same run; undefined where the reach is absolute. */
  readonly peer?: { readonly name: string; readonly value: number };
  /** The limit for `ours`, or for `ours / peer` where there is a peer. */
  readonly reach: { readonly atMost?: number; readonly atLeast?: number };
  readonly unit: string;
  /** ★: missing it is a failure of the run. */
  readonly gate?: boolean;
  /** Why this machine cannot measure it; `ours` then means nothing. */
  readonly notMeasured?: string;
}

export interface BenchContext {
  /** Runs per variant; medians are reported. */
  readonly runs: number;
  /** Seconds of each run. */
  readonly seconds: number;
  teardown(run: () => unknown): void;
  progress(text: string): void;
}

export interface Suite {
  readonly name: string;
  readonly needs: readonly ToolName[];
  readonly run: (context: BenchContext) => Promise<Row[]>;
  /** Where the CPU time of the suite's hottest work goes: profiles into the folder, and a table to print. */
  readonly profile?: (context: BenchContext, folder: string) => Promise<string>;
}

export function passes(row: Row): boolean {
  if (row.notMeasured !== undefined) return true;
  const judged = row.peer === undefined ? row.ours : row.ours / row.peer.value;
  const { atMost = Number.POSITIVE_INFINITY, atLeast = Number.NEGATIVE_INFINITY } = row.reach;
  return judged <= atMost && judged >= atLeast;
}
