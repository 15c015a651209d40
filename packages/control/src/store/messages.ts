/**
 * What the store and its worker thread say to each other.
 *
 * A group of rows travels as one message: numbers in one typed array each, values one after another in one buffer that
 * is handed over instead of copied. Per group that costs about 60 µs for both directions, whatever it holds; an object
 * per row would cost that much per hundred rows on the main thread alone. Answers carry numbers only, since the main
 * thread kept the rows it sent.
 */

/** What the worker starts with. */
export interface WorkerData {
  readonly path: string;
  /** Identity of the history, when the database is new. */
  readonly epoch: string;
  readonly walBytes: number;
}

/** Rows side by side; a size of -1 marks a deletion. */
export interface PackedRows {
  readonly ids: Float64Array;
  readonly keys: readonly string[];
  readonly createRevisions: Float64Array;
  readonly sizes: Float64Array;
  readonly values: ArrayBuffer;
}

/** Bytes on the disk. */
export interface Sizes {
  /** Of the database and its write-ahead log. */
  readonly sizeBytes: number;
  readonly walBytes: number;
}

export interface Opened extends Sizes {
  readonly epoch: string;
  readonly compacted: number;
}

export interface Appended extends Sizes {
  readonly removed: number;
  readonly removeMs: number;
}

export interface Fetched {
  readonly sizes: Float64Array;
  readonly values: ArrayBuffer;
}

/** Requests are answered one by one, in order. */
export type Request =
  | { readonly type: 'open' }
  | { readonly type: 'load'; readonly after: number }
  | {
      readonly type: 'append';
      readonly rows: PackedRows;
      readonly garbage: Float64Array;
      readonly compacted: number;
    }
  | { readonly type: 'fetch'; readonly ids: Float64Array }
  | { readonly type: 'idle' }
  | { readonly type: 'close' };

export interface Failure {
  readonly message: string;
  /** SQLite's primary result code, when it was SQLite that failed. */
  readonly sqlite: number | undefined;
  /** A problem with the file as a whole, found while opening it. */
  readonly problem: FileProblem | undefined;
}

export type FileProblem =
  | { readonly type: 'schema'; readonly found: number; readonly known: number }
  | { readonly type: 'damaged'; readonly detail: string };

export interface Checkpoint {
  readonly durationMs: number;
  /** What the write-ahead log held. */
  readonly walBytes: number;
  /** Why not all of it could be moved to the database; it is tried again. */
  readonly problem: string | undefined;
}

export type Response =
  | { readonly type: 'answer'; readonly value: unknown }
  | { readonly type: 'failure'; readonly failure: Failure }
  /** Not an answer: housekeeping the worker did by itself. */
  | { readonly type: 'checkpoint'; readonly checkpoint: Checkpoint };
