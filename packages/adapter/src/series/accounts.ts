/** Who told how many series, and how often one was refused, and why. */

import type { Refusal } from './series.ts';

/** Series not opened, by who told them and why. */
export interface RefusedCount {
  readonly source: string;
  readonly reason: Refusal;
  readonly count: number;
}

export class Accounts {
  readonly #sources: string[] = [];
  readonly #series: number[] = [];
  readonly #refused = new Map<string, { source: string; reason: Refusal; count: number }>();

  /** A small number for a source, given when it is first met. */
  idOf(source: string): number {
    const known = this.#sources.indexOf(source);
    return known === -1 ? this.#sources.push(source) - 1 : known;
  }

  seriesOf(source: string): number {
    return this.#series[this.#sources.indexOf(source)] ?? 0;
  }

  count(id: number, change: number): void {
    this.#series[id] = (this.#series[id] ?? 0) + change;
  }

  refuse(source: string, reason: Refusal): void {
    const key = `${reason} ${source}`;
    const known = this.#refused.get(key);
    if (known === undefined) this.#refused.set(key, { source, reason, count: 1 });
    else known.count += 1;
  }

  refused(): Iterable<RefusedCount> {
    return this.#refused.values();
  }
}
