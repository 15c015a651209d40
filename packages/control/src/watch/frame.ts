/** Watch events as bytes: one JSON document a line, several lines framed once as an HTTP/1.1 chunk for all who get them. */

import type { Representation } from '../represent/representation.ts';
import type { Entry } from '../cache/entry.ts';

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';

/** The same bytes twice: as they are, and as one chunk of chunked transfer coding. */
export interface Frame {
  readonly body: Buffer;
  readonly chunk: Buffer;
}

const openings: Readonly<Record<EventType, Buffer>> = {
  ADDED: opening('ADDED'),
  MODIFIED: opening('MODIFIED'),
  DELETED: opening('DELETED'),
  BOOKMARK: opening('BOOKMARK'),
  ERROR: opening('ERROR'),
};
const closing = Buffer.from('}\n');
const lineEnd = Buffer.from('\r\n');

/** `{"type":…,"object":…}` and a line feed, around an encoded object. */
export function eventLine(type: EventType, object: Uint8Array): Buffer {
  return Buffer.concat([openings[type], object, closing]);
}

/** An event of the current state, in some representation. */
export function entryLine(type: EventType, represent: Representation, entry: Entry, first: boolean): Buffer {
  return eventLine(type, represent.inEvent(entry, first));
}

export function frameOf(lines: readonly Uint8Array[]): Frame {
  let length = 0;
  for (const line of lines) length += line.length;
  const size = Buffer.from(`${length.toString(16)}\r\n`);
  const chunk = Buffer.concat([size, ...lines, lineEnd]);
  return { chunk, body: chunk.subarray(size.length, size.length + length) };
}

function opening(type: EventType): Buffer {
  return Buffer.from(`{"type":"${type}","object":`);
}
