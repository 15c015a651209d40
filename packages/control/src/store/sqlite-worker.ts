/** The writer thread: takes requests in order, answers them, and does housekeeping after the answer. */

import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '@outrigger/core/clock';
import { FileProblemError } from './database-file.ts';
import { LogDatabase } from './database.ts';
import type { Checkpoint, Failure, Request, Response, WorkerData } from './messages.ts';
import { packRows, packValues, unpackRows } from './packing.ts';

/** Bytes of rows read at once while starting. */
const pageBytes = 1024 * 1024;

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread of the store');

const clock = systemClock();
const { path, epoch, walBytes } = workerData as WorkerData;
let database: LogDatabase | undefined;
let resting: NodeJS.Immediate | undefined;

port.on('message', (request: Request) => {
  clearImmediate(resting);
  if (request.type === 'idle') {
    rest();
    return;
  }
  respond(request);
  if (request.type === 'append') tell(() => opened().checkpointIfDue());
  if (request.type === 'close') port.close();
});

function respond(request: Exclude<Request, { type: 'idle' }>): void {
  try {
    const { value, transfer } = answerTo(request);
    send({ type: 'answer', value }, transfer);
  } catch (error) {
    send({ type: 'failure', failure: describe(error) });
  }
}

function answerTo(request: Exclude<Request, { type: 'idle' }>): { value: unknown; transfer?: ArrayBuffer[] } {
  switch (request.type) {
    case 'open':
      database = new LogDatabase({ path, epoch, walBytes, now: () => clock.now() });
      return { value: database.opened };
    case 'load': {
      const rows = packRows(opened().load(request.after, pageBytes));
      return { value: rows, transfer: [rows.values] };
    }
    case 'append': {
      const { rows, garbage, compacted } = request;
      return { value: opened().append(unpackRows(rows), garbage, compacted) };
    }
    case 'fetch': {
      const values = packValues(opened().fetch(request.ids));
      return { value: values, transfer: [values.values] };
    }
    case 'close':
      database?.close();
      return { value: undefined };
  }
}

/** Housekeeping in slices while nothing is asked; the next request ends it. */
function rest(): void {
  tell(() => {
    if (!opened().giveBackPages()) return opened().checkpointIfAny();
    resting = setImmediate(rest);
    return undefined;
  });
}

/** Reports housekeeping. What fails, fails again at the next write, which is then the one to be refused. */
function tell(work: () => Checkpoint | undefined): void {
  let checkpoint: Checkpoint | undefined;
  try {
    checkpoint = work();
  } catch (error) {
    checkpoint = { durationMs: 0, walBytes: 0, problem: describe(error).message };
  }
  if (checkpoint !== undefined) send({ type: 'checkpoint', checkpoint });
}

function opened(): LogDatabase {
  if (database === undefined) throw new Error('the database is not open');
  return database;
}

function describe(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const problem = error instanceof FileProblemError ? error.problem : undefined;
  // The low byte of an extended result code is the primary one.
  const sqlite =
    error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
      ? error.errcode & 0xff
      : undefined;
  return { message, sqlite, problem };
}

function send(response: Response, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(response, transfer);
}
