/** Lines into series: each rule remembers the slots of the label values it has met. */

import type { RelabelRule } from '@outrigger/core/api';
import type { LabelPairs } from '@outrigger/core/exposition';
import { compileRelabel, metricNameLabel } from '../prometheus/relabel.ts';
import { refusals } from '../series/series.ts';
import type { SeriesStore, Slot } from '../series/series.ts';
import { fieldsOf, noFields } from './fields.ts';
import type { LogFormat } from './fields.ts';
import type { CompiledRule, Update } from './rules.ts';

export interface CountingOptions {
  readonly store: SeriesStore;
  /** Name of the source. */
  readonly source: string;
  /** Added to every series. */
  readonly labels: Readonly<Record<string, string>>;
  readonly relabel: readonly RelabelRule[];
  readonly format: LogFormat | undefined;
  readonly rules: readonly CompiledRule[];
  readonly onDrop: (reason: string) => void;
}

interface Remembered {
  /** Undefined: relabelling dropped the series. */
  readonly slot: Slot | undefined;
  readonly generation: number;
}

/** Slots a rule remembers; beyond it all are looked up anew. */
export const maxRemembered = 10_000;

export class Counting {
  readonly #options: CountingOptions;
  readonly #rules: readonly { rule: CompiledRule; slots: Map<string, Remembered> }[];
  readonly #relabel: ReturnType<typeof compileRelabel>;
  readonly #common: LabelPairs;

  constructor(options: CountingOptions) {
    this.#options = options;
    this.#rules = options.rules.map((rule) => ({ rule, slots: new Map() }));
    this.#relabel = compileRelabel(options.relabel);
    this.#common = Object.entries(options.labels);
  }

  line(line: string): void {
    const { format, onDrop } = this.#options;
    const fields = format === undefined ? noFields : fieldsOf(format, line);
    if (fields === undefined) {
      onDrop('bad-line');
      return;
    }
    for (const { rule, slots } of this.#rules) {
      const update = rule.update(line, fields);
      if (update === undefined) continue;
      if (typeof update === 'string') onDrop(update);
      else this.#apply(rule, slots, update);
    }
  }

  #apply(rule: CompiledRule, slots: Map<string, Remembered>, { labels, value }: Update): void {
    const { store } = this.#options;
    const key = labels.length === 1 ? (labels[0] ?? '') : JSON.stringify(labels);
    const known = slots.get(key);
    const { slot } =
      known !== undefined && this.#isCurrent(known) ? known : this.#open(rule, labels, slots, key);
    if (slot === undefined) return;
    if (slot < 0) this.#options.onDrop(refusals[-1 - slot] ?? 'refused');
    else if (rule.type === 'counter') store.add(slot, value);
    else if (rule.type === 'gauge') store.set(slot, value);
    else store.observe(slot, value, 1);
  }

  #isCurrent({ slot, generation }: Remembered): boolean {
    return slot === undefined || this.#options.store.generation(slot) === generation;
  }

  #open(
    rule: CompiledRule,
    values: readonly string[],
    slots: Map<string, Remembered>,
    key: string,
  ): Remembered {
    const { store } = this.#options;
    const slot = this.#slotOf(rule, values);
    // A refusal may end when others are forgotten: it is not remembered.
    if (slot !== undefined && slot < 0) return { slot, generation: 0 };
    const opened = { slot, generation: slot === undefined ? 0 : store.generation(slot) };
    if (slots.size >= maxRemembered) slots.clear();
    slots.set(key, opened);
    return opened;
  }

  #slotOf(rule: CompiledRule, values: readonly string[]): Slot | undefined {
    const { store, source } = this.#options;
    const own = rule.labelNames.map((name, index) => [name, values[index] ?? ''] as const);
    const others = this.#common.filter(([name]) => !rule.labelNames.includes(name));
    const relabelled = this.#relabel([[metricNameLabel, rule.name], ...own, ...others]);
    const name = relabelled?.find(([label]) => label === metricNameLabel)?.[1];
    if (relabelled === undefined || name === undefined) return undefined;
    const labels = relabelled.filter(([label, value]) => !label.startsWith('__') && value !== '');
    const { type, help, bounds } = rule;
    return store.open({
      ...{ name, type, help, labels, source, ttlMs: 0 },
      ...(bounds === undefined ? {} : { bounds }),
    });
  }
}
