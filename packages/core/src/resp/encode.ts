/** Writes RESP: requests for control connections, errors of our own, and any reply for tests and tools. */

import type { RespValue } from './value.ts';

/** A request as an array of strings, the only form clients should send. */
export function encodeCommand(args: readonly (string | number | Uint8Array)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = typeof arg === 'object' ? Buffer.from(arg) : Buffer.from(String(arg));
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, crlf);
  }
  return Buffer.concat(parts);
}

/** An error reply; line ends within the text become blanks, since a line cannot hold them. `text` begins with its code: `ERR …`. */
export function encodeError(text: string): Buffer {
  return Buffer.from(`-${oneLine(text)}\r\n`);
}

export function encodeReply(value: RespValue): Buffer {
  const attributes =
    value.attributes === undefined ? [] : [line('|', value.attributes.length), ...pairs(value.attributes)];
  return Buffer.concat([...attributes, plain(value)]);
}

const crlf = Buffer.from('\r\n');

function plain(value: RespValue): Buffer {
  switch (value.type) {
    case 'simple':
      return line('+', oneLine(value.text));
    case 'error':
      return line('-', oneLine(value.text));
    case 'bulkError':
      return bulk('!', Buffer.from(value.text));
    case 'bulk':
      return bulk('$', value.bytes);
    case 'verbatim':
      return bulk('=', Buffer.from(`${value.format}:${value.text}`));
    case 'nullBulk':
      return line('$', -1);
    case 'nullList':
      return line('*', -1);
    case 'null':
      return line('_', '');
    case 'integer':
      return line(':', value.value);
    case 'bigNumber':
      return line('(', value.value);
    case 'double':
      return line(',', double(value.value));
    case 'boolean':
      return line('#', value.value ? 't' : 'f');
    case 'map':
      return Buffer.concat([line('%', value.entries.length), ...pairs(value.entries)]);
    case 'list':
      return items('*', value.items);
    case 'set':
      return items('~', value.items);
    case 'push':
      return items('>', value.items);
  }
}

function line(type: string, content: string | number | bigint): Buffer {
  return Buffer.from(`${type}${content}\r\n`);
}

function bulk(type: string, bytes: Buffer): Buffer {
  return Buffer.concat([line(type, bytes.length), bytes, crlf]);
}

function items(type: string, values: readonly RespValue[]): Buffer {
  return Buffer.concat([line(type, values.length), ...values.map(encodeReply)]);
}

function pairs(entries: readonly (readonly [RespValue, RespValue])[]): Buffer[] {
  return entries.flatMap(([key, value]) => [encodeReply(key), encodeReply(value)]);
}

function double(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? 'inf' : '-inf';
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ');
}
