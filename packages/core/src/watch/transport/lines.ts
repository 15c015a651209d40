/**
 * Splits a stream into lines, however it is cut.
 *
 * Each byte is looked at once: a chunk is searched for line ends from its own beginning, and what is left of it waits
 * uncopied until its line is complete. Text is decoded line by line, so a character cut in two is no problem.
 */

import { OutriggerError } from '../../errors/index.ts';

const lineEnd = 0x0a;

export class LineSplitter {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #held = 0;

  /** `maxBytes` bounds one line; the memory a broken or hostile server can make us hold. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of a line that has not ended yet. */
  get unfinished(): number {
    return this.#held;
  }

  /** The lines that `chunk` completes, without empty ones. Throws WATCH_LINE_TOO_LONG. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(lineEnd); end !== -1; end = chunk.indexOf(lineEnd, start)) {
      const line = this.#complete(chunk.subarray(start, end));
      if (line !== '') lines.push(line);
      start = end + 1;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
    return lines;
  }

  #complete(last: Buffer): string {
    this.#check(last.length);
    if (this.#held === 0) return last.toString('utf8');
    const whole = Buffer.concat([...this.#parts, last], this.#held + last.length);
    this.#parts = [];
    this.#held = 0;
    return whole.toString('utf8');
  }

  #hold(part: Buffer): void {
    this.#check(part.length);
    this.#parts.push(part);
    this.#held += part.length;
  }

  #check(more: number): void {
    if (this.#held + more <= this.#maxBytes) return;
    throw new OutriggerError(`a line of a watch exceeds ${this.#maxBytes} bytes`, {
      code: 'WATCH_LINE_TOO_LONG',
      hint: 'no Kubernetes object is that large: something else than an API server may be answering',
    });
  }
}
