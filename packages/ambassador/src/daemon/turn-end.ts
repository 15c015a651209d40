/** Lines that have requests to send, told at the end of the turn in which those came. */

import type { Line } from '../upstream/line.ts';

export class TurnEnd {
  #lines = new Set<Line>();
  #scheduled = false;

  soon(line: Line): void {
    this.#lines.add(line);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const lines = this.#lines;
      this.#lines = new Set();
      for (const one of lines) one.turnEnded();
    });
  }
}
