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
  /** Bytes of the chunk at hand that nobody holds any more. */
  released = 0;

  take(): Buffer {
    return Buffer.allocUnsafeSlow(bufferBytes);
  }
}
