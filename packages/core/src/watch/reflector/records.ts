/** From objects to records, and from two states of them to the difference. */

import { isRecord } from '../../api/record.ts';
import { isDeepStrictEqual } from 'node:util';
import { OutriggerError } from '../../errors/index.ts';
import type { ApiObject, Held, WatchEvent } from './types.ts';

export type Project<R> = (object: never) => R | undefined;

/** Throws WATCH_PROTOCOL for what no API server sends. */
export function parseEvent(line: string): WatchEvent {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch (error) {
    throw protocol(`a line of the watch is not JSON: ${excerpt(line)}`, error);
  }
  if (isRecord(event) && typeof event['type'] === 'string' && isRecord(event['object']))
    return event as unknown as WatchEvent;
  throw protocol(`a line of the watch is not an event: ${excerpt(line)}`);
}

/** Throws WATCH_PROTOCOL for an object without a name. */
export function keyOf(object: ApiObject): string {
  const { name, namespace } = object.metadata ?? {};
  if (name === undefined || name === '') throw protocol('an object without metadata.name came');
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

/** Throws WATCH_PROTOCOL for an object or bookmark without a resourceVersion. */
export function revisionOf(object: ApiObject): string {
  const revision = object.metadata?.resourceVersion;
  if (revision === undefined || revision === '')
    throw protocol('an object without metadata.resourceVersion came');
  return revision;
}

/** Undefined where the daemon has no interest in the object. Throws WATCH_PROTOCOL, and WATCH_CONSUMER where `project` throws. */
export function heldOf<R>(object: ApiObject, project: Project<R>): Held<R> | undefined {
  const key = keyOf(object);
  const revision = revisionOf(object);
  let record: R | undefined;
  try {
    record = project(object as never);
  } catch (error) {
    throw new OutriggerError(`the object ${key} could not be taken in`, {
      code: 'WATCH_CONSUMER',
      target: key,
      cause: error,
    });
  }
  return record === undefined ? undefined : { key, revision, record };
}

/**
 * `held` with the record of `old` in it where they are equal, so that telling them apart later costs nothing. Compared
 * by content, not by revision: those of another cluster, or of records that an older release projected, may look the
 * same and differ.
 */
export function sharing<R>(held: Held<R>, old: Held<R> | undefined): Held<R> {
  return old !== undefined && isDeepStrictEqual(old.record, held.record)
    ? { ...held, record: old.record }
    : held;
}

/** What turns `before` into `after`, whose equal records are shared. */
export function difference<R>(
  before: ReadonlyMap<string, Held<R>>,
  after: ReadonlyMap<string, Held<R>>,
): { put: Held<R>[]; delete: Held<R>[] } {
  const put: Held<R>[] = [];
  for (const [key, held] of after) {
    const old = before.get(key);
    if (old === undefined || old.record !== held.record) put.push(held);
  }
  const gone = [...before.values()].filter(({ key }) => !after.has(key));
  return { put, delete: gone };
}

function excerpt(line: string): string {
  return JSON.stringify(line.length > 80 ? `${line.slice(0, 80)}…` : line);
}

/** WATCH_PROTOCOL: what no API server sends. */
export function protocol(message: string, cause?: unknown): OutriggerError {
  return new OutriggerError(message, {
    code: 'WATCH_PROTOCOL',
    hint: 'something else than an API server may be answering',
    ...(cause === undefined ? {} : { cause }),
  });
}
