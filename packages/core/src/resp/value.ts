/** Replies as values, for tests, tools and control connections; the data path never makes them. */

import { malformed } from './limits.ts';
import { ReplyEvent, ReplyScanner } from './reply.ts';
import type { RespLimits } from './limits.ts';

export type RespValue = PlainValue & {
  /** RESP3 attributes sent before the value. */
  readonly attributes?: readonly (readonly [RespValue, RespValue])[];
};

type PlainValue =
  | { readonly type: 'simple' | 'error' | 'bulkError'; readonly text: string }
  | { readonly type: 'bulk'; readonly bytes: Buffer }
  /** `$-1`, `*-1` and RESP3's `_`: three spellings of nothing, kept apart so that encoding gives the same bytes. */
  | { readonly type: 'nullBulk' | 'nullList' | 'null' }
  /** A bigint beyond 2^53. */
  | { readonly type: 'integer'; readonly value: number | bigint }
  | { readonly type: 'double'; readonly value: number }
  | { readonly type: 'bigNumber'; readonly value: bigint }
  | { readonly type: 'boolean'; readonly value: boolean }
  /** Three letters say what the text is: `txt`, `mkd`. */
  | { readonly type: 'verbatim'; readonly format: string; readonly text: string }
  | { readonly type: 'list' | 'set' | 'push'; readonly items: readonly RespValue[] }
  | { readonly type: 'map'; readonly entries: readonly (readonly [RespValue, RespValue])[] };

/** Collects chunks and gives each reply or push once it is whole. Throws RespError. */
export class ReplyDecoder {
  readonly #scanner: ReplyScanner;
  #pieces: Uint8Array[] = [];

  constructor(limits: Partial<RespLimits> = {}) {
    this.#scanner = new ReplyScanner(limits);
  }

  push(chunk: Uint8Array): RespValue[] {
    const values: RespValue[] = [];
    let from = 0;
    while (this.#scanner.next(chunk, from) !== ReplyEvent.more) {
      const end = this.#scanner.offset;
      const whole = Buffer.concat([...this.#pieces, chunk.subarray(from, end)]);
      values.push(new Reader(whole).value());
      this.#pieces = [];
      from = end;
    }
    // A copy: the caller may reuse its buffer.
    if (from < chunk.length) this.#pieces.push(Buffer.from(chunk.subarray(from)));
    return values;
  }
}

/** Exactly one whole reply. Throws RespError when the bytes are anything else. */
export function decodeReply(bytes: Uint8Array, limits: Partial<RespLimits> = {}): RespValue {
  const values = new ReplyDecoder(limits).push(bytes);
  const [value] = values;
  if (value === undefined || values.length > 1) throw malformed('one whole reply', bytes[0] ?? 0);
  return value;
}

/** Reads one value the scanner has found complete and within its limits, so recursion is bounded by `maxDepth`. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  value(): RespValue {
    const type = String.fromCharCode(this.#bytes[this.#at++] as number);
    if (type !== '|') return this.#plain(type);
    const attributes = this.#pairs(Number(this.#line()));
    return { ...this.value(), attributes };
  }

  #plain(type: string): RespValue {
    const line = this.#line();
    switch (type) {
      case '+':
        return { type: 'simple', text: line };
      case '-':
        return { type: 'error', text: line };
      case ':':
        return { type: 'integer', value: integer(line) };
      case '$':
        return line === '-1' ? { type: 'nullBulk' } : { type: 'bulk', bytes: this.#body(Number(line)) };
      case '!':
        return { type: 'bulkError', text: this.#body(Number(line)).toString() };
      case '=':
        return verbatim(this.#body(Number(line)).toString());
      case '*':
        return line === '-1' ? { type: 'nullList' } : { type: 'list', items: this.#items(Number(line)) };
      case '~':
        return { type: 'set', items: this.#items(Number(line)) };
      case '>':
        return { type: 'push', items: this.#items(Number(line)) };
      case '%':
        return { type: 'map', entries: this.#pairs(Number(line)) };
      default:
        return scalar(type, line);
    }
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0d, this.#at);
    const line = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 2;
    return line;
  }

  #body(length: number): Buffer {
    const body = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length + 2;
    return body;
  }

  #items(count: number): RespValue[] {
    return Array.from({ length: count }, () => this.value());
  }

  #pairs(count: number): [RespValue, RespValue][] {
    return Array.from({ length: count }, () => [this.value(), this.value()]);
  }
}

function integer(line: string): number | bigint {
  if (!/^[+-]?\d+$/.test(line)) throw malformed('an integer', line.charCodeAt(0) || 0x0d);
  const value = Number(line);
  return Number.isSafeInteger(value) ? value : BigInt(line);
}

function verbatim(text: string): RespValue {
  if (text[3] !== ':')
    throw malformed("':' after the format of a verbatim string", text.charCodeAt(3) || 0x0d);
  return { type: 'verbatim', format: text.slice(0, 3), text: text.slice(4) };
}

/** RESP3's one-line types. */
function scalar(type: string, line: string): RespValue {
  if (type === '_' && line === '') return { type: 'null' };
  if (type === '#' && (line === 't' || line === 'f')) return { type: 'boolean', value: line === 't' };
  if (type === '(' && /^[+-]?\d+$/.test(line)) return { type: 'bigNumber', value: BigInt(line) };
  const special: Record<string, number> = { inf: Infinity, '-inf': -Infinity, nan: Number.NaN };
  const double = special[line] ?? (/^[+-]?[\d.]+(e[+-]?\d+)?$/i.test(line) ? Number(line) : undefined);
  if (type === ',' && double !== undefined) return { type: 'double', value: double };
  throw malformed(`a value behind '${type}'`, line.charCodeAt(0) || 0x0d);
}
