/** One open file that grows: read from where it was left, whatever its name is by now. */

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { LineSplitter } from './lines.ts';

/** Where reading goes on. */
export interface Position {
  /** Device and inode. */
  readonly file: string;
  /** Of the first byte of the first line that was not given yet. */
  readonly offset: number;
  /** That byte is in the middle of a line whose rest is not wanted. */
  readonly skipping: boolean;
}

export interface Progress {
  /** There may be more to read at once. */
  readonly more: boolean;
  readonly bytes: number;
  /** The file was made shorter than what was read: begun again at its start. */
  readonly truncated: boolean;
}

/** Read at once from one file before the others have their turn, bytes. */
const turnBytes = 4 * 1024 * 1024;
const chunkBytes = 64 * 1024;

export class Tail {
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #maxLineBytes: number;
  #splitter: LineSplitter;
  #offset: number;
  #cut = 0;

  constructor(handle: FileHandle, position: Position, maxLineBytes: number) {
    this.#handle = handle;
    this.#file = position.file;
    this.#maxLineBytes = maxLineBytes;
    this.#offset = position.offset;
    this.#splitter = new LineSplitter(maxLineBytes, position.skipping);
  }

  get position(): Position {
    const { pending, skipping } = this.#splitter;
    return { file: this.#file, offset: this.#offset - pending, skipping };
  }

  /** Lines longer than allowed, so far. */
  get cut(): number {
    return this.#cut + this.#splitter.cut;
  }

  /** `buffer`: shared by all files, which are read one after another. */
  async read(buffer: Buffer, onLine: (line: string) => void): Promise<Progress> {
    const { size } = await this.#handle.stat();
    const truncated = size < this.#offset;
    if (truncated) this.#restart();
    let bytes = 0;
    while (bytes < turnBytes) {
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, this.#offset);
      if (bytesRead === 0) return { more: false, bytes, truncated };
      this.#offset += bytesRead;
      bytes += bytesRead;
      this.#splitter.feed(buffer.subarray(0, bytesRead), onLine);
    }
    return { more: true, bytes, truncated };
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  #restart(): void {
    this.#cut += this.#splitter.cut;
    this.#splitter = new LineSplitter(this.#maxLineBytes);
    this.#offset = 0;
  }
}

export function readBuffer(): Buffer {
  return Buffer.allocUnsafeSlow(chunkBytes);
}

/** Without waiting for a writer, should a pipe have taken the place of the file meanwhile. */
export function openForReading(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

/** The end of a file, and whether it is in the middle of a line. */
export async function endOf(handle: FileHandle, file: string, size: number): Promise<Position> {
  if (size === 0) return { file, offset: 0, skipping: false };
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, size - 1);
  return { file, offset: size, skipping: last[0] !== 10 };
}
