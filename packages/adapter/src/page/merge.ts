/**
 * Families of many sources → one page's families.
 *
 * Two types under one name, or one sample twice, would make Prometheus refuse the whole page. So who comes first owns
 * a name, what contradicts it is left out, and every sample left out is told with its reason.
 */

import { openMetricsName } from '@outrigger/core/exposition';
import type { LabelPairs, MetricFamily, MetricType, Sample } from '@outrigger/core/exposition';
import type { SeriesRegistry } from '../series/registry.ts';
import { ownPrefix } from '../series/series.ts';

/** Why samples of a source are not on the page. */
export type LeftOut = 'type-conflict' | 'name-conflict' | 'duplicate' | 'series-limit';

export interface Part {
  readonly families: Iterable<MetricFamily>;
  /** Samples may be alike: they were given labels, or renamed. */
  readonly mayRepeat: boolean;
}

/** A family of the page; those of one source alone keep its samples as they are. */
export interface MergedFamily extends MetricFamily {
  readonly samples: readonly Sample[];
}

interface Entry {
  readonly family: MetricFamily;
  samples: readonly Sample[];
  /** The same, once it is no source's list any more: the endpoints of a Service are added to it one after another. */
  own: Sample[] | undefined;
  /** Of all samples; made when it is first needed. */
  keys: Set<string> | undefined;
}

const suffixes: Readonly<Partial<Record<MetricType, readonly string[]>>> = {
  histogram: ['_bucket', '_sum', '_count'],
  gaugehistogram: ['_bucket', '_gsum', '_gcount'],
  summary: ['_sum', '_count'],
};

export class Merger {
  readonly #registry: SeriesRegistry;
  readonly #entries = new Map<string, Entry>();
  /** Names of samples that a family writes below its own. */
  readonly #owned = new Set<string>();

  /** Its series come first: what contradicts them is left out. */
  constructor(registry: SeriesRegistry) {
    this.#registry = registry;
  }

  /** Adds what a source answered; `leftOut` is told how many samples were not taken. */
  async add(
    { families, mayRepeat }: Part,
    leftOut: (reason: LeftOut, count: number) => void,
    giveWay: () => Promise<void> | undefined,
  ): Promise<void> {
    for (const family of families) {
      const conflict = this.#conflict(family);
      if (conflict !== undefined) leftOut(conflict, family.samples.length);
      else await this.#take(family, mayRepeat, leftOut, giveWay);
    }
  }

  /** Adds what the adapter says of itself: names that nobody else may use. */
  addOwn(families: Iterable<MetricFamily>): void {
    for (const family of families) {
      this.#entries.set(family.name, { family, samples: family.samples, own: undefined, keys: undefined });
      this.#own(family);
    }
  }

  /** In the order in which they were first met; also those whose series are partly in the registry. */
  families(): Iterable<MergedFamily> {
    return [...this.#entries.values()].map(({ family, samples }) => ({ ...family, samples }));
  }

  /** Whether the name is a family's, here or in the registry. */
  has(name: string): boolean {
    return this.#entries.has(name) || this.#registry.family(name) !== undefined;
  }

  /**
   * A counter or info whose name in OpenMetrics is another family's, or a sample's of one, too, or a counter whose time
   * of creation would be written below another family's name: it is written as of unknown type there.
   */
  isAmbiguous(family: Pick<MetricFamily, 'name' | 'type'>): boolean {
    const name = openMetricsName(family);
    if (name === family.name) return false;
    if (this.has(name) || this.#isSample(name)) return true;
    return family.type === 'counter' && (this.has(`${name}_created`) || this.#isInfo(`${name}_info`));
  }

  #isInfo(name: string): boolean {
    return this.#entries.get(name)?.family.type === 'info';
  }

  #conflict({ name, type }: MetricFamily): LeftOut | undefined {
    if (name.startsWith(ownPrefix)) return 'name-conflict';
    const stored = this.#registry.family(name);
    const known = stored ?? this.#entries.get(name)?.family;
    if (known !== undefined) return known.type === type ? undefined : 'type-conflict';
    const owns = (suffixes[type] ?? []).some((suffix) => this.has(name + suffix));
    return this.#isSample(name) || owns ? 'name-conflict' : undefined;
  }

  /** Whether a family writes samples of that name below its own. */
  #isSample(name: string): boolean {
    return this.#owned.has(name) || this.#isStoredOwned(name);
  }

  #isStoredOwned(name: string): boolean {
    const end = /_(bucket|sum|count)$/.exec(name)?.[0];
    const owner = end === undefined ? undefined : this.#registry.family(name.slice(0, -end.length));
    return owner !== undefined && end !== undefined && (suffixes[owner.type] ?? []).includes(end);
  }

  async #take(
    family: MetricFamily,
    mayRepeat: boolean,
    leftOut: (reason: LeftOut, count: number) => void,
    giveWay: () => Promise<void> | undefined,
  ): Promise<void> {
    const known = this.#entries.get(family.name);
    const isStored = this.#registry.family(family.name) !== undefined;
    if (known === undefined && !isStored && !mayRepeat) {
      this.#entries.set(family.name, { family, samples: family.samples, own: undefined, keys: undefined });
      this.#own(family);
      return;
    }
    const entry = known ?? { family, samples: [], own: undefined, keys: undefined };
    if (known === undefined) this.#own(family);
    this.#entries.set(family.name, entry);
    const keys = (entry.keys ??= new Set(entry.samples.map(keyOf)));
    const samples = (entry.own ??= [...entry.samples]);
    entry.samples = samples;
    let repeated = 0;
    for (const [index, sample] of family.samples.entries()) {
      const key = keyOf(sample);
      if (keys.has(key) || (isStored && this.#isStored(family, sample))) repeated += 1;
      else {
        keys.add(key);
        samples.push(sample);
      }
      if (index % 256 === 255) await giveWay();
    }
    if (repeated > 0) leftOut('duplicate', repeated);
  }

  #own(family: MetricFamily): void {
    for (const suffix of suffixes[family.type] ?? []) this.#owned.add(family.name + suffix);
  }

  /** Series of the registry are known by their labels without `le` and `quantile`. */
  #isStored(family: MetricFamily, sample: Sample): boolean {
    return this.#registry.has(family.name, seriesLabels(family.type, sample));
  }
}

function seriesLabels(type: MetricType, { labels, suffix }: Sample): LabelPairs {
  if (suffix === '_bucket') return labels.filter(([name]) => name !== 'le');
  return type === 'summary' && suffix === '' ? labels.filter(([name]) => name !== 'quantile') : labels;
}

/** The same for samples that are the same series, whatever the order of their labels. */
function keyOf({ suffix, labels }: Sample): string {
  let isSorted = true;
  for (let i = 1; i < labels.length; i++)
    if ((labels[i - 1]?.[0] ?? '') > (labels[i]?.[0] ?? '')) isSorted = false;
  const sorted = isSorted ? labels : [...labels].sort(([a], [b]) => (a < b ? -1 : 1));
  let key: string = suffix;
  // Lengths before the texts: no two different sets of labels join alike.
  for (const [name, value] of sorted) key += `\n${name.length} ${value.length} ${name}${value}`;
  return key;
}
