/** What is counted of looking for servers. */

import type { Metrics } from '@outrigger/core/metrics';

export type RoleChange = 'elected' | 'deposed';

export interface TopologyMetrics {
  /** A round of questions began. */
  round(): void;
  roleChange(change: RoleChange): void;
  /** A replica was taken out because it failed commands in a row. */
  ejected(): void;
  /** An event of a sentinel about our primary, by its name without the sign. */
  sentinelEvent(event: string): void;
  slotRefresh(result: 'applied' | 'failed'): void;
  /** A slot was placed as a redirection said. */
  redirected(): void;
}

export class TopologyCounters implements TopologyMetrics {
  readonly #rounds;
  readonly #roleChanges;
  readonly #ejections;
  readonly #events;
  readonly #refreshes;
  readonly #redirects;

  constructor(metrics: Metrics) {
    const counter = (name: string, help: string, labels: readonly string[] = []) =>
      metrics.counter({ name: `outrigger_ambassador_${name}`, help, labels });
    this.#rounds = counter('rounds_total', 'Rounds of asking the servers of a shard where they are.');
    this.#roleChanges = counter(
      'role_changes_total',
      'Primaries taken into use (elected) and out of use (deposed).',
      ['change'],
    );
    this.#ejections = counter(
      'ejections_total',
      'Replicas that took no reads for a time because they failed commands in a row.',
    );
    this.#events = counter('sentinel_events_total', 'Events of sentinels about our primary.', ['event']);
    this.#refreshes = counter('slot_refreshes_total', "Looks at a cluster's slots.", ['result']);
    this.#redirects = counter('slot_redirects_total', 'Slots placed as a redirection said.');
  }

  round(): void {
    this.#rounds.add(1);
  }

  roleChange(change: RoleChange): void {
    this.#roleChanges.add(1, change);
  }

  ejected(): void {
    this.#ejections.add(1);
  }

  sentinelEvent(event: string): void {
    this.#events.add(1, event);
  }

  slotRefresh(result: 'applied' | 'failed'): void {
    this.#refreshes.add(1, result);
  }

  redirected(): void {
    this.#redirects.add(1);
  }
}

/** Counts nothing. */
export const uncounted: TopologyMetrics = Object.freeze({
  round: () => {},
  roleChange: () => {},
  ejected: () => {},
  sentinelEvent: () => {},
  slotRefresh: () => {},
  redirected: () => {},
});
