/**
 * The head of a line → what to do with its numbers: the rule that hits it, the series it names, the store's verdict.
 *
 * Plans are few (kinds × scales × reasons) and shared; what differs from key to key is the slot.
 */

import type { LabelPairs } from '@outrigger/core/exposition';
import type { Mapped, Mapper } from '../mapping/mapper.ts';
import type { MetricKind, Observer } from '../mapping/rules.ts';
import { refusals } from '../series/series.ts';
import type { SeriesSpec, SeriesStore, Slot } from '../series/series.ts';
import { parseHead } from './head.ts';
import type { Head, HeadOptions } from './head.ts';
import { escapeName } from './names.ts';
import { mappingResults } from './tally.ts';
import type { MappingResult, Reason } from './tally.ts';

export type Action = 'counter' | 'gauge' | 'observation' | 'set' | 'drop' | 'refuse';

/** What happens to the numbers of all lines with one key. */
export interface Plan {
  readonly action: Action;
  /** Position in `sampleKinds`; -1 where nothing is kept. */
  readonly kindAt: number;
  /** Values are divided by it (1000 for milliseconds), then multiplied by `scale`. */
  readonly divisor: number;
  readonly scale: number;
  readonly reason: Reason | undefined;
  /** The store refused: it may think otherwise once it has forgotten something. */
  readonly mayChange: boolean;
  readonly badTags: number;
  /** Position in `mappingResults`; -1 where the line did not come so far. */
  readonly mappingAt: number;
  /** Position among all plans; -1: not to be remembered. */
  readonly index: number;
}

export interface Resolution {
  readonly plan: Plan;
  readonly slot: Slot;
}

export interface ResolverOptions extends HeadOptions {
  readonly mapper: Mapper | undefined;
  /** Of timers without a mapping. */
  readonly bounds: readonly number[];
}

/** A series as a line asks for it, and how it came to that. */
export interface Wanted {
  readonly head: Head;
  readonly mapped: Mapped | undefined;
  /** Undefined where a rule drops it or there is no name left. */
  readonly spec: SeriesSpec | undefined;
  readonly badTags: number;
}

/** What the key cache can number. */
const maxPlans = 65_536;

/** Lines with more bad tags are understood each time. */
const mostBadTags = 8;

const kindsOf: Readonly<Record<Head['type'], MetricKind>> = {
  c: 'counter',
  g: 'gauge',
  s: 'gauge',
  ms: 'observer',
  h: 'observer',
  d: 'observer',
};

const actions: Readonly<Record<Head['type'], Action>> = {
  c: 'counter',
  g: 'gauge',
  s: 'set',
  ms: 'observation',
  h: 'observation',
  d: 'observation',
};

const actionOrder: readonly Action[] = ['counter', 'gauge', 'observation', 'set'];

const help: Readonly<Record<Action, string>> = {
  counter: 'Counter received by StatsD.',
  gauge: 'Gauge received by StatsD.',
  observation: 'Timer or observation received by StatsD.',
  set: 'Distinct members of a set received by StatsD, within a minute.',
  drop: '',
  refuse: '',
};

export class Resolver {
  readonly #options: ResolverOptions;
  readonly #store: SeriesStore;
  readonly plans: Plan[] = [];
  readonly #known = new Map<string, Plan>();

  constructor(options: ResolverOptions, store: SeriesStore) {
    this.#options = options;
    this.#store = store;
  }

  /** `name` and `parts` as in `parseHead`. Opens the series. */
  resolve(name: string, parts: readonly string[]): Resolution {
    const wanted = this.want(name, parts);
    if (typeof wanted === 'string') return this.refused(wanted);
    const { head, mapped, spec, badTags } = wanted;
    if (mapped?.rule.drop === true)
      return { plan: this.#plan({ action: 'drop', badTags }, 'dropped'), slot: 0 };
    if (spec === undefined) return this.refused('empty-name', badTags);
    const slot = this.#store.open(spec);
    if (slot < 0) return this.refused(refusals[-1 - slot] ?? 'series-limit', badTags);
    const action = actions[head.type];
    const scale = mapped?.rule.scale ?? 1;
    const divisor = head.type === 'ms' ? 1000 : 1;
    const result = mapped === undefined ? 'unmapped' : 'mapped';
    return { plan: this.#plan({ action, badTags, scale, divisor }, result), slot };
  }

  /** The series a line asks for, without opening it; or why there is none. */
  want(name: string, parts: readonly string[]): Wanted | Reason {
    const head = parseHead(name, parts, this.#options);
    if (typeof head === 'string') return head;
    const mapped = this.#options.mapper?.map(head.name, kindsOf[head.type]);
    if (mapped?.rule.drop === true) return { head, mapped, spec: undefined, badTags: head.badTags };
    const type = this.#typeOf(head, mapped);
    const merged = mergeLabels(head.tags, mapped);
    const labels = merged.filter(([label]) => !isTaken(label, type.type));
    const badTags = head.badTags + merged.length - labels.length;
    const series = escapeName(mapped?.name ?? head.name);
    if (series === '') return { head, mapped, spec: undefined, badTags };
    const ttlMs = mapped?.rule.ttlMs ?? this.#options.mapper?.rules.ttlMs ?? 0;
    const text = mapped?.rule.help ?? help[actions[head.type]];
    return {
      head,
      mapped,
      badTags,
      spec: { name: series, ...type, help: text, labels, source: 'statsd', ttlMs },
    };
  }

  refused(reason: Reason, badTags = 0): Resolution {
    return { plan: this.#plan({ action: 'refuse', badTags, reason }, undefined), slot: 0 };
  }

  #typeOf(head: Head, mapped: Mapped | undefined): Pick<SeriesSpec, 'type' | 'bounds' | 'summary'> {
    const kind = kindsOf[head.type];
    if (kind !== 'observer') return { type: kind };
    const { mapper, bounds } = this.#options;
    const observer: Observer = mapped?.rule.observer ??
      mapper?.rules.observer ?? { type: 'histogram', bounds };
    return observer;
  }

  #plan(
    facts: Pick<Plan, 'action' | 'badTags'> & Partial<Pick<Plan, 'scale' | 'divisor' | 'reason'>>,
    result: MappingResult | undefined,
  ): Plan {
    const { action, badTags, scale = 1, divisor = 1, reason } = facts;
    const key = `${action} ${badTags} ${scale} ${divisor} ${reason} ${result}`;
    let plan = this.#known.get(key);
    if (plan === undefined) {
      // Clients choose how many tags are bad, and must not fill memory with plans.
      const isShared = badTags <= mostBadTags && this.plans.length < maxPlans;
      plan = {
        ...{ action, badTags, scale, divisor, reason },
        kindAt: actionOrder.indexOf(action),
        mayChange: (refusals as readonly string[]).includes(reason ?? ''),
        mappingAt: result === undefined ? -1 : mappingResults.indexOf(result),
        index: isShared ? this.plans.length : -1,
      };
      if (!isShared) return plan;
      this.plans.push(plan);
      this.#known.set(key, plan);
    }
    return plan;
  }
}

/** Labels of a rule win over tags of the same name, unless the rule honours tags. */
function mergeLabels(tags: LabelPairs, mapped: Mapped | undefined): LabelPairs {
  if (mapped === undefined) return tags;
  const labels = new Map(tags);
  for (const [name, value] of mapped.labels) {
    if (!mapped.rule.honorLabels || !labels.has(name)) labels.set(name, value);
  }
  return [...labels];
}

/** The page writes these itself. */
function isTaken(label: string, type: SeriesSpec['type']): boolean {
  return (label === 'le' && type === 'histogram') || (label === 'quantile' && type === 'summary');
}
