/** Which of several control URLs to use: stay with one that works, leave one that fails. */

import type { Random } from '../../clock/index.ts';

export class Rotation {
  readonly #count: number;
  readonly #random: Random;
  #current = 0;
  /** URLs that failed since any last worked. */
  #failed = new Set<number>();

  /** The first of the list is preferred at the start. */
  constructor(count: number, random: Random) {
    this.#count = count;
    this.#random = random;
  }

  get current(): number {
    return this.#current;
  }

  succeeded(index: number): void {
    if (index === this.#current) this.#failed.clear();
  }

  /**
   * True when there is another URL that has not failed: it is the current one now, and worth trying at once. False when
   * all have failed: time to back off. Several requests failing at one URL move on once only.
   */
  failed(index: number): boolean {
    if (index !== this.#current) return true;
    this.#failed.add(index);
    const untried = Array.from({ length: this.#count }, (_, i) => i).filter((i) => !this.#failed.has(i));
    if (untried.length === 0) {
      this.#failed.clear();
      this.#current = (this.#current + 1) % this.#count;
      return false;
    }
    // A random one, so that the clients of a server that died spread over the others.
    this.#current = untried[Math.floor(this.#random.next() * untried.length)] ?? 0;
    return true;
  }
}
