/** A replication link that takes its time: what the primary sends reaches the replica so much later. */

import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Teardown } from '../../../../test/harness/index.ts';

export class Delay {
  /** Of bytes that come from now on; they stay in order. */
  ms: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  static async open(t: Teardown, targetPort: number, ms: number): Promise<Delay> {
    const delay = new Delay(targetPort, ms);
    await new Promise<void>((resolve) => delay.#server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      delay.#server.close();
      delay.cut();
    });
    return delay;
  }

  constructor(targetPort: number, ms: number) {
    this.ms = ms;
    this.#server = createServer({ noDelay: true }, (replica) => {
      const primary = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
      replica.on('data', (chunk: Buffer) => primary.write(chunk));
      this.#late(primary, replica);
      for (const [one, other] of [
        [replica, primary],
        [primary, replica],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => one.destroy());
        one.on('close', () => {
          other.destroy();
          this.#sockets.delete(one);
        });
      }
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends every connection; the replica makes a new one. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** One timer for the oldest alone: of two timers the later may fire first, and the stream would be another. */
  #late(from: Socket, to: Socket): void {
    const queue: { readonly chunk: Buffer; readonly dueMs: number }[] = [];
    const pump = (): void => {
      for (let next = queue[0]; next !== undefined; next = queue[0]) {
        const leftMs = next.dueMs - performance.now();
        if (leftMs > 0) {
          setTimeout(pump, Math.max(1, leftMs));
          return;
        }
        queue.shift();
        to.write(next.chunk);
      }
    };
    from.on('data', (chunk: Buffer) => {
      queue.push({ chunk, dueMs: performance.now() + this.ms });
      if (queue.length === 1) pump();
    });
  }
}
