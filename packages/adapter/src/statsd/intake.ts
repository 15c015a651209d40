/** Datagrams → registry: splits lines, takes samples, counts everything that was not taken and why. */

import type { SeriesRegistry } from '../series/registry.ts';
import { parseLine } from './line.ts';
import type { Sample } from './line.ts';

const help: Readonly<Record<Sample['kind'], string>> = {
  counter: 'Counter received by StatsD.',
  gauge: 'Gauge received by StatsD.',
  observation: 'Timer or observation received by StatsD.',
};

export class StatsdIntake {
  readonly #registry: SeriesRegistry;
  readonly #self: SeriesRegistry;

  /** `self` keeps the adapter's own counters: they must stay when `registry` is full. */
  constructor(registry: SeriesRegistry, self: SeriesRegistry) {
    this.#registry = registry;
    this.#self = self;
  }

  datagram(message: Buffer): void {
    this.#count('outrigger_adapter_statsd_packets_total', 'StatsD datagrams received.');
    this.#count(
      'outrigger_adapter_statsd_bytes_total',
      'Bytes of StatsD datagrams received.',
      [],
      message.length,
    );
    for (const line of message.toString('utf8').split('\n')) {
      const trimmed = line.trim();
      if (trimmed !== '') this.#line(trimmed);
    }
  }

  #line(line: string): void {
    this.#count('outrigger_adapter_statsd_lines_total', 'StatsD lines received.');
    const { samples, errors } = parseLine(line);
    for (const reason of errors) this.#failed(reason);
    for (const sample of samples) {
      const refusal = this.#keep(sample);
      if (refusal === undefined) {
        this.#count('outrigger_adapter_statsd_samples_total', 'StatsD samples kept.', [
          ['kind', sample.kind],
        ]);
      } else this.#failed(refusal);
    }
  }

  #keep(sample: Sample): string | undefined {
    const { name, kind, value, relative, weight, tags } = sample;
    switch (kind) {
      case 'counter':
        return this.#registry.add(name, help[kind], tags, value);
      case 'gauge':
        return this.#registry.set(name, help[kind], tags, value, relative);
      case 'observation':
        return this.#registry.observe(name, help[kind], tags, value, weight);
    }
  }

  #failed(reason: string): void {
    this.#count(
      'outrigger_adapter_statsd_errors_total',
      'StatsD lines, samples or parts not taken, by reason.',
      [['reason', reason]],
    );
  }

  #count(name: string, text: string, tags: readonly [string, string][] = [], amount = 1): void {
    this.#self.add(name, text, tags, amount);
  }
}
