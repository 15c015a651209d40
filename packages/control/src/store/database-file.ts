/** Opening the database file: private, locked against a second process, checked, and of a version this release knows. */

import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { FileProblem } from './messages.ts';

/** Raised when the tables change; a database with a newer version is refused. */
export const schemaVersion = 1;
/** Marks the file as ours: "OUTR". */
const applicationId = 0x4f55_5452;

const tables = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
  CREATE TABLE log (id INTEGER PRIMARY KEY, key TEXT NOT NULL, create_revision INTEGER NOT NULL, value BLOB) STRICT;
`;

export interface Identity {
  readonly epoch: string;
  /** The revision through which history was forgotten. */
  readonly compacted: number;
}

/** The file is readable but not ours to use. */
export class FileProblemError extends Error {
  readonly problem: FileProblem;

  constructor(problem: FileProblem) {
    super(problem.type);
    this.problem = problem;
  }
}

/** Throws FileProblemError, or SQLite's own errors. `newEpoch` becomes the identity of a database that is new. */
export function openFile(path: string, newEpoch: string): { db: DatabaseSync; identity: Identity } {
  createPrivately(path);
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    prepareConnection(db);
    checkOwner(db);
    checkIntegrity(db);
    createTables(db, newEpoch);
    return { db, identity: readIdentity(db) };
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Objects may be Secrets, so the file is for its owner alone; SQLite gives its log the same mode. An existing file is
 * not opened here: closing it would drop the locks this process holds on it.
 */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

function prepareConnection(db: DatabaseSync): void {
  db.exec('PRAGMA locking_mode = EXCLUSIVE');
  // Lets the file shrink later. To be chosen before the first page is written; in an old file it would be a write.
  if (pragma(db, 'page_count') === 0) db.exec('PRAGMA auto_vacuum = INCREMENTAL');
  // Takes the lock now, and keeps it: the pragma alone would wait for the first write.
  db.exec('BEGIN EXCLUSIVE; COMMIT');
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  // Checkpoints happen after the answer, not inside the commit that happens to fill the log.
  db.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 8388608');
}

function checkOwner(db: DatabaseSync): void {
  const owner = pragma(db, 'application_id');
  if (owner === applicationId) return;
  const { count } = db.prepare('SELECT count(*) AS count FROM sqlite_schema').get() as { count: number };
  if (owner !== 0 || count > 0) throw damaged('it belongs to another application');
}

function checkIntegrity(db: DatabaseSync): void {
  const found = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (found !== 'ok') throw damaged(String(found));
}

function createTables(db: DatabaseSync, newEpoch: string): void {
  if (pragma(db, 'application_id') === applicationId) return;
  db.exec('BEGIN IMMEDIATE');
  db.exec(`${tables}; PRAGMA application_id = ${applicationId}`);
  const insert = db.prepare('INSERT INTO meta VALUES (?, ?)');
  insert.run('schema_version', schemaVersion);
  insert.run('epoch', newEpoch);
  insert.run('compacted', 0);
  db.exec('COMMIT');
}

function readIdentity(db: DatabaseSync): Identity {
  const rows = db.prepare('SELECT name, value FROM meta').all();
  const meta = new Map(rows.map((row) => [row['name'], row['value']]));
  const found = meta.get('schema_version');
  const epoch = meta.get('epoch');
  const compacted = meta.get('compacted');
  if (typeof found !== 'number' || typeof epoch !== 'string' || typeof compacted !== 'number')
    throw damaged('its meta table is incomplete');
  if (found > schemaVersion) throw new FileProblemError({ type: 'schema', found, known: schemaVersion });
  return { epoch, compacted };
}

function damaged(detail: string): FileProblemError {
  return new FileProblemError({ type: 'damaged', detail });
}

function pragma(db: DatabaseSync, name: string): unknown {
  return db.prepare(`PRAGMA ${name}`).get()?.[name];
}
