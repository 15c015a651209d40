/** Numbers out of bytes, without a string in between: this runs once per value. */

const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;

/** Exact powers: a mantissa below 2^53 divided by one of them is rounded once, as strtod would. */
const powers = Float64Array.from({ length: 23 }, (_, i) => 10 ** i);

/** Digits that fit into a double without rounding. */
const exactDigits = 15;

/** The decimal number in `bytes[from, to)`, or NaN where it is none: no spaces, no infinities, no hexadecimal. */
export function parseDecimal(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  const sign = bytes[at];
  if (sign === MINUS || sign === PLUS) at += 1;
  let mantissa = 0;
  let digits = 0;
  let fraction = -1;
  for (; at < to; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      digits += 1;
    } else if (digit + 0x30 === DOT && fraction === -1) fraction = digits;
    else return parseUnusual(bytes, from, to);
  }
  if (digits === 0) return Number.NaN;
  if (digits > exactDigits) return parseUnusual(bytes, from, to);
  const value = fraction === -1 ? mantissa : mantissa / (powers[digits - fraction] as number);
  return sign === MINUS ? -value : value;
}

/** Exponents and more digits than a double holds. */
function parseUnusual(bytes: Uint8Array, from: number, to: number): number {
  // No number anybody sends is longer; what is longer is noise that need not become a string.
  if (to - from > 400) return Number.NaN;
  const text = String.fromCharCode(...bytes.subarray(from, to));
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return Number.NaN;
  const value = Number(text);
  return Number.isFinite(value) ? value : Number.NaN;
}
