/**
 * Where lines read into. Node allocates 64 KiB for every read, which at megabytes a second keeps the collector busy with
 * nothing else. Here a line reads into the same buffer again, as soon as that is safe: when every byte of it has been
 * given to clients whose sockets the kernel took it from at once. Whoever keeps a part simply does not say so, and the
 * line goes on with another buffer.
 */

const bufferBytes = 65_536;
/** A chunk up to this size is copied out of the buffer, which costs less than keeping count of it. */
export const copyBytes = 4_096;

export class ReadBuffers {
  #reading: ArrayBufferLike | undefined;
  #released = 0;

  /** From now on `chunk` is at hand. */
  reading(chunk: Buffer): void {
    this.#reading = chunk.buffer;
    this.#released = 0;
  }

  /** Nobody holds these bytes any more. They count if they are of the chunk at hand: others' say nothing about it. */
  released(bytes: Uint8Array): void {
    if (bytes.buffer === this.#reading) this.#released += bytes.length;
  }

  /** Whether nobody holds any of the chunk at hand, which is at hand no longer. */
  read(chunk: Buffer): boolean {
    this.#reading = undefined;
    return this.#released === chunk.length;
  }

  take(): Buffer {
    return Buffer.allocUnsafeSlow(bufferBytes);
  }
}
