/** A store of series that a test can read: maps where the real one has arenas. */

import { refusals } from '../../src/series/series.ts';
import type { Refusal, SeriesSpec, SeriesStore, Slot } from '../../src/series/series.ts';

interface FakeSeries {
  readonly spec: SeriesSpec;
  value: number;
  /** Observations as value × weight. */
  readonly observed: [value: number, weight: number][];
}

export class FakeStore implements SeriesStore {
  forgotten = 0;
  readonly #bySlot: FakeSeries[] = [];
  readonly #generations: number[] = [];
  readonly #slots = new Map<string, Slot>();
  readonly #limit: number;

  constructor(limit = 1_000_000) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#slots.size;
  }

  open(spec: SeriesSpec): Slot {
    const refusal = this.wouldRefuse(spec);
    if (refusal !== undefined) return -1 - refusals.indexOf(refusal);
    const key = keyOf(spec);
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = this.#bySlot.push({ spec, value: 0, observed: [] }) - 1;
      this.#slots.set(key, slot);
      this.#generations[slot] ??= 1;
    }
    return slot;
  }

  wouldRefuse(spec: SeriesSpec): Refusal | undefined {
    for (const slot of this.#slots.values()) {
      const other = this.#bySlot[slot]?.spec;
      if (other?.name === spec.name && other.type !== spec.type) return 'type-conflict';
      if (this.#slots.size < 1000 && other?.type === 'histogram' && spec.name === `${other.name}_count`)
        return 'name-conflict';
      if (this.#slots.size >= 1000) break;
    }
    return this.#slots.has(keyOf(spec)) || this.size < this.#limit ? undefined : 'series-limit';
  }

  generation(slot: Slot): number {
    return this.#generations[slot] ?? 0;
  }

  /** As the end of its ttl does. */
  forget(name: string): void {
    for (const [key, slot] of this.#slots) {
      if (this.#bySlot[slot]?.spec.name !== name) continue;
      this.#slots.delete(key);
      this.#generations[slot] = this.generation(slot) + 1;
      this.forgotten += 1;
    }
  }

  add(slot: Slot, amount: number): void {
    this.#at(slot).value += amount;
  }

  set(slot: Slot, value: number): void {
    this.#at(slot).value = value;
  }

  adjust(slot: Slot, delta: number): void {
    this.#at(slot).value += delta;
  }

  observe(slot: Slot, value: number, weight: number): void {
    this.#at(slot).observed.push([value, weight]);
  }

  /** `name{a="b"} value`, labels sorted; observations as `value*weight`. */
  lines(): string[] {
    return [...this.#slots.values()].map((slot) => {
      const { spec, value, observed } = this.#at(slot);
      const labels = sorted(spec).map(([name, text]) => `${name}=${JSON.stringify(text)}`);
      const isObserved = spec.type === 'histogram' || spec.type === 'summary';
      const shown = isObserved ? observed.map(([of, weight]) => `${of}*${weight}`).join(' ') : String(value);
      return `${spec.name}${labels.length > 0 ? `{${labels.join(',')}}` : ''} ${shown}`;
    });
  }

  specs(): SeriesSpec[] {
    return [...this.#slots.values()].map((slot) => this.#at(slot).spec);
  }

  #at(slot: Slot): FakeSeries {
    const series = this.#bySlot[slot];
    if (series === undefined) throw new Error(`no series at ${slot}`);
    return series;
  }
}

function sorted(spec: SeriesSpec) {
  return [...spec.labels].sort(([a], [b]) => (a < b ? -1 : 1));
}

function keyOf(spec: SeriesSpec): string {
  return JSON.stringify([spec.name, sorted(spec)]);
}
