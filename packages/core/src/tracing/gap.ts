/** Sampling by distance: how far it is to the next one taken, drawn at random once per one taken. */

import type { Random } from '../clock/index.ts';

export class Gap {
  readonly #share: number;
  readonly #random: Random;
  #left: number;

  /** `share` of all calls are taken, each as likely as any other. */
  constructor(share: number, random: Random) {
    this.#share = share;
    this.#random = random;
    this.#left = this.#draw();
  }

  /** Hot: true for the calls that are taken. */
  over(): boolean {
    if (--this.#left > 0) return false;
    this.#left = this.#draw();
    return true;
  }

  /** Geometrically distributed, as if a coin had been thrown for each call. */
  #draw(): number {
    if (this.#share >= 1) return 1;
    if (this.#share <= 0) return Number.POSITIVE_INFINITY;
    return 1 + Math.floor(Math.log(1 - this.#random.next()) / Math.log(1 - this.#share));
  }
}
