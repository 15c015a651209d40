/**
 * Samples by name → families: which family a sample belongs to depends on the types of the page (`x_count` is part of
 * `x` if that is a histogram). Buckets and quantiles are put in order, duplicates and misfits left out and counted.
 */

import type { LabelPairs, MetricFamily, MetricType, Sample, SampleSuffix } from '@outrigger/core/exposition';
import { LabelKeys } from './labels.ts';
import { numberOf } from './line.ts';
import type { Draft } from './line.ts';
import type { ParsedPage, RawPage } from './parse.ts';

/** Lines, or samples, worked on in one turn: a few milliseconds. */
export const perTurn = 1000;

/** The suffixes of the samples of a type; '' is the family's name itself. */
const suffixesOf: Readonly<Record<MetricType, readonly SampleSuffix[]>> = {
  counter: ['', '_created'],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count', '_created'],
  gaugehistogram: ['_bucket', '_gsum', '_gcount'],
  summary: ['', '_sum', '_count', '_created'],
  info: [''],
  stateset: [''],
  unknown: [''],
};

interface Membership {
  /** As in the model: with `_total` and `_info`. */
  readonly name: string;
  /** As the page calls it in its metadata. */
  readonly declared: string;
  readonly type: MetricType;
  readonly suffix: SampleSuffix;
}

interface Gathered {
  readonly of: Membership;
  readonly samples: Sample[];
  /** Suffix and labels of those taken. */
  readonly seen: Set<string>;
  readonly keys: LabelKeys;
}

/** Yields now and then: see parsePageInTurns. */
export function* assemble(page: RawPage): Generator<void, ParsedPage> {
  const families = new Map<string, Gathered>();
  const dropped: Record<string, number> = {};
  let taken = 0;
  for (const [sampleName, samples] of page.samples) {
    const of = membership(sampleName, page);
    if (of === undefined) {
      count(dropped, 'misplaced', samples.length);
      continue;
    }
    const family = families.get(of.name) ?? { of, samples: [], seen: new Set(), keys: new LabelKeys() };
    families.set(of.name, family);
    for (const sample of samples) {
      take(family, of, sample, dropped);
      if (++taken % perTurn === 0) yield;
    }
  }
  return { families: [...families.values()].map((family) => finished(family, page)), dropped };
}

/** Undefined for a sample that the family of its name has no place for: `x` where x is a histogram. */
function membership(sample: string, page: RawPage): Membership | undefined {
  const declared = page.types.get(sample);
  if (declared !== undefined) {
    const fits = suffixesOf[declared].includes('');
    return fits ? { name: sample, declared: sample, type: declared, suffix: '' } : undefined;
  }
  const at = sample.lastIndexOf('_');
  const base = sample.slice(0, Math.max(at, 0));
  const ending = sample.slice(base.length);
  const type = base === '' ? undefined : page.types.get(base);
  return (
    memberOf(base, ending, type, page) ?? { name: sample, declared: sample, type: 'unknown', suffix: '' }
  );
}

function memberOf(
  base: string,
  ending: string,
  type: MetricType | undefined,
  page: RawPage,
): Membership | undefined {
  if (type === undefined) return undefined;
  // OpenMetrics: the family `x` has the sample `x_total` or `x_info`, and so has its name here.
  if ((type === 'counter' && ending === '_total') || (type === 'info' && ending === '_info')) {
    return { name: `${base}${ending}`, declared: base, type, suffix: '' };
  }
  const suffix = suffixesOf[type].find((known) => known !== '' && known === ending);
  if (suffix === undefined) return undefined;
  const isTotal = type === 'counter' && page.samples.has(`${base}_total`);
  return { name: isTotal ? `${base}_total` : base, declared: base, type, suffix };
}

function take(family: Gathered, of: Membership, sample: Draft, dropped: Record<string, number>): void {
  if (family.of.type !== of.type) return count(dropped, 'type-conflict');
  const bound = boundLabel(of);
  if (bound !== undefined && boundOf(sample.labels, bound) === undefined)
    return count(dropped, `bad-${bound}`);
  const key = of.suffix + family.keys.key(sample.labels);
  if (family.seen.has(key)) return count(dropped, 'duplicate');
  family.seen.add(key);
  sample.suffix = of.suffix;
  family.samples.push(sample);
}

/** The label that tells buckets or quantiles of one series apart. */
function boundLabel(of: Membership): 'le' | 'quantile' | undefined {
  if (of.suffix === '_bucket') return 'le';
  return of.type === 'summary' && of.suffix === '' ? 'quantile' : undefined;
}

function boundOf(labels: LabelPairs, name: string): number | undefined {
  const text = labels.find(([label]) => label === name)?.[1];
  return text === undefined ? undefined : numberOf(text);
}

function finished({ of, samples }: Gathered, page: RawPage): MetricFamily {
  const unit = page.units.get(of.declared);
  const family = {
    name: of.name,
    type: of.type,
    help: page.helps.get(of.declared) ?? page.helps.get(of.name) ?? '',
    samples:
      of.type === 'histogram' || of.type === 'gaugehistogram' || of.type === 'summary'
        ? ordered(of.type, samples)
        : samples,
  };
  // One that the name does not end in is wrong, and the name is what is asked for.
  return unit !== undefined && unit !== '' && of.declared.endsWith(`_${unit}`) ? { ...family, unit } : family;
}

/** Series by series in the order of the page; buckets and quantiles ascending, then sum and count. */
function ordered(type: MetricType, samples: readonly Sample[]): Sample[] {
  const label = type === 'summary' ? 'quantile' : 'le';
  const series = new Map<string, Sample[]>();
  const keys = new LabelKeys(label);
  for (const sample of samples) {
    const key = keys.key(sample.labels);
    const known = series.get(key);
    if (known === undefined) series.set(key, [sample]);
    else known.push(sample);
  }
  const rank = (sample: Sample): number => suffixesOf[type].indexOf(sample.suffix);
  const bound = (sample: Sample): number => boundOf(sample.labels, label) ?? 0;
  const compare = (a: Sample, b: Sample): number => rank(a) - rank(b) || ascending(bound(a), bound(b));
  return [...series.values()].flatMap((group) => group.sort(compare));
}

/** Two infinities have no difference. */
function ascending(a: number, b: number): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

function count(dropped: Record<string, number>, reason: string, by = 1): void {
  dropped[reason] = (dropped[reason] ?? 0) + by;
}
