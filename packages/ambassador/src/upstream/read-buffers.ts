/**
 * Where sockets are read into. Node allocates for every read, which at megabytes a second keeps the collector busy with
 * nothing else. Here a buffer is read into again as soon as that is safe: when every byte of what came has been released,
 * because the kernel has taken it from us, and nobody wants to send it again. Whoever keeps a part simply does not say
 * so; the buffer is then the collector's.
 *
 * Lines have a buffer each. Clients have one together, `shared`, as ten thousand idle ones would hold 640 MiB otherwise:
 * what came is copied out of it at once. Only in the middle of a large value has a client a buffer of its own, and few may at a
 * time: a large one, as a line has while it is sent a large value.
 */

/** What Node itself reads at once. */
export const bufferBytes = 65_536;
/** A chunk up to this size is copied into a buffer of its own, which costs less than keeping count of it. */
export const copyBytes = 4_096;
/** Unused buffers up to so much are kept. */
const maxFreeBytes = 8 * 1024 * 1024;
/** What is read at once in the middle of a large value: one read and one write for many, and half the CPU time. */
export const largeBytes = 1024 * 1024;
/** So many sockets at a time may read so much at once: whoever stops in the middle keeps its buffer. */
export const maxLarge = 32;
/** What fills less than this part of its buffer is copied: what waits shall not hold much more than itself. */
const mostSpare = 16;
/** Sizes are powers of two from here on: what is held takes at most twice its size. */
const smallestBytes = 8_192;

export class ReadBuffers {
  /** Sockets that read into large buffers. */
  large = 0;
  readonly shared: Buffer = Buffer.allocUnsafeSlow(bufferBytes);
  /** Bytes that have not been released. */
  readonly #held = new WeakMap<ArrayBufferLike, number>();
  /** By the power of two, the last used first: it is in the processor's cache. */
  readonly #free: Buffer[][] = Array.from({ length: 32 }, () => []);
  #freeBytes = 0;

  /** One of at least `bytes`. */
  take(bytes: number = bufferBytes): Buffer {
    const power = powerOf(bytes);
    const free = this.#free[power]?.pop();
    if (free === undefined) return Buffer.allocUnsafeSlow(2 ** power);
    this.#freeBytes -= free.length;
    return free;
  }

  /** Gives back what was taken and not used. */
  put(buffer: Buffer): void {
    if (this.#freeBytes + buffer.length > maxFreeBytes) return;
    this.#freeBytes += buffer.length;
    this.#free[powerOf(buffer.length)]?.push(buffer);
  }

  /** What was `read` into `buffer`, to be passed on: that part of it, or a copy, and then the buffer is free. */
  passed(read: Buffer, buffer: Buffer): Buffer {
    const shared = buffer === this.shared;
    if (!shared && read.length * mostSpare > buffer.length) {
      this.hold(read);
      return read;
    }
    const copy = this.copy(read);
    if (!shared) this.put(buffer);
    return copy;
  }

  /** `chunk`, the beginning of a buffer that was taken, is in use until every byte of it is released. */
  hold(chunk: Uint8Array): void {
    this.#held.set(chunk.buffer, chunk.length);
  }

  /** A copy of what was read into a buffer that is to be read into again. */
  copy(chunk: Uint8Array): Buffer {
    if (chunk.length <= copyBytes) return Buffer.from(chunk);
    const copy = this.take(chunk.length).subarray(0, chunk.length);
    copy.set(chunk);
    this.hold(copy);
    return copy;
  }

  /** Nobody holds these bytes any more. To be said once; of bytes that were not read here it means nothing. */
  released(bytes: Uint8Array): void {
    const held = this.#held.get(bytes.buffer);
    if (held === undefined) return;
    if (held > bytes.length) {
      this.#held.set(bytes.buffer, held - bytes.length);
      return;
    }
    this.#held.delete(bytes.buffer);
    this.put(Buffer.from(bytes.buffer));
  }
}

/** Whether one socket reads into large buffers. */
export class LargeReads {
  readonly #buffers: ReadBuffers;
  #on = false;

  constructor(buffers: ReadBuffers) {
    this.#buffers = buffers;
  }

  /** True: it may, if it wants to, until it no longer does. */
  wants(on: boolean): boolean {
    const allowed = on && (this.#on || this.#buffers.large < maxLarge);
    this.#buffers.large += Number(allowed) - Number(this.#on);
    this.#on = allowed;
    return allowed;
  }
}

function powerOf(bytes: number): number {
  return 32 - Math.clz32(Math.max(bytes, smallestBytes) - 1);
}
