/** Where the bytes of one watch go: a socket of HTTP/1.1 here, a stream of another protocol elsewhere. */

import type { Frame } from './frame.ts';

export interface WatchSink {
  /** Hands over a frame at once; never waits. */
  write(frame: Frame): void;
  /** Bytes handed over that the peer's connection has not taken yet. */
  readonly pendingBytes: number;
  /** Calls once, when pending bytes have gone out. */
  onceDrained(callback: () => void): void;
  /** Calls once, when the peer has gone or `end` or `cut` has finished. */
  onceClosed(callback: () => void): void;
  /** Ends the stream in good order. */
  end(): void;
  /** Drops the connection: the peer reads too slowly to be told anything. */
  cut(): void;
}
