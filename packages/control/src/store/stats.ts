/** What the store tells about itself; the caller turns it into metrics. */

/** Counters since the start and current sizes, in one live object: read it whenever a scrape asks. */
export interface StoreStats {
  /** Commits that wrote something. */
  commits: number;
  /** Transactions that became durable. */
  txns: number;
  /** Transactions refused because a comparison did not hold. */
  conflicts: number;
  /** Transactions refused because the disk took no writes. */
  refused: number;
  /** Transactions refused because too many bytes were waiting. */
  busy: number;
  /** Bytes waiting to be written now. */
  pendingBytes: number;
  /** Reads and watches that fetched cold values from disk. */
  coldFetches: number;
  /** Rows removed by compaction. */
  rowsRemoved: number;
  /** Rows waiting to be removed. */
  garbage: number;
  /** Changes held as history, and the bytes of the superseded values among them. */
  historyChanges: number;
  historyBytes: number;
  /** Size of SQLite's write-ahead log on the disk; 0 without one. */
  walBytes: number;
  /** Watches open now. */
  watches: number;
}

/** Called as things happen; each call is cheap to make and must return at once. */
export interface StoreObserver {
  /** One commit: what it held, and how long from handing it to the disk until it was durable. */
  commit?(event: { durationMs: number; txns: number; rows: number; bytes: number }): void;
  /** One slice of compaction on disk. */
  compaction?(event: { durationMs: number; rows: number }): void;
  /** One checkpoint of the write-ahead log: what the log held, and why it could not be emptied, if it could not. */
  checkpoint?(event: { durationMs: number; walBytes: number; problem: string | undefined }): void;
  /** Writes began to be refused (a reason), or are accepted again (undefined). */
  readOnly?(reason: string | undefined): void;
}

export function emptyStats(): StoreStats {
  return {
    commits: 0,
    txns: 0,
    conflicts: 0,
    refused: 0,
    busy: 0,
    pendingBytes: 0,
    coldFetches: 0,
    rowsRemoved: 0,
    garbage: 0,
    historyChanges: 0,
    historyBytes: 0,
    walBytes: 0,
    watches: 0,
  };
}
