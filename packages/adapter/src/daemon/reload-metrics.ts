/** Whether the last reload was taken, as exporters say it. */

import type { Clock } from '@outrigger/core/clock';
import type { Family, Metrics } from '@outrigger/core/metrics';

export class ReloadMetrics {
  readonly #clock: Clock;
  readonly #successful: Family;
  readonly #timestamp: Family;

  constructor(metrics: Metrics, clock: Clock) {
    this.#clock = clock;
    this.#successful = metrics.gauge({
      name: 'outrigger_adapter_config_last_reload_successful',
      help: '1 if the configuration read last was taken.',
    });
    this.#timestamp = metrics.gauge({
      name: 'outrigger_adapter_config_last_reload_success_timestamp_seconds',
      help: 'When a configuration was taken last.',
    });
    this.noted(true);
  }

  noted(isGood: boolean): void {
    this.#successful.set(isGood ? 1 : 0);
    if (isGood) this.#timestamp.set(this.#clock.wall() / 1000);
  }
}
