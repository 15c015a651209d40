/** Decimal lengths and counts, read one byte at a time so that a chunk may end anywhere. */

import { malformed } from './limits.ts';

const zero = 0x30;
const nine = 0x39;
const minus = 0x2d;
/** Twelve digits hold every limit there is and stay exact in a double. */
const maxDigits = 12;

/**
 * As strict as Redis: no sign but `-1` (null), no leading zero, no blank. What this accepts, Redis reads as the same
 * number; a laxer reader would let a client make the two disagree on where a request ends.
 */
export class LengthReader {
  value = 0;
  #digits = 0;
  #negative = false;

  reset(): void {
    this.value = 0;
    this.#digits = 0;
    this.#negative = false;
  }

  /** Takes one byte before the line end. */
  take(byte: number): void {
    if (byte >= zero && byte <= nine) {
      if ((this.#digits > 0 && this.value === 0) || this.#digits === maxDigits) throw malformed('CR', byte);
      this.value = this.value * 10 + (byte - zero);
      this.#digits++;
    } else if (byte === minus && this.#digits === 0 && !this.#negative) {
      this.#negative = true;
    } else {
      throw malformed('a digit', byte);
    }
  }

  /** The number once its line has ended: 0 or more, or −1 for null. */
  finish(): number {
    if (this.#digits === 0) throw malformed('a digit', 0x0d);
    if (!this.#negative) return this.value;
    if (this.value !== 1) throw malformed('-1', minus);
    return -1;
  }
}
