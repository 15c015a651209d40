/** A clock that stands still until a test moves it; ships beside the interface it fakes. */

import { sleepOn } from './clock.ts';
import type { Clock, Timer } from './clock.ts';
import { nextTurn } from './turn.ts';

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #epochMs: number;
  readonly #entries = new Set<Entry>();

  constructor(epochMs = Date.UTC(2026, 0, 1)) {
    this.#epochMs = epochMs;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#epochMs + this.#now;
  }

  /** Timers not yet fired or cancelled. */
  get pending(): number {
    return this.#entries.size;
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    const entry: Entry = { at: this.#now + Math.max(0, delayMs), order: this.#order++, callback };
    this.#entries.add(entry);
    return { cancel: () => void this.#entries.delete(entry) };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, delayMs, signal);
  }

  /** Moves time forward, firing timers in order and letting promises settle after each. */
  async advance(byMs: number): Promise<void> {
    const until = this.#now + byMs;
    await nextTurn();
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.#entries.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await nextTurn();
    }
    this.#now = until;
    await nextTurn();
  }

  #next(until: number): Entry | undefined {
    let best: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.at > until) continue;
      if (best === undefined || entry.at < best.at || (entry.at === best.at && entry.order < best.order))
        best = entry;
    }
    return best;
  }
}
