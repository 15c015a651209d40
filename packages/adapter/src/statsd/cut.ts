/**
 * One line → where its key and its numbers are, in a single pass over its bytes.
 *
 * The key is everything but values, rate and timestamp: what stays the same from line to line. It is copied together
 * and hashed on the way. Whether the line makes sense is not asked here.
 */

export const LF = 0x0a;
const SPACE = 0x20;
const COLON = 0x3a;
const AT = 0x40;
const T = 0x54;
const PIPE = 0x7c;

export class Cut {
  /** The key of the line at hand: its name, then what follows the values. */
  readonly key: Uint8Array;
  length = 0;
  hash = 0;
  /** `bytes[valueFrom, valueTo)`: one value, or several with colons between. */
  valueFrom = 0;
  valueTo = 0;
  isPacked = false;
  /** 0: no rate. */
  rateFrom = 0;
  rateTo = 0;
  /** Where the line break is, or the end. */
  end = 0;
  readonly #seed: number;

  /** `longest`: of the lines it is given. */
  constructor(longest: number, seed: number) {
    this.key = new Uint8Array(longest);
    this.#seed = seed | 0;
  }

  /** False where the line has no `NAME:VALUE|`; then only `end` means something, and only if it is found. */
  line(bytes: Uint8Array, from: number, to: number): boolean {
    const { key } = this;
    let hash = this.#seed;
    let length = 0;
    let at = from;
    let byte = SPACE;
    while (at < to && bytes[at] === SPACE) at += 1;
    const nameFrom = at;
    for (; at < to; at++) {
      byte = bytes[at] as number;
      if (byte === COLON || byte === LF || byte === PIPE) break;
      key[length++] = byte;
      hash = Math.imul(hash ^ byte, 0x0100_0193);
    }
    if (at === to || byte !== COLON || at === nameFrom) return false;
    at += 1;
    this.valueFrom = at;
    this.isPacked = false;
    for (; at < to; at++) {
      byte = bytes[at] as number;
      if (byte === PIPE || byte === LF) break;
      if (byte === COLON) this.isPacked = true;
    }
    if (at === to || byte !== PIPE) return false;
    this.valueTo = at;
    this.rateFrom = 0;
    while (at < to) {
      byte = bytes[at] as number;
      if (byte === LF) break;
      if (byte === PIPE && at + 1 < to && (bytes[at + 1] === AT || bytes[at + 1] === T)) {
        at = this.#skipPart(bytes, at + 1, to);
        continue;
      }
      key[length++] = byte;
      hash = Math.imul(hash ^ byte, 0x0100_0193);
      at += 1;
    }
    this.end = at;
    // What Windows or a careless client puts before the line break.
    while (length > 0 && (key[length - 1] as number) <= SPACE) length -= 1;
    this.length = length;
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
    this.hash = hash ^ (hash >>> 13);
    return true;
  }

  /** Passes over `@RATE` or `T1656581400` and returns what follows it. */
  #skipPart(bytes: Uint8Array, from: number, to: number): number {
    let at = from + 1;
    const isRate = bytes[from] === AT;
    for (; at < to; at++) {
      const byte = bytes[at] as number;
      // After a colon another sample begins, which is no part of the rate.
      if (byte === PIPE || byte === LF || (isRate && byte === COLON)) break;
    }
    if (!isRate) return at;
    let end = at;
    while (end > from + 1 && (bytes[end - 1] as number) <= SPACE) end -= 1;
    this.rateFrom = from + 1;
    this.rateTo = end;
    return at;
  }
}
