/** Bounds of watching. */

export interface WatchLimits {
  /** Watches open at a time; further ones are refused with 429. Default 20,000. */
  readonly maxWatches: number;
  /**
   * Bytes waiting for a watcher that reads slowly before it is cut off; it comes back and goes on from its revision.
   * Default 1 MiB. Raised, slow readers survive longer bursts at the cost of memory: this much for each of them.
   */
  readonly watchBufferBytes: number;
  /** How long a watcher may take nothing at all of what it is behind before it is cut off, in ms. Default 30 s. */
  readonly watchStallMs: number;
  /** Time between two bookmarks on one watch, in ms. Default 60 s. */
  readonly bookmarkMs: number;
  /** How long a watch from a revision that does not exist yet stays open without it, in ms. Default 3 s. */
  readonly futureRevisionMs: number;
  /** Sockets written to before other work gets a turn. Default 500; raised, a large fan-out ends sooner and reads wait longer. */
  readonly watchWritesPerTurn: number;
}

export const defaultWatchLimits: WatchLimits = {
  maxWatches: 20_000,
  watchBufferBytes: 1024 * 1024,
  watchStallMs: 30_000,
  bookmarkMs: 60_000,
  futureRevisionMs: 3_000,
  watchWritesPerTurn: 500,
};
