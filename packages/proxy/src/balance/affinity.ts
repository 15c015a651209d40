/**
 * ClientIP session affinity: a bounded memory of which endpoint each client was sent to.
 *
 * Every new connection refreshes the client's entry and moves it to the end of the Map, so the front holds the client
 * unseen for longest: it is both the first to expire and the right one to forget when the table is full. Entries of
 * endpoints that left are not searched for; they are recognised when next looked up.
 */

import type { Entry } from './entry.ts';

/** Clients remembered per Service port. More costs about 150 bytes each; fewer forgets clients early, counted. */
export const MAX_AFFINITY_CLIENTS = 100_000;
/** Expired entries dropped per lookup: keeps the table tidy without ever pausing for it. */
const SWEEP_PER_LOOKUP = 4;

interface Memory {
  entry: Entry;
  life: number;
  expiresMs: number;
}

export class AffinityTable {
  readonly #clients = new Map<string, Memory>();
  readonly #maxClients: number;
  #evictions = 0;

  constructor(maxClients: number = MAX_AFFINITY_CLIENTS) {
    this.#maxClients = maxClients;
  }

  get size(): number {
    return this.#clients.size;
  }

  get evictions(): number {
    return this.#evictions;
  }

  /** The endpoint the client was last sent to, unless too long ago or the endpoint has left since. */
  find(clientIp: string, nowMs: number): Entry | undefined {
    this.#sweep(nowMs);
    const memory = this.#clients.get(clientIp);
    if (memory === undefined) return undefined;
    const { entry, life, expiresMs } = memory;
    if (expiresMs > nowMs && !entry.removed && entry.life === life) return entry;
    this.#clients.delete(clientIp);
    return undefined;
  }

  remember(clientIp: string, entry: Entry, expiresMs: number): void {
    const memory = this.#clients.get(clientIp);
    if (memory === undefined) {
      if (this.#clients.size >= this.#maxClients) this.#evictOldest();
      this.#clients.set(clientIp, { entry, life: entry.life, expiresMs });
      return;
    }
    memory.entry = entry;
    memory.life = entry.life;
    memory.expiresMs = expiresMs;
    this.#clients.delete(clientIp);
    this.#clients.set(clientIp, memory);
  }

  /** Forgets the client if that is where it was sent: it shall be free to go elsewhere. */
  forget(clientIp: string, entry: Entry): void {
    if (this.#clients.get(clientIp)?.entry === entry) this.#clients.delete(clientIp);
  }

  clear(): void {
    this.#clients.clear();
  }

  #sweep(nowMs: number): void {
    let budget = SWEEP_PER_LOOKUP;
    for (const [clientIp, { expiresMs }] of this.#clients) {
      if (expiresMs > nowMs || budget-- === 0) return;
      this.#clients.delete(clientIp);
    }
  }

  #evictOldest(): void {
    for (const clientIp of this.#clients.keys()) {
      this.#clients.delete(clientIp);
      this.#evictions++;
      return;
    }
  }
}
