/** Label sets compared: the same text for the same labels in any order, and for no others. */

import type { LabelPairs } from '@outrigger/core/exposition';
import { numberOf } from './line.ts';

/** Makes keys that are compared with its own alone. Label sets mostly have the names of the one before. */
export class LabelKeys {
  readonly #without: string | undefined;
  readonly #shapes = new Map<string, number>();
  #names: readonly string[] = [];
  /** Positions of the labels in the order of their names. */
  #order: readonly number[] = [];
  #shape = '';

  /** `without`: a label left out. */
  constructor(without?: string) {
    this.#without = without;
    this.#reshape([]);
  }

  /** `le` and `quantile` count by their number: 1 and 1.0 are one bucket. */
  key(labels: LabelPairs): string {
    if (!this.#fits(labels)) this.#reshape(labels);
    let key = this.#shape;
    for (const position of this.#order) {
      const [name, value] = labels[position] ?? ['', ''];
      const text = name === 'le' || name === 'quantile' ? String(numberOf(value) ?? value) : value;
      // With their lengths before them no two lists of values can read the same.
      key += `${text.length}:${text}`;
    }
    return key;
  }

  #fits(labels: LabelPairs): boolean {
    if (labels.length !== this.#names.length) return false;
    for (let i = 0; i < labels.length; i++) if (labels[i]?.[0] !== this.#names[i]) return false;
    return true;
  }

  #reshape(labels: LabelPairs): void {
    this.#names = labels.map(([name]) => name);
    const positions = this.#names.flatMap((name, position) => (name === this.#without ? [] : [position]));
    const nameAt = (position: number): string => this.#names[position] ?? '';
    this.#order = positions.toSorted((a, b) => (nameAt(a) < nameAt(b) ? -1 : 1));
    const names = JSON.stringify(this.#order.map(nameAt));
    const shape = this.#shapes.get(names) ?? this.#shapes.size;
    this.#shapes.set(names, shape);
    this.#shape = `${shape};`;
  }
}
