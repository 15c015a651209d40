/**
 * Finds where replies end, RESP2 and RESP3, in bytes that arrive cut anywhere; the counterpart of `RequestScanner`.
 *
 * Nesting is a stack of counters in two fixed arrays, never recursion: a hostile reply of a million `*1` costs a
 * refusal, not a stack overflow. A push (`>`) may stand between replies and is told apart, since it answers nothing.
 * Inside a reply it is an element as any other: Redis answers a SUBSCRIBE in a transaction so.
 * Attributes (`|`) belong to the reply behind them and are counted into it. Contents of lines are not validated:
 * boundaries do not depend on them, and a proxy passes them on as they are.
 */

import { defaultRespLimits, malformed, RespError } from './limits.ts';
import type { RespLimits } from './limits.ts';
import { LengthReader } from './number.ts';

export const ReplyEvent = Object.freeze({
  /** The chunk is used up, in the middle of a reply or exactly at the end of the last one. */
  more: 0,
  /** A reply, attributes included, ends at `offset`. */
  end: 1,
  /** A push ends at `offset`. */
  push: 2,
});
export type ReplyEvent = (typeof ReplyEvent)[keyof typeof ReplyEvent];

const State = Object.freeze({
  type: 0,
  line: 1,
  lineLf: 2,
  length: 3,
  lengthLf: 4,
  body: 5,
  bodyCr: 6,
  bodyLf: 7,
});

/** What a level of the stack stands for once its elements are complete. */
const Level = Object.freeze({ value: 0, attribute: 1, push: 2 });

const cr = 0x0d;
const lf = 0x0a;
const question = 0x3f;
const dollar = 0x24;
const star = 0x2a;

/** How the bytes behind a type byte are framed. */
const Frame = Object.freeze({ none: 0, line: 1, bulk: 2, list: 3, pairs: 4, attribute: 5, push: 6 });
const frameOf = frames();

export class ReplyScanner {
  /** Where in the chunk the last event left off. */
  offset = 0;
  readonly #limits: RespLimits;
  readonly #number = new LengthReader();
  readonly #left: Float64Array;
  readonly #level: Uint8Array;
  #depth = 0;
  #state: number = State.type;
  #type = 0;
  #typeByte = 0;
  #body = 0;
  #attributed = false;

  constructor(limits: Partial<RespLimits> = {}) {
    this.#limits = { ...defaultRespLimits, ...limits };
    this.#left = new Float64Array(this.#limits.maxDepth);
    this.#level = new Uint8Array(this.#limits.maxDepth);
  }

  /** True when no reply is half read: what comes next is a type byte of a new reply or push. */
  get between(): boolean {
    return this.#state === State.type && this.#depth === 0 && !this.#attributed;
  }

  /** Goes on from `from` to the next event. Throws RespError, after which the scanner must not be used again. */
  next(chunk: Uint8Array, from: number): ReplyEvent {
    let i = from;
    while (i < chunk.length) {
      if (this.#state === State.body) {
        i = this.#skipBody(chunk.length, i);
        continue;
      }
      const event = this.#step(chunk[i++] as number);
      if (event !== ReplyEvent.more) {
        this.offset = i;
        return event;
      }
    }
    this.offset = i;
    return ReplyEvent.more;
  }

  #step(byte: number): ReplyEvent {
    switch (this.#state) {
      case State.type:
        return this.#begin(byte);
      case State.line:
        return this.#lineByte(byte);
      case State.lineLf:
        return this.#expectLf(byte);
      case State.length:
        return this.#lengthByte(byte);
      case State.lengthLf:
        return this.#lengthDone(byte);
      case State.bodyCr:
        if (byte !== cr) throw malformed('CR after a string', byte);
        return this.#to(State.bodyLf);
      default:
        return this.#expectLf(byte);
    }
  }

  #to(state: number): ReplyEvent {
    this.#state = state;
    return ReplyEvent.more;
  }

  #begin(byte: number): ReplyEvent {
    const frame = frameOf[byte] as number;
    if (frame === Frame.none) throw malformed('a type byte', byte);
    if (frame === Frame.push && this.#attributed) throw malformed('a value behind an attribute', byte);
    this.#type = frame;
    this.#typeByte = byte;
    this.#body = 0;
    if (frame === Frame.line) return this.#to(State.line);
    this.#number.reset();
    return this.#to(State.length);
  }

  #lineByte(byte: number): ReplyEvent {
    if (byte === cr) return this.#to(State.lineLf);
    if (byte === lf) throw malformed('CR before LF', byte);
    if (++this.#body > this.#limits.maxLineBytes)
      throw tooMany('bytes in a line', this.#body, 'maxLineBytes');
    return ReplyEvent.more;
  }

  #expectLf(byte: number): ReplyEvent {
    if (byte !== lf) throw malformed('LF', byte);
    return this.#complete();
  }

  #lengthByte(byte: number): ReplyEvent {
    if (byte === cr) return this.#to(State.lengthLf);
    if (byte === question) throw new RespError('RESP_STREAMED', 'streamed RESP3 values are not supported');
    this.#number.take(byte);
    return ReplyEvent.more;
  }

  #lengthDone(byte: number): ReplyEvent {
    if (byte !== lf) throw malformed('LF', byte);
    const length = this.#number.finish();
    if (length < 0 && this.#typeByte !== dollar && this.#typeByte !== star) throw malformed('a length', 0x2d);
    if (this.#type === Frame.bulk) return this.#beginBody(length);
    if (length > this.#limits.maxElements) throw tooMany('elements', length, 'maxElements');
    return this.#descend(length);
  }

  #beginBody(length: number): ReplyEvent {
    if (length < 0) return this.#complete();
    if (length > this.#limits.maxBulkBytes) throw tooMany('bytes in a string', length, 'maxBulkBytes');
    this.#body = length;
    return this.#to(length === 0 ? State.bodyCr : State.body);
  }

  #skipBody(end: number, from: number): number {
    const step = Math.min(this.#body, end - from);
    this.#body -= step;
    if (this.#body === 0) this.#state = State.bodyCr;
    return from + step;
  }

  /** Opens a level for an aggregate of `length` elements; an empty or null one is complete at once. */
  #descend(length: number): ReplyEvent {
    const type = this.#type;
    const doubled = type === Frame.pairs || type === Frame.attribute;
    const between = type === Frame.push && this.#depth === 0;
    const level = type === Frame.attribute ? Level.attribute : between ? Level.push : Level.value;
    if (length <= 0) return this.#closed(level);
    if (this.#depth === this.#limits.maxDepth) throw tooMany('levels', this.#depth + 1, 'maxDepth');
    this.#left[this.#depth] = doubled ? length * 2 : length;
    this.#level[this.#depth] = level;
    this.#depth++;
    return this.#to(State.type);
  }

  /** An aggregate has all its elements. */
  #closed(level: number): ReplyEvent {
    if (level === Level.value) return this.#complete();
    this.#state = State.type;
    if (level === Level.push) return ReplyEvent.push;
    if (this.#depth === 0) this.#attributed = true;
    return ReplyEvent.more;
  }

  /** A value is complete: so may be the aggregates it was the last element of. */
  #complete(): ReplyEvent {
    this.#state = State.type;
    while (this.#depth > 0) {
      const top = this.#depth - 1;
      const left = (this.#left[top] as number) - 1;
      this.#left[top] = left;
      if (left > 0) return ReplyEvent.more;
      this.#depth = top;
      const level = this.#level[top] as number;
      if (level !== Level.value) return this.#closed(level);
    }
    this.#attributed = false;
    return ReplyEvent.end;
  }
}

function frames(): Uint8Array {
  const table = new Uint8Array(256);
  const set = (types: string, frame: number): void => {
    for (const type of types) table[type.charCodeAt(0)] = frame;
  };
  set('+-:_#,(', Frame.line);
  set('$=!', Frame.bulk);
  set('*~', Frame.list);
  set('%', Frame.pairs);
  set('|', Frame.attribute);
  set('>', Frame.push);
  return table;
}

function tooMany(what: string, got: number, limit: keyof RespLimits): RespError {
  return new RespError('RESP_LIMIT', `${got} ${what} are more than ${limit} allows`, limit);
}
