/** The durable store: opens the data folder and reads the log into memory. */

import { randomUUID } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { corruptError, lockedError, openError, schemaError } from './errors.ts';
import { defaultLimits, withDefaults } from './limits.ts';
import type { StoreLimits } from './limits.ts';
import type { StoreOptions } from './options.ts';
import { versionOf } from './packing.ts';
import { SequencedStore } from './sequenced-store.ts';
import { Timeline } from './timeline.ts';
import type { Version } from './version.ts';
import { WorkerFailure, WorkerJournal } from './worker-journal.ts';

export interface SqliteStoreOptions extends StoreOptions {
  /** The data folder; made when missing. Holds `outrigger.db` and its write-ahead log. */
  readonly dir: string;
}

/** Throws STORE_LOCKED, STORE_SCHEMA, STORE_CORRUPT and STORE_OPEN_FAILED. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SequencedStore> {
  const path = join(options.dir, 'outrigger.db');
  await makeDurably(options.dir).catch((error: unknown) => {
    throw openError(options.dir, error);
  });
  const { observer = {}, epoch = randomUUID() } = options;
  const limits = withDefaults(defaultLimits, options.limits);
  const journal = new WorkerJournal({ path, epoch, walBytes: limits.walBytes, observer });
  try {
    return await readLog(journal, limits, options);
  } catch (error) {
    await journal.close();
    throw error instanceof WorkerFailure ? explain(error, options.dir, path) : error;
  }
}

async function readLog(
  journal: WorkerJournal,
  limits: StoreLimits,
  options: SqliteStoreOptions,
): Promise<SequencedStore> {
  const { epoch, compacted } = await journal.open();
  const timeline = new Timeline({ hotBytes: limits.hotHistoryBytes, compacted });
  const garbage: number[] = [];
  for await (const page of journal.pages()) {
    for (const row of page) restore(timeline, versionOf(row), garbage, journal.target);
  }
  const { clock, observer } = options;
  return new SequencedStore({ epoch, timeline, journal, clock, limits, observer, garbage });
}

function restore(timeline: Timeline, version: Version, garbage: number[], path: string): void {
  try {
    timeline.restore(version, garbage);
  } catch (error) {
    throw corruptError(path, error instanceof Error ? error.message : String(error));
  }
}

/** A new folder is part of what an fsync has to keep, so the folder that got the new entry is synced too. */
async function makeDurably(dir: string): Promise<void> {
  const first = await mkdir(dir, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let at = resolve(dir); at.length >= resolve(first).length; at = dirname(at))
    await syncFolder(dirname(at));
}

async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const busy = 5;
const corrupt = 11;
const notADatabase = 26;

function explain(error: WorkerFailure, dir: string, path: string): Error {
  const { problem, sqlite, message } = error.failure;
  if (problem?.type === 'schema') return schemaError(path, problem.found, problem.known);
  if (problem?.type === 'damaged') return corruptError(path, problem.detail);
  if (sqlite === busy) return lockedError(dir);
  if (sqlite === corrupt || sqlite === notADatabase) return corruptError(path, message);
  return openError(path, error);
}
