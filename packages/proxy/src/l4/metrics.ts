/** What the TCP relay counts, as cells: per Service port, resolved once when the port is published. */

import type { Cells, Family, Histogram, Metrics } from '@outrigger/core/metrics';

/** Why a client's connection was refused or broken off. */
export type FailureReason =
  | 'no-endpoints'
  | 'all-tried'
  | 'total-limit'
  | 'endpoint-limit'
  | 'not-synced'
  | 'dial-refused'
  | 'dial-timeout'
  | 'dial-error'
  | 'local-resources'
  | 'accept-error'
  | 'client-reset'
  | 'upstream-reset'
  | 'upstream-no-answer'
  | 'idle'
  | 'drained';

export class L4Metrics {
  readonly cells: Cells;
  readonly opened: Family;
  readonly closed: Family;
  readonly active: Family;
  readonly bytes: Family;
  readonly failures: Family;
  readonly dialSeconds: Histogram;
  readonly waiting: Family;

  constructor(metrics: Metrics) {
    this.cells = metrics.cells;
    const labels = ['service', 'port'];
    this.opened = metrics.counter({
      name: 'outrigger_proxy_connections_opened_total',
      help: 'Client connections accepted.',
      labels,
    });
    this.closed = metrics.counter({
      name: 'outrigger_proxy_connections_closed_total',
      help: 'Client connections ended, however they ended.',
      labels,
    });
    this.active = metrics.gauge({
      name: 'outrigger_proxy_connections_active',
      help: 'Client connections open now; the limit is the TrafficPolicy’s connectionLimit.',
      labels,
    });
    this.bytes = metrics.counter({
      name: 'outrigger_proxy_bytes_total',
      help: 'Bytes relayed; direction is received (from clients) or sent (to clients).',
      labels: [...labels, 'direction'],
    });
    this.failures = metrics.counter({
      name: 'outrigger_proxy_failures_total',
      help: 'Dials and connections that failed, by reason; dial-… reasons are per try, the others per connection.',
      labels: [...labels, 'reason'],
    });
    this.dialSeconds = metrics.histogram({
      name: 'outrigger_proxy_dial_duration_seconds',
      help: 'Time to connect to an endpoint, successful dials.',
      labels,
      largest: 30,
    });
    this.waiting = metrics.gauge({
      name: 'outrigger_proxy_connections_waiting',
      help: 'Connections accepted before the first sync and held for it.',
      labels,
    });
  }
}

/** The cells of one published port. */
export class PortCells {
  readonly values: Float64Array;
  readonly opened: number;
  readonly closed: number;
  readonly active: number;
  readonly received: number;
  readonly sent: number;
  readonly waiting: number;
  readonly dial: number;
  readonly #metrics: L4Metrics;
  readonly #service: string;
  readonly #port: string;

  constructor(metrics: L4Metrics, service: string, port: string) {
    this.#metrics = metrics;
    this.#service = service;
    this.#port = port;
    this.values = metrics.cells.values;
    this.opened = metrics.opened.at(service, port);
    this.closed = metrics.closed.at(service, port);
    this.active = metrics.active.at(service, port);
    this.received = metrics.bytes.at(service, port, 'received');
    this.sent = metrics.bytes.at(service, port, 'sent');
    this.waiting = metrics.waiting.at(service, port);
    this.dial = metrics.dialSeconds.at(service, port);
  }

  add(cell: number, amount: number): void {
    this.values[cell] = (this.values[cell] ?? 0) + amount;
  }

  dialed(seconds: number): void {
    this.#metrics.dialSeconds.record(this.dial, seconds);
  }

  failed(reason: FailureReason): void {
    this.#metrics.failures.add(1, this.#service, this.#port, reason);
  }
}
