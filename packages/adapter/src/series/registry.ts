/**
 * The collected series: what other programs told us, kept until asked for.
 *
 * Each series keeps its line of the page ready up to the value, so that rendering is joining strings. A name has one
 * type: a sample that contradicts it is refused, because two types under one name would break the whole scrape.
 */

import { labelName, metricName } from './names.ts';

export type SeriesType = 'counter' | 'gauge' | 'histogram';

/** Why a sample was not kept. */
export type Refusal = 'type-conflict' | 'series-limit';

export interface RegistryOptions {
  /** Series kept; samples that would add more are refused. */
  readonly maxSeries: number;
  /** Labels on every series; a sample's own label of the same name wins. */
  readonly labels: Readonly<Record<string, string>>;
  /** Upper bounds in seconds, ascending. */
  readonly buckets: readonly number[];
}

interface Family {
  readonly name: string;
  readonly type: SeriesType;
  readonly help: string;
  readonly series: Map<string, Series>;
}

interface Series {
  /** `{a="b",c="d"}` or empty. */
  readonly labels: string;
  value: number;
  /** Histograms only: per bucket (not cumulative), the last for +Inf. */
  readonly counts: number[];
}

export class SeriesRegistry {
  #options: RegistryOptions;
  readonly #families = new Map<string, Family>();
  /** Which family owns a name on the page: `foo_count` belongs to the histogram `foo`. */
  readonly #owners = new Map<string, Family>();
  #size = 0;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** New limits and labels for what comes from now on; series already kept stay as they are. */
  configure(options: RegistryOptions): void {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  add(name: string, help: string, tags: Tags, amount: number): Refusal | undefined {
    return this.#update(name, 'counter', help, tags, (series) => (series.value += amount));
  }

  set(name: string, help: string, tags: Tags, value: number, relative = false): Refusal | undefined {
    return this.#update(
      name,
      'gauge',
      help,
      tags,
      (series) => (series.value = relative ? series.value + value : value),
    );
  }

  observe(name: string, help: string, tags: Tags, value: number, weight = 1): Refusal | undefined {
    const { buckets } = this.#options;
    return this.#update(name, 'histogram', help, tags, (series) => {
      const found = buckets.findIndex((bound) => value <= bound);
      const at = found === -1 ? buckets.length : found;
      series.counts[at] = (series.counts[at] ?? 0) + weight;
      series.value += value * weight;
    });
  }

  /** What `add`, `set` or `observe` would answer, without doing it. */
  wouldRefuse(rawName: string, type: SeriesType, tags: Tags): Refusal | undefined {
    const name = metricName(rawName);
    const family = this.#families.get(name);
    if (family === undefined ? this.#isOwned(name, type) : family.type !== type) return 'type-conflict';
    const isNew = family?.series.has(renderLabels(this.#options.labels, tags)) !== true;
    return isNew && this.#size >= this.#options.maxSeries ? 'series-limit' : undefined;
  }

  /** The page in text format 0.0.4, families in order of their names. */
  render(): string {
    const names = [...this.#families.keys()].sort();
    return names.map((name) => this.#renderFamily(this.#families.get(name))).join('');
  }

  #update(
    rawName: string,
    type: SeriesType,
    help: string,
    tags: Tags,
    change: (series: Series) => void,
  ): Refusal | undefined {
    const name = metricName(rawName);
    const family = this.#families.get(name) ?? this.#newFamily(name, type, help);
    if (family === undefined || family.type !== type) return 'type-conflict';
    const labels = renderLabels(this.#options.labels, tags);
    let series = family.series.get(labels);
    if (series === undefined) {
      if (this.#size >= this.#options.maxSeries) return 'series-limit';
      series = {
        labels,
        value: 0,
        counts: type === 'histogram' ? this.#options.buckets.map(() => 0).concat(0) : [],
      };
      family.series.set(labels, series);
      this.#size += 1;
    }
    change(series);
    return undefined;
  }

  #newFamily(name: string, type: SeriesType, help: string): Family | undefined {
    if (this.#isOwned(name, type)) return undefined;
    const family: Family = { name, type, help, series: new Map() };
    this.#families.set(name, family);
    for (const suffix of suffixesOf(type)) this.#owners.set(name + suffix, family);
    return family;
  }

  #isOwned(name: string, type: SeriesType): boolean {
    return suffixesOf(type).some((suffix) => this.#owners.has(name + suffix));
  }

  #renderFamily(family: Family | undefined): string {
    if (family === undefined || family.series.size === 0) return '';
    const { name, type, help, series } = family;
    const lines = [
      `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`,
    ];
    for (const one of series.values()) {
      if (type === 'histogram') this.#renderHistogram(name, one, lines);
      else lines.push(`${name}${one.labels} ${one.value}\n`);
    }
    return lines.join('');
  }

  #renderHistogram(name: string, series: Series, lines: string[]): void {
    const open = series.labels === '' ? '{' : `${series.labels.slice(0, -1)},`;
    let below = 0;
    this.#options.buckets.forEach((bound, i) => {
      below += series.counts[i] ?? 0;
      lines.push(`${name}_bucket${open}le="${bound}"} ${below}\n`);
    });
    below += series.counts.at(-1) ?? 0;
    lines.push(`${name}_bucket${open}le="+Inf"} ${below}\n${name}_sum${series.labels} ${series.value}\n`);
    lines.push(`${name}_count${series.labels} ${below}\n`);
  }
}

/** What a family of the type writes below its name. */
function suffixesOf(type: SeriesType): readonly string[] {
  return type === 'histogram' ? ['', '_bucket', '_sum', '_count'] : [''];
}

export type Tags = readonly (readonly [string, string])[];

/** Sorted by name, so that the order in which a client names its tags makes no second series. */
function renderLabels(common: Readonly<Record<string, string>>, tags: Tags): string {
  const all = new Map(Object.entries(common));
  for (const [name, value] of tags) all.set(labelName(name), value);
  if (all.size === 0) return '';
  const rendered = [...all]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}="${escape(value)}"`);
  return `{${rendered.join(',')}}`;
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
