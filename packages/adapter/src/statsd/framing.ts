/**
 * Streams → lines. TCP clients end lines with a line break; DogStatsD clients on unix streams put four bytes with the
 * length (little-endian) before each packet of lines. Which of the two a client speaks shows in its first four bytes:
 * no packet is 16 MiB long, so its fourth byte is 0, which is in no line.
 */

import { LF } from './cut.ts';
import type { Reason } from './tally.ts';

export interface LineSink {
  /** Whole lines; the last may lack its line break. Not kept after the call. */
  lines(bytes: Buffer, from: number, to: number): void;
  failed(reason: Reason): void;
}

export interface Framer {
  /** False: nothing that follows can be understood, and the connection should end. */
  push(chunk: Buffer): boolean;
  /** The client is done. */
  end(): void;
}

/** Lines by line breaks. Keeps at most one unfinished line; one longer than `maxLineLength` is skipped and counted. */
export class LineFramer implements Framer {
  readonly #sink: LineSink;
  readonly #maxLineLength: number;
  readonly #rest: Rest;
  #skipping = false;

  constructor(sink: LineSink, maxLineLength: number) {
    this.#sink = sink;
    this.#maxLineLength = maxLineLength;
    this.#rest = new Rest();
  }

  push(chunk: Buffer): boolean {
    const first = chunk.indexOf(LF);
    if (first === -1) {
      this.#keep(chunk, 0);
      return true;
    }
    this.#finish(chunk, first);
    const last = chunk.lastIndexOf(LF);
    if (last > first) this.#sink.lines(chunk, first + 1, last + 1);
    this.#keep(chunk, last + 1);
    return true;
  }

  end(): void {
    if (this.#rest.length > 0) this.#sink.lines(this.#rest.bytes, 0, this.#rest.length);
    this.#rest.clear();
  }

  #finish(chunk: Buffer, lineBreak: number): void {
    if (this.#skipping) this.#skipping = false;
    else if (this.#rest.length === 0) this.#sink.lines(chunk, 0, lineBreak + 1);
    else {
      this.#keep(chunk.subarray(0, lineBreak), 0);
      // It may just have become too long.
      if (!this.#skipping) this.end();
      this.#skipping = false;
    }
  }

  #keep(chunk: Buffer, from: number): void {
    if (this.#skipping || from === chunk.length) return;
    if (this.#rest.length + chunk.length - from > this.#maxLineLength) {
      this.#rest.clear();
      this.#skipping = true;
      this.#sink.failed('line-too-long');
    } else this.#rest.append(chunk, from);
  }
}

/** Packets by their length. */
export class PacketFramer implements Framer {
  readonly #sink: LineSink;
  readonly #maxPacket: number;
  readonly #rest = new Rest();
  /** Bytes still to come of the packet at hand; undefined: its length is still to come. */
  #missing: number | undefined;
  #skipping = false;

  constructor(sink: LineSink, maxPacket: number) {
    this.#sink = sink;
    this.#maxPacket = maxPacket;
  }

  push(chunk: Buffer): boolean {
    let at = 0;
    while (at < chunk.length) {
      const wanted = this.#missing ?? lengthBytes - this.#rest.length;
      const part = chunk.subarray(at, at + wanted);
      at += part.length;
      if (!this.#skipping) this.#rest.append(part, 0);
      if (this.#missing !== undefined) {
        this.#missing -= part.length;
        if (this.#missing === 0) this.#packet();
      } else if (this.#rest.length === lengthBytes && !this.#begin()) return false;
    }
    return true;
  }

  end(): void {
    // What was announced and did not come.
    if (this.#missing !== undefined || this.#rest.length > 0) this.#sink.failed('bad-frame');
    this.#rest.clear();
  }

  #begin(): boolean {
    const length = this.#rest.bytes.readUInt32LE(0);
    this.#rest.clear();
    if (length >= impossiblePacket) {
      this.#sink.failed('bad-frame');
      return false;
    }
    this.#skipping = length > this.#maxPacket;
    if (this.#skipping) this.#sink.failed('bad-frame');
    this.#missing = length === 0 ? undefined : length;
    return true;
  }

  #packet(): void {
    if (!this.#skipping) this.#sink.lines(this.#rest.bytes, 0, this.#rest.length);
    this.#rest.clear();
    this.#skipping = false;
    this.#missing = undefined;
  }
}

/** Waits for four bytes, then is one of the two. */
export class AnyFramer implements Framer {
  readonly #sink: LineSink;
  readonly #maxLineLength: number;
  readonly #maxPacket: number;
  #first: Buffer = Buffer.alloc(0);
  #framer: Framer | undefined;

  constructor(sink: LineSink, maxLineLength: number, maxPacket: number) {
    this.#sink = sink;
    this.#maxLineLength = maxLineLength;
    this.#maxPacket = maxPacket;
  }

  push(chunk: Buffer): boolean {
    if (this.#framer !== undefined) return this.#framer.push(chunk);
    this.#first = Buffer.concat([this.#first, chunk]);
    if (this.#first.length < lengthBytes) return true;
    const isPacket = this.#first[lengthBytes - 1] === 0;
    this.#framer = isPacket
      ? new PacketFramer(this.#sink, this.#maxPacket)
      : new LineFramer(this.#sink, this.#maxLineLength);
    return this.#framer.push(this.#first);
  }

  end(): void {
    if (this.#framer !== undefined) this.#framer.end();
    else if (this.#first.length > 0) this.#sink.lines(this.#first, 0, this.#first.length);
  }
}

const lengthBytes = 4;
const impossiblePacket = 2 ** 24;

/** Bytes kept from chunk to chunk, in a buffer that grows by doubling and is given back when it was large. */
class Rest {
  bytes: Buffer = empty;
  length = 0;

  append(chunk: Buffer, from: number): void {
    const needed = this.length + chunk.length - from;
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length, 256));
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
    }
    chunk.copy(this.bytes, this.length, from);
    this.length = needed;
  }

  clear(): void {
    this.length = 0;
    if (this.bytes.length > 4096) this.bytes = empty;
  }
}

const empty = Buffer.alloc(0);
