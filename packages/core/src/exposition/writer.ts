/**
 * Where a page is written: bytes into blocks that are used again for the next page.
 *
 * A page of 100,000 series is some 9 MB. Joining strings for it makes garbage that stops the event loop later; blocks
 * taken from a pool cost nothing after the first pages, and a page in blocks can be compressed and sent piece by piece.
 */

import { valueText } from './number.ts';

/** Large enough that a block is rarely changed, small enough that the last one wastes little. */
const blockBytes = 256 * 1024;

/** Blocks kept for the next page; more are left to the garbage collector. */
const keptBlocks = 64;

export class BlockPool {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
  }

  give(block: Buffer): void {
    if (block.length === blockBytes && this.#free.length < keptBlocks) this.#free.push(block);
  }
}

export class PageWriter {
  readonly #pool: BlockPool;
  readonly #done: Buffer[] = [];
  readonly #wholes: Buffer[] = [];
  #block: Buffer;
  #at = 0;
  #before = 0;
  readonly #digits = new Uint8Array(16);

  constructor(pool: BlockPool) {
    this.#pool = pool;
    this.#block = pool.take();
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#before + this.#at;
  }

  bytes(source: Buffer, start: number, end: number): void {
    const count = end - start;
    if (this.#at + count > this.#block.length) this.#next(count);
    source.copy(this.#block, this.#at, start, end);
    this.#at += count;
  }

  text(text: string): void {
    const most = text.length * 3;
    if (this.#at + most > this.#block.length) this.#next(most);
    this.#at += this.#block.write(text, this.#at, most, 'utf8');
  }

  /** A value and the end of the line. */
  line(value: number): void {
    if (this.#at + 32 > this.#block.length) this.#next(32);
    if (value >= 0 && value <= 0x7fff_ffff && value === (value | 0)) this.#digitsOf(value | 0);
    else this.#ascii(valueText(value));
    this.#block[this.#at++] = 10;
  }

  /** Everything written, in order. Give it back with `release` when nobody reads it any more. */
  finish(): Buffer[] {
    if (this.#at > 0) this.#done.push(this.#block.subarray(0, this.#at));
    this.#wholes.push(this.#block);
    this.#before += this.#at;
    this.#at = 0;
    this.#block = Buffer.alloc(0);
    return this.#done;
  }

  release(): void {
    for (const block of this.#wholes.splice(0)) this.#pool.give(block);
  }

  #next(atLeast: number): void {
    if (this.#at > 0) this.#done.push(this.#block.subarray(0, this.#at));
    this.#wholes.push(this.#block);
    this.#before += this.#at;
    this.#at = 0;
    this.#block = atLeast > blockBytes ? Buffer.allocUnsafeSlow(atLeast) : this.#pool.take();
  }

  #digitsOf(value: number): void {
    const digits = this.#digits;
    let count = 0;
    let rest = value;
    do {
      const tenth = (rest / 10) | 0;
      digits[count++] = 48 + (rest - tenth * 10);
      rest = tenth;
    } while (rest > 0);
    while (count > 0) this.#block[this.#at++] = digits[--count] ?? 48;
  }

  #ascii(text: string): void {
    for (let i = 0; i < text.length; i++) this.#block[this.#at++] = text.charCodeAt(i);
  }
}
