/** Every error the store throws on purpose; callers branch on `code` alone. */

import { OutriggerError } from '@outrigger/core/errors';
import type { Key } from './store.ts';

export function compactedError(asked: number, compacted: number): OutriggerError {
  return new OutriggerError(`revision ${asked} is too old: history before ${compacted} was compacted`, {
    code: 'STORE_COMPACTED',
    target: `revision ${asked}`,
    hint: 'read the current state again and go on from its revision',
  });
}

export function futureError(asked: number, revision: number): OutriggerError {
  return new OutriggerError(`revision ${asked} does not exist yet: the store is at ${revision}`, {
    code: 'STORE_FUTURE_REVISION',
    target: `revision ${asked}`,
  });
}

/** A write that could not be made durable. Nothing of it is visible, and the next write is tried again. */
export function readOnlyError(target: string, cause: unknown): OutriggerError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new OutriggerError(`${target} takes no writes: ${reason}`, {
    code: 'STORE_READ_ONLY',
    target,
    hint: 'free space on that disk or make the folder writable; reads and watches go on, and writing resumes by itself',
    cause,
  });
}

export function closedError(): OutriggerError {
  return new OutriggerError('the store is closed', { code: 'STORE_CLOSED' });
}

/** More waits to be written than the limit allows: the disk is slower than the writers. */
export function busyError(waitingBytes: number, limitBytes: number): OutriggerError {
  return new OutriggerError(`${waitingBytes} bytes wait to be written, the limit is ${limitBytes}`, {
    code: 'STORE_BUSY',
    hint: 'try again later',
  });
}

export function invalidTxnError(problem: string, key?: Key): OutriggerError {
  return new OutriggerError(`the transaction is invalid: ${problem}`, {
    code: 'STORE_INVALID_TXN',
    ...(key === undefined ? {} : { target: key }),
  });
}

export function lockedError(dir: string): OutriggerError {
  return new OutriggerError(`${dir} is in use by another process`, {
    code: 'STORE_LOCKED',
    target: dir,
    hint: 'stop the other control service, or give this one a data folder of its own',
  });
}

export function schemaError(path: string, found: number, known: number): OutriggerError {
  return new OutriggerError(`${path} has schema version ${found}, this release knows up to ${known}`, {
    code: 'STORE_SCHEMA',
    target: path,
    hint: 'start the newer release that wrote it, or restore a backup made by this one',
  });
}

export function corruptError(path: string, problem: string): OutriggerError {
  return new OutriggerError(`${path} is damaged or not an Outrigger database: ${problem}`, {
    code: 'STORE_CORRUPT',
    target: path,
    hint: 'restore a backup, or move the folder away to begin with an empty store',
  });
}

export function openError(path: string, cause: unknown): OutriggerError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new OutriggerError(`cannot open ${path}: ${reason}`, {
    code: 'STORE_OPEN_FAILED',
    target: path,
    hint: 'check that the folder exists, is writable for this user and has free space',
    cause,
  });
}
