/** One timer for all connections: idle timeouts and the relays' coarse clock, so that traffic touches no timer. */

import type { Clock, Timer } from '@outrigger/core/clock';
import type { RelayShare } from '@outrigger/core/net';
import type { PublishedPort } from './port.ts';

/** Idle timeouts are exact to about this much. */
export const sweepMs = 1000;
/** While draining, a connection that carried nothing for so long is ended gently instead of waited for. */
export const drainIdleMs = 2000;

export class Sweeper {
  readonly #clock: Clock;
  readonly #share: RelayShare;
  readonly #ports: () => Iterable<PublishedPort>;
  #timer: Timer | undefined;
  #draining = false;

  constructor(clock: Clock, share: RelayShare, ports: () => Iterable<PublishedPort>) {
    this.#clock = clock;
    this.#share = share;
    this.#ports = ports;
    this.#schedule();
  }

  drain(): void {
    this.#draining = true;
  }

  close(): void {
    this.#timer?.cancel();
  }

  #schedule(): void {
    this.#share.tick = this.#clock.now();
    this.#timer = this.#clock.setTimeout(() => {
      this.#schedule();
      this.#sweep(this.#share.tick);
    }, sweepMs);
  }

  #sweep(tick: number): void {
    for (const port of this.#ports()) {
      const { idleTimeoutMs } = port.balancer.pool.settings;
      for (const connection of port.connections) {
        if (this.#draining && connection.idleFor(tick) >= drainIdleMs) connection.end('drained');
        else connection.sweep(tick, idleTimeoutMs);
      }
    }
  }
}
