/** Datagrams → registry: splits lines, takes samples, counts everything that was not taken and why. */

import { labelName, metricName } from '../series/names.ts';
import { refusals } from '../series/series.ts';
import type { Refusal, SeriesSpec, SeriesStore } from '../series/series.ts';
import { parseLine } from './line.ts';
import type { Sample } from './line.ts';

const help: Readonly<Record<Sample['kind'], string>> = {
  counter: 'Counter received by StatsD.',
  gauge: 'Gauge received by StatsD.',
  observation: 'Timer or observation received by StatsD.',
};

export class StatsdIntake {
  readonly #registry: SeriesStore;
  readonly #self: SeriesStore;
  readonly #bounds: readonly number[];

  /** `self` keeps the adapter's own counters: they must stay when `registry` is full. */
  constructor(registry: SeriesStore, self: SeriesStore, bounds: readonly number[]) {
    this.#registry = registry;
    this.#self = self;
    this.#bounds = bounds;
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

  #keep(sample: Sample): Refusal | undefined {
    const slot = this.#registry.open(specOf(sample, this.#bounds));
    if (slot < 0) return refusals[-1 - slot];
    const { kind, value, relative, weight } = sample;
    if (kind === 'counter') this.#registry.add(slot, value);
    else if (kind === 'observation') this.#registry.observe(slot, value, weight);
    else if (relative) this.#registry.adjust(slot, value);
    else this.#registry.set(slot, value);
    return undefined;
  }

  #failed(reason: string): void {
    this.#count(
      'outrigger_adapter_statsd_errors_total',
      'StatsD lines, samples or parts not taken, by reason.',
      [['reason', reason]],
    );
  }

  #count(name: string, text: string, labels: readonly [string, string][] = [], amount = 1): void {
    const spec = { name, type: 'counter', help: text, labels, source: 'self', ttlMs: 0 } as const;
    this.#self.add(this.#self.open(spec), amount);
  }
}

/** The series a sample belongs to. */
export function specOf(sample: Sample, bounds: readonly number[]): SeriesSpec {
  const { kind, name, tags } = sample;
  const labels = new Map(tags.map(([label, value]) => [labelName(label), value]));
  return {
    name: metricName(name),
    type: kind === 'observation' ? 'histogram' : kind,
    help: help[kind],
    labels: [...labels],
    source: 'statsd',
    ttlMs: 0,
    ...(kind === 'observation' ? { bounds } : {}),
  };
}
