/** A TCP relay whose flow a test shuts, opens, measures out and cuts. */

import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Teardown } from '../../../../test/harness/index.ts';

/** `down` is from the server to whoever connected, `up` the other way. */
export type Direction = 'up' | 'down';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

export class Valve {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #shut = { up: false, down: false };
  readonly #held: { to: Socket; bytes: Buffer; direction: Direction }[] = [];
  #downLeft = Number.POSITIVE_INFINITY;
  #changed: () => void = () => {};

  static async open(t: Teardown, targetPort: number): Promise<Valve> {
    const valve = new Valve(targetPort);
    await new Promise<void>((resolve) => valve.#server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      valve.#server.close();
      valve.cut();
    });
    return valve;
  }

  constructor(targetPort: number) {
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      const server = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
      const pair = { client, server };
      this.#pairs.add(pair);
      this.#relay(pair, client, server, 'up');
      this.#relay(pair, server, client, 'down');
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  shut(direction: Direction): void {
    this.#shut[direction] = true;
  }

  /** Lets pass what was held, and what comes. */
  release(direction: Direction): void {
    this.#shut[direction] = false;
    for (const held of this.#held.splice(0)) {
      if (held.direction === direction) this.#pass(held.to, held.bytes, direction);
      else this.#held.push(held);
    }
  }

  /** Lets that many more bytes down, then cuts every connection. */
  allowDown(bytes: number): void {
    this.#downLeft = bytes;
    this.release('down');
  }

  /** Resolves when at least `bytes` are held. */
  async holds(direction: Direction, bytes = 1): Promise<void> {
    const held = (): number =>
      this.#held.reduce((sum, one) => sum + (one.direction === direction ? one.bytes.length : 0), 0);
    while (held() < bytes) await new Promise<void>((resolve) => (this.#changed = resolve));
  }

  /** Resets every connection; new ones are relayed again. */
  cut(): void {
    this.#held.length = 0;
    for (const { client, server } of this.#pairs) {
      for (const socket of [client, server]) {
        // Node resets no socket that has a FIN on its way: it would never be closed, and hold up the end of the process.
        if (socket.writableEnded) socket.destroy();
        else socket.resetAndDestroy();
      }
    }
    this.#pairs.clear();
  }

  #relay(pair: Pair, from: Socket, to: Socket, direction: Direction): void {
    from.on('data', (bytes: Buffer) => this.#pass(to, bytes, direction));
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      to.destroy();
      this.#pairs.delete(pair);
    });
  }

  #pass(to: Socket, bytes: Buffer, direction: Direction): void {
    if (this.#shut[direction]) {
      this.#held.push({ to, bytes, direction });
      this.#changed();
      return;
    }
    if (direction === 'up' || bytes.length <= this.#downLeft) {
      to.write(bytes);
      if (direction === 'down') this.#downLeft -= bytes.length;
      return;
    }
    to.end(bytes.subarray(0, this.#downLeft), () => this.cut());
    this.#downLeft = Number.POSITIVE_INFINITY;
  }
}
