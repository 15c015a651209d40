/**
 * One item per revision over a moving window of consecutive revisions: pushed at the end, dropped at the front, found
 * by arithmetic. Revisions have no holes because a transaction that writes nothing consumes none.
 */

import { Queue } from './queue.ts';

export class RevisionWindow<Item> {
  readonly #items = new Queue<Item>();
  #first: number;

  constructor(first: number) {
    this.#first = first;
  }

  /** The oldest revision held, or the next one when nothing is. */
  get first(): number {
    return this.#first;
  }

  /** The revision the next push gets. */
  get next(): number {
    return this.#first + this.#items.size;
  }

  get(revision: number): Item | undefined {
    return this.#items.at(revision - this.#first);
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  shift(): Item | undefined {
    if (this.#items.size > 0) this.#first++;
    return this.#items.shift();
  }
}
