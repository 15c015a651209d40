/** `/healthz` and `/livez` as kube-proxy answers them: unhealthy when a change has waited too long for a sync. */

import type { Clock } from '@outrigger/core/clock';
import type { Catalog } from '../catalog/index.ts';

/** Twice kube-proxy's sync period of 30 s. */
export const healthTimeoutMs = 60_000;

export class ProxyHealth {
  readonly #clock: Clock;
  readonly #catalog: Catalog;
  /** Clock time of the oldest change not yet synced; undefined when there is none. */
  #queuedSince: number | undefined;
  #lastSyncWall: number;

  constructor(clock: Clock, catalog: Catalog) {
    this.#clock = clock;
    this.#catalog = catalog;
    this.#lastSyncWall = clock.wall();
  }

  queued(): void {
    this.#queuedSince ??= this.#clock.now();
  }

  synced(): void {
    this.#queuedSince = undefined;
    this.#lastSyncWall = this.#clock.wall();
  }

  get healthy(): boolean {
    return this.#queuedSince === undefined || this.#clock.now() - this.#queuedSince < healthTimeoutMs;
  }

  /** `healthz` tells load balancers to look elsewhere when the Node is about to go; `livez` does not. */
  answer(path: 'healthz' | 'livez'): { status: number; body: unknown } {
    const { healthy } = this;
    const nodeEligible = this.#catalog.node?.leaving !== true;
    const good = healthy && (path === 'livez' || nodeEligible);
    const currentTime = new Date(this.#clock.wall()).toISOString();
    const lastUpdated = healthy ? currentTime : new Date(this.#lastSyncWall).toISOString();
    const family = { lastUpdated, healthy };
    const body = {
      lastUpdated,
      currentTime,
      ...(path === 'healthz' ? { nodeEligible } : {}),
      healthy,
      status: { IPv4: family, IPv6: family },
    };
    return { status: good ? 200 : 503, body };
  }
}
