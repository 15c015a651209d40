/**
 * The log of versions in SQLite: the only place that knows SQL. Synchronous; lives in the worker thread.
 *
 * One table, rows only ever appended in order of their ids, so that a write touches the end of one tree and nothing
 * else. Which row is the newest of its key is known to the main thread and needs no index here; the process reads the
 * log once, at the start. Rows nobody can reach any more are deleted by id, and their pages are used again.
 *
 * locking_mode=EXCLUSIVE does two things. A second process cannot open the database, and the kernel drops that lock
 * with the process, however it ended. And no reader from outside can keep the write-ahead log from being emptied.
 */

import { statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { openFile } from './database-file.ts';
import type { Identity } from './database-file.ts';
import type { Appended, Checkpoint, Opened, Sizes } from './messages.ts';
import type { Row } from './packing.ts';

const pageBytes = 4096;
/** Writes are refused when the write-ahead log has grown to this many times what it should hold. */
const walOverflow = 16;
/** A slice of housekeeping ends after this long. */
const sliceMs = 4;
/** Free pages are given back to the disk beyond this many (16 MiB), when they are also a quarter of the file. */
const mostFreePages = 4_096;
/** Pages given back at once. */
const vacuumPages = 256;

export interface LogDatabaseOptions {
  readonly path: string;
  /** Identity of the history, when the database is new. */
  readonly epoch: string;
  /** The write-ahead log is moved into the database when it holds this much. */
  readonly walBytes: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export class LogDatabase {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #now: () => number;
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;
  readonly #select: StatementSync;
  readonly #value: StatementSync;
  readonly #setMeta: StatementSync;
  readonly #walState: StatementSync;
  readonly #pageCount: StatementSync;
  readonly #identity: Identity;
  /** Pages in the write-ahead log at which the next checkpoint is due. */
  #checkpointAt: number;
  readonly #walPages: number;

  /** Throws FileProblemError for a file that is not ours to use, SQLite's own errors for everything else. */
  constructor(options: LogDatabaseOptions) {
    const { db, identity } = openFile(options.path, options.epoch);
    this.#path = options.path;
    this.#now = options.now;
    this.#walPages = Math.max(1, Math.floor(options.walBytes / pageBytes));
    this.#checkpointAt = this.#walPages;
    this.#db = db;
    this.#identity = identity;
    this.#insert = db.prepare('INSERT INTO log VALUES (?, ?, ?, ?)');
    this.#remove = db.prepare('DELETE FROM log WHERE id = ?');
    this.#select = db.prepare('SELECT id, key, create_revision, value FROM log WHERE id > ? ORDER BY id');
    this.#select.setReturnArrays(true);
    this.#value = db.prepare('SELECT value FROM log WHERE id = ?');
    this.#setMeta = db.prepare('UPDATE meta SET value = ? WHERE name = ?');
    this.#walState = db.prepare('PRAGMA wal_checkpoint(NOOP)');
    this.#pageCount = db.prepare('PRAGMA page_count');
  }

  get opened(): Opened {
    return { ...this.#identity, ...this.#sizes() };
  }

  /** Rows after an id, in order, until they hold `bytes` or there are no more. */
  load(after: number, bytes: number): Row[] {
    const rows: Row[] = [];
    for (const row of this.#select.iterate(after) as Iterable<unknown>) {
      const [id, key, createRevision, value] = row as [number, string, number, Uint8Array | null];
      rows.push({ id, key, createRevision, value: value ?? undefined });
      bytes -= key.length + (value?.byteLength ?? 0);
      if (bytes <= 0) break;
    }
    return rows;
  }

  /** Durable when it returns; when it throws, nothing of it is stored. */
  append(rows: Iterable<Row>, garbage: Float64Array, compacted: number): Appended {
    this.#refuseEndlessWal();
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const written = this.#insertRows(rows);
      // What was forgotten must be on record before its rows are gone; otherwise that can wait.
      if (garbage.length > 0 || written === 0) this.#setMeta.run(compacted, 'compacted');
      const started = this.#now();
      const removed = this.#removeRows(garbage, started + sliceMs);
      const removeMs = this.#now() - started;
      this.#db.exec('COMMIT');
      return { removed, removeMs, ...this.#sizes() };
    } catch (error) {
      // A full disk has made SQLite roll back already.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  fetch(ids: Float64Array): Uint8Array[] {
    return Array.from(ids, (id) => {
      const value = this.#value.get(id)?.['value'];
      if (!(value instanceof Uint8Array)) throw new Error(`row ${id} is gone`);
      return value;
    });
  }

  /** Moves the write-ahead log into the database when enough of it waits; undefined when not. */
  checkpointIfDue(): Checkpoint | undefined {
    return this.#wal().waiting >= this.#checkpointAt ? this.#checkpoint() : undefined;
  }

  /** The same however little waits, for a quiet moment: the next start has less to read. */
  checkpointIfAny(): Checkpoint | undefined {
    return this.#wal().waiting > 0 ? this.#checkpoint() : undefined;
  }

  /** Shrinks the file by one slice when much of it is free; tells whether there is more to shrink. */
  giveBackPages(): boolean {
    const free = Number(this.#db.prepare('PRAGMA freelist_count').get()?.['freelist_count']);
    if (free < mostFreePages || free * 4 < this.#pages()) return false;
    this.#db.exec(`PRAGMA incremental_vacuum(${vacuumPages})`);
    return true;
  }

  close(): void {
    this.#db.close();
  }

  #insertRows(rows: Iterable<Row>): number {
    let written = 0;
    for (const { id, key, createRevision, value } of rows) {
      this.#insert.run(id, key, createRevision, value ?? null);
      written++;
    }
    return written;
  }

  #removeRows(ids: Float64Array, deadline: number): number {
    let removed = 0;
    for (const id of ids) {
      // Looking at the clock for each of them would cost a tenth of the deletion.
      if (removed % 16 === 15 && this.#now() > deadline) break;
      this.#remove.run(id);
      removed++;
    }
    return removed;
  }

  #checkpoint(): Checkpoint {
    const started = this.#now();
    const before = this.#wal();
    const problem = this.#tryCheckpoint();
    // One that failed, on a full disk, is tried again after some more writes rather than with every one.
    this.#checkpointAt = problem === undefined ? this.#walPages : before.waiting + this.#walPages / 4;
    return { durationMs: this.#now() - started, walBytes: before.total * pageBytes, problem };
  }

  #tryCheckpoint(): string | undefined {
    try {
      const done = this.#db.prepare('PRAGMA wal_checkpoint(PASSIVE)').get();
      if (done?.['busy'] === 0 && done['log'] === done['checkpointed']) return undefined;
      return 'the write-ahead log could not be emptied';
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Pages in the write-ahead log, and those of them that the database file does not have yet. */
  #wal(): { total: number; waiting: number } {
    const state = this.#walState.get();
    const total = Number(state?.['log'] ?? 0);
    return { total, waiting: total - Number(state?.['checkpointed'] ?? 0) };
  }

  /** Writes could go on for as long as the log has room on the disk; this ends that early enough to be noticed. */
  #refuseEndlessWal(): void {
    if (this.#wal().waiting < this.#walPages * walOverflow) return;
    const { problem } = this.#checkpoint();
    if (problem !== undefined) throw new Error(`the write-ahead log cannot be emptied: ${problem}`);
  }

  #pages(): number {
    return Number(this.#pageCount.get()?.['page_count']);
  }

  #sizes(): Sizes {
    const walBytes = statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    return { sizeBytes: this.#pages() * pageBytes + walBytes, walBytes };
  }
}
