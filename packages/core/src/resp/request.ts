/**
 * Finds where requests end, in bytes that arrive cut anywhere.
 *
 * A proxy needs three things of a request: its name, where it starts and where it ends. Parsing it into an array of
 * strings costs an allocation per argument; waiting for it whole and starting over with each chunk is quadratic. So
 * the scanner is a resume cursor: it keeps a few numbers between chunks and none of the bytes, jumps over bodies, and
 * tells offsets into the chunk it was given. A name is known before its request is complete, which lets a caller route
 * a large value while it is still arriving.
 *
 * It accepts a subset of what Redis accepts (CRLF only, canonical numbers), never more: within that subset both agree
 * on every boundary. What lies outside throws a RespError, after which the scanner must not be used again.
 */

import { defaultRespLimits, malformed, RespError } from './limits.ts';
import type { RespLimits } from './limits.ts';
import { LengthReader } from './number.ts';

export const RequestEvent = Object.freeze({
  /** The chunk is used up in the middle of a request, or exactly at the end of the last one. */
  more: 0,
  /** The name is known: see `name`, `nameLength`, `argc`. Comes once, before `end`; not for empty requests. */
  head: 1,
  /** A request ends at `offset`. One with `argc` 0 (`*0`, `*-1`, an empty line) gets no reply from Redis. */
  end: 2,
});
export type RequestEvent = (typeof RequestEvent)[keyof typeof RequestEvent];

const State = Object.freeze({
  start: 0,
  count: 1,
  countLf: 2,
  mark: 3,
  length: 4,
  lengthLf: 5,
  name: 6,
  body: 7,
  bodyCr: 8,
  bodyLf: 9,
  inline: 10,
  inlineEnd: 11,
});

const cr = 0x0d;
const lf = 0x0a;
const blank = 0x20;
const tab = 0x09;
const star = 0x2a;
const dollar = 0x24;

/** Longest name kept; Redis' longest is 17 bytes. A longer one has `nameLength` −1: no command known to anyone. */
const maxNameBytes = 32;

export class RequestScanner {
  /** Where in the chunk the last event left off. */
  offset = 0;
  /** Arguments of the current request, name included; for an inline request 1 (its words are not counted). */
  argc = 0;
  /** The name's bytes in upper case, the first `nameLength` of them valid after `head`. */
  readonly name = new Uint8Array(maxNameBytes);
  nameLength = 0;
  /** Whether the current request is a line of words instead of an array of strings. */
  inline = false;

  readonly #limits: RespLimits;
  readonly #number = new LengthReader();
  #state: number = State.start;
  #arguments = 0;
  #body = 0;

  constructor(limits: Partial<RespLimits> = {}) {
    this.#limits = { ...defaultRespLimits, ...limits };
  }

  /** True when no request is half read. */
  get between(): boolean {
    return this.#state === State.start;
  }

  /** Bytes of the string in hand that are still to come: known as soon as its length is. 0 within a name. */
  get missing(): number {
    return this.#state === State.body ? this.#body : 0;
  }

  /** Goes on from `from` to the next event. Throws RespError. */
  next(chunk: Uint8Array, from: number): RequestEvent {
    let i = from;
    while (i < chunk.length) {
      if (this.#state === State.body) {
        i = this.#skipBody(chunk.length, i);
        continue;
      }
      const event = this.#step(chunk[i] as number);
      // An inline request's line end is met twice: once for its head, once for its end.
      if (this.#state !== State.inlineEnd) i++;
      if (event !== RequestEvent.more) {
        this.offset = i;
        return event;
      }
    }
    this.offset = i;
    return RequestEvent.more;
  }

  #step(byte: number): RequestEvent {
    switch (this.#state) {
      case State.start:
        return this.#begin(byte);
      case State.count:
        return this.#digit(byte, State.countLf);
      case State.countLf:
        return this.#countDone(byte);
      case State.mark:
        if (byte !== dollar) throw malformed("'$'", byte);
        this.#number.reset();
        return this.#to(State.length);
      case State.length:
        return this.#digit(byte, State.lengthLf);
      case State.lengthLf:
        return this.#lengthDone(byte);
      case State.name:
        return this.#nameByte(byte);
      case State.bodyCr:
        if (byte !== cr) throw malformed('CR after a string', byte);
        return this.#to(State.bodyLf);
      case State.bodyLf:
        return this.#argumentDone(byte);
      case State.inline:
        return this.#inlineByte(byte);
      default:
        this.#state = State.start;
        return RequestEvent.end;
    }
  }

  #to(state: number): RequestEvent {
    this.#state = state;
    return RequestEvent.more;
  }

  #begin(byte: number): RequestEvent {
    this.nameLength = 0;
    this.inline = byte !== star;
    if (!this.inline) {
      this.#number.reset();
      return this.#to(State.count);
    }
    this.argc = 0;
    this.#body = 0;
    this.#state = State.inline;
    return this.#inlineByte(byte);
  }

  #digit(byte: number, then: number): RequestEvent {
    if (byte === cr) return this.#to(then);
    this.#number.take(byte);
    return RequestEvent.more;
  }

  #countDone(byte: number): RequestEvent {
    if (byte !== lf) throw malformed('LF', byte);
    const count = this.#number.finish();
    if (count > this.#limits.maxArguments) throw tooMany('arguments', count, 'maxArguments');
    this.argc = Math.max(count, 0);
    this.#arguments = this.argc;
    if (this.argc > 0) return this.#to(State.mark);
    this.#state = State.start;
    return RequestEvent.end;
  }

  #lengthDone(byte: number): RequestEvent {
    if (byte !== lf) throw malformed('LF', byte);
    const length = this.#number.finish();
    if (length < 0) throw malformed('a length', 0x2d);
    if (length > this.#limits.maxBulkBytes) throw tooMany('bytes in a string', length, 'maxBulkBytes');
    this.#body = length;
    if (this.#arguments < this.argc) return this.#to(length === 0 ? State.bodyCr : State.body);
    return this.#beginName(length);
  }

  /** An empty name, or one too long to be a command's, is announced at once and its body skipped. */
  #beginName(length: number): RequestEvent {
    if (length > 0 && length <= maxNameBytes) return this.#to(State.name);
    this.nameLength = length === 0 ? 0 : -1;
    this.#state = length === 0 ? State.bodyCr : State.body;
    return RequestEvent.head;
  }

  #nameByte(byte: number): RequestEvent {
    this.name[this.nameLength++] = upper(byte);
    if (--this.#body > 0) return RequestEvent.more;
    this.#state = State.bodyCr;
    return RequestEvent.head;
  }

  #skipBody(end: number, from: number): number {
    const step = Math.min(this.#body, end - from);
    this.#body -= step;
    if (this.#body === 0) this.#state = State.bodyCr;
    return from + step;
  }

  #argumentDone(byte: number): RequestEvent {
    if (byte !== lf) throw malformed('LF after a string', byte);
    if (--this.#arguments > 0) return this.#to(State.mark);
    this.#state = State.start;
    return RequestEvent.end;
  }

  /** `argc` is 0 before the first word, 1 within it, 2 behind it (told as 1). */
  #inlineByte(byte: number): RequestEvent {
    if (byte === lf) return this.#inlineDone();
    if (++this.#body >= this.#limits.maxInlineBytes) {
      throw tooMany('bytes in an inline request', this.#body, 'maxInlineBytes');
    }
    const space = byte === blank || byte === tab || byte === cr;
    if (this.argc === 2 || (space && this.argc === 0)) return RequestEvent.more;
    if (space) {
      this.argc = 2;
      return RequestEvent.more;
    }
    this.argc = 1;
    if (this.nameLength === maxNameBytes) this.nameLength = -1;
    if (this.nameLength >= 0) this.name[this.nameLength++] = upper(byte);
    return RequestEvent.more;
  }

  #inlineDone(): RequestEvent {
    if (this.argc === 0) {
      this.#state = State.start;
      return RequestEvent.end;
    }
    this.argc = 1;
    this.#state = State.inlineEnd;
    return RequestEvent.head;
  }
}

function upper(byte: number): number {
  return byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte;
}

function tooMany(what: string, got: number, limit: keyof RespLimits): RespError {
  return new RespError('RESP_LIMIT', `${got} ${what} are more than ${limit} allows`, limit);
}
