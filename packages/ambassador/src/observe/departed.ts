/**
 * Takes what was counted of servers that are gone off the page. Not at once: the last of it is to be scraped, and a
 * server that is back a moment later, as with a list that was read anew, goes on from where it was.
 */

import type { EngineCounters } from './counters.ts';

export class Departed {
  readonly #counters: Pick<EngineCounters, 'servers' | 'forgetServer'>;
  /** Since when. */
  readonly #gone = new Map<string, number>();

  constructor(counters: Pick<EngineCounters, 'servers' | 'forgetServer'>) {
    this.#counters = counters;
  }

  /** `isThere`: it is one of ours, or something is still open to it. True while any is to be forgotten later. */
  look(isThere: (server: string) => boolean, nowMs: number, forgetAfterMs: number): boolean {
    for (const server of [...this.#counters.servers.names]) {
      if (isThere(server)) {
        this.#gone.delete(server);
        continue;
      }
      const since = this.#gone.get(server) ?? nowMs;
      this.#gone.set(server, since);
      if (nowMs - since < forgetAfterMs) continue;
      this.#gone.delete(server);
      this.#counters.forgetServer(server);
    }
    return this.#gone.size > 0;
  }
}
