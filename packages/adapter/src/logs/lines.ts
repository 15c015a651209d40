/** Bytes as they come in, lines out; pure. What was scanned is never scanned again. */

export class LineSplitter {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #pending = 0;
  #skipping: boolean;
  #cut = 0;

  /** `skipping`: begin in the middle of a line, whose rest is not wanted. */
  constructor(maxBytes: number, skipping = false) {
    this.#maxBytes = maxBytes;
    this.#skipping = skipping;
  }

  /** Bytes of the line that has not ended yet. */
  get pending(): number {
    return this.#pending;
  }

  get skipping(): boolean {
    return this.#skipping;
  }

  /** Lines that were longer than allowed: given with what fits, the rest skipped. */
  get cut(): number {
    return this.#cut;
  }

  /** The chunk may be used again afterwards. Line breaks are not part of lines; empty lines are left out. */
  feed(chunk: Buffer, onLine: (line: string) => void): void {
    let from = 0;
    while (from < chunk.length) {
      const end = chunk.indexOf(10, from);
      const part = chunk.subarray(from, end === -1 ? chunk.length : end);
      if (!this.#skipping) this.#take(part, end !== -1, onLine);
      if (end === -1) return;
      this.#skipping = false;
      from = end + 1;
    }
  }

  #take(part: Buffer, whole: boolean, onLine: (line: string) => void): void {
    const room = this.#maxBytes - this.#pending;
    if (part.length > room) {
      this.#cut += 1;
      this.#emit(part.subarray(0, room), onLine);
      this.#skipping = true;
    } else if (whole) {
      this.#emit(part, onLine);
    } else {
      this.#parts.push(Buffer.from(part));
      this.#pending += part.length;
    }
  }

  #emit(last: Buffer, onLine: (line: string) => void): void {
    const bytes = this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last]);
    this.#parts = [];
    this.#pending = 0;
    const length = bytes.at(-1) === 13 ? bytes.length - 1 : bytes.length;
    if (length > 0) onLine(bytes.toString('utf8', 0, length));
  }
}
