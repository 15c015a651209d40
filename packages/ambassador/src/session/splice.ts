/** Two sockets joined: bytes pass untouched both ways, each side's end becomes the other's. */

import type { Clock, Timer } from '@outrigger/core/clock';
import type { Socket } from 'node:net';

export class Splice {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #clock: Clock;
  #lastMs = 0;
  #quiet: Timer | undefined;

  constructor(client: Socket, server: Socket, clock: Clock) {
    this.#client = client;
    this.#server = server;
    this.#clock = clock;
  }

  /** `first` are bytes of the client that have been read already. */
  start(first: readonly Uint8Array[]): void {
    for (const bytes of first) this.#server.write(bytes);
    this.#join(this.#client, this.#server);
    this.#join(this.#server, this.#client);
    // The client's `close` ends both; the server's ends the client once it has what was sent.
    this.#server.once('close', () => this.#client.destroySoon());
  }

  clientEnded(): void {
    this.#server.end();
  }

  /** Closes once nothing has passed for `quietMs`: what is under way inside cannot be seen. */
  drain(quietMs: number): void {
    if (this.#quiet !== undefined) return;
    this.#lastMs = this.#clock.now();
    this.#watch(quietMs, quietMs);
  }

  destroy(): void {
    this.#quiet?.cancel();
    this.#server.destroy();
  }

  #join(from: Socket, to: Socket): void {
    from.on('data', (chunk: Buffer) => {
      this.#lastMs = this.#clock.now();
      if (!to.write(chunk)) from.pause();
    });
    to.on('drain', () => from.resume());
    from.once('end', () => to.end());
    from.resume();
  }

  #watch(quietMs: number, delayMs: number): void {
    this.#quiet = this.#clock.setTimeout(() => {
      const left = this.#lastMs + quietMs - this.#clock.now();
      if (left > 0) this.#watch(quietMs, left);
      else this.#client.destroySoon();
    }, delayMs);
  }
}
