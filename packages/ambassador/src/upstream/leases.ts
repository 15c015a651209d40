/** Connections to one server that are lent to one session at a time, and kept for the next where nothing was left in them. */

import type { Line, LineWaiter } from './line.ts';

export interface LeaseLimits {
  readonly maxLeasesPerServer: number;
  readonly maxIdleLeases: number;
  readonly leaseIdleMs: number;
}

interface Idle {
  readonly line: Line;
  readonly sinceMs: number;
}

export class Leases {
  readonly lent = new Set<Line>();
  /** Sessions that wait for one, the longest first. */
  readonly waiting = new Set<LineWaiter>();
  readonly #limits: LeaseLimits;
  readonly #now: () => number;
  /** The last given back is lent first. */
  readonly #idle: Idle[] = [];

  constructor(limits: LeaseLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  get idle(): number {
    return this.#idle.length;
  }

  /** Undefined: as many are lent as may be. */
  lend(fits: (line: Line) => boolean, open: () => Line): Line | undefined {
    if (this.lent.size >= this.#limits.maxLeasesPerServer) return undefined;
    const at = this.#idle.findLastIndex(({ line }) => fits(line));
    const line = at < 0 ? open() : (this.#idle.splice(at, 1)[0] as Idle).line;
    this.lent.add(line);
    return line;
  }

  giveBack(line: Line): void {
    line.onPush = undefined;
    line.resume();
    const reusable = line.state === 'open' && !line.dirty && line.idle && !line.full;
    if (!reusable) line.close('given back');
    else {
      this.#idle.push({ line, sinceMs: this.#now() });
      this.#trim();
    }
    this.#freed(line);
  }

  lost(line: Line): void {
    const at = this.#idle.findIndex((one) => one.line === line);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#freed(line);
  }

  /** Nothing is left here, and nobody waits for anything. */
  get empty(): boolean {
    return this.lent.size === 0 && this.#idle.length === 0 && this.waiting.size === 0;
  }

  /** Closes what nobody has wanted for long, and what is more than may be kept by now. */
  sweep(nowMs: number): void {
    this.#trim();
    while (nowMs - (this.#idle[0]?.sinceMs ?? nowMs) >= this.#limits.leaseIdleMs) {
      this.#idle.shift()?.line.close('nobody wants it');
    }
  }

  /** Every line, to be ended: none of them is idle any more. */
  takeIdle(): Line[] {
    return this.#idle.splice(0).map(({ line }) => line);
  }

  /** One may be lent again: those who wait are told until one of them has it. */
  #freed(line: Line): void {
    if (!this.lent.delete(line)) return;
    const free = this.#limits.maxLeasesPerServer - this.lent.size;
    for (const waiter of this.waiting) {
      if (this.#limits.maxLeasesPerServer - this.lent.size < free) return;
      this.waiting.delete(waiter);
      waiter.lineChanged(line);
    }
  }

  #trim(): void {
    while (this.#idle.length > this.#limits.maxIdleLeases) {
      this.#idle.shift()?.line.close('more idle than allowed');
    }
  }
}
