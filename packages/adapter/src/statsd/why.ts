/** `outrigger why metric LINE`: what would become of a StatsD line, without taking it. */

import type { SeriesStore, SeriesType } from '../series/series.ts';
import { Cut } from './cut.ts';
import { isType, nextSample } from './head.ts';
import { parseDecimal } from './number.ts';
import type { Resolver, Wanted } from './resolver.ts';

export interface SampleExplanation {
  /** As the line has it, without tags. */
  readonly name: string;
  /** The rule of the mapping that hit; null: none. */
  readonly rule: {
    readonly index: number;
    readonly match: string;
    readonly matchType: 'glob' | 'regex';
    readonly action: 'map' | 'drop';
  } | null;
  /** Name on the page; null where there is none. */
  readonly series: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly type: SeriesType | null;
  /** As they would be added, set or observed, in the unit of the page. Members of sets as they are. */
  readonly values: readonly (number | string)[];
  /** How many events each value stands for. */
  readonly weight: number;
  /** Added to a gauge rather than set. */
  readonly relative: boolean;
  /** 0: kept until the adapter ends. */
  readonly ttlSeconds: number;
  /** `kept`, `dropped` (by its rule), or why the store refuses it. */
  readonly result: string;
}

export interface LineExplanation {
  readonly line: string;
  readonly is: 'samples' | 'event' | 'service-check' | 'nothing';
  /** Parts not taken, by reason. */
  readonly errors: readonly string[];
  readonly samples: readonly SampleExplanation[];
}

/** Explanations are for people; a longer line is cut. */
const longest = 65_536;

export function explainLine(text: string, resolver: Resolver, store: SeriesStore): LineExplanation {
  const line = text.slice(0, longest);
  const nothing = (error: string): LineExplanation => ({ line, is: 'nothing', errors: [error], samples: [] });
  const trimmed = line.trim();
  if (trimmed.includes('\n')) return nothing('several lines: ask for each');
  if (trimmed.startsWith('_sc|')) return { line, is: 'service-check', errors: [], samples: [] };
  const bytes = Buffer.from(trimmed);
  const cut = new Cut(bytes.length, 0);
  if (!cut.line(bytes, 0, bytes.length)) return nothing('malformed');
  const key = Buffer.from(cut.key).toString('utf8', 0, cut.length);
  if (key.startsWith('_e{')) return { line, is: 'event', errors: [], samples: [] };
  const errors: string[] = [];
  const name = key.split('|')[0] ?? '';
  const samples = samplesOf(trimmed, key, name).flatMap(
    (one) => explainSample(one, resolver, store, errors) ?? [],
  );
  return { line, is: samples.length > 0 ? 'samples' : 'nothing', errors, samples };
}

/** etsy's several samples in a line, each as a line of its own. */
function samplesOf(line: string, key: string, name: string): string[] {
  if (key.includes('|#')) return [line];
  const body = line.slice(line.indexOf(':') + 1);
  const samples: string[] = [];
  let from = 0;
  for (let next = nextSample(body, 0); next !== -1; next = nextSample(body, from)) {
    samples.push(`${name}:${body.slice(from, next - 1)}`);
    from = next;
  }
  return [...samples, `${name}:${body.slice(from)}`];
}

function explainSample(
  line: string,
  resolver: Resolver,
  store: SeriesStore,
  errors: string[],
): SampleExplanation | undefined {
  const bytes = Buffer.from(line);
  const cut = new Cut(bytes.length, 0);
  if (!cut.line(bytes, 0, bytes.length)) return void errors.push('malformed');
  const [name = '', ...parts] = Buffer.from(cut.key).toString('utf8', 0, cut.length).split('|');
  const written = bytes.toString('utf8', cut.valueFrom, cut.valueTo);
  const values = isType(parts[0] ?? '') ? valuesOf(written, parts[0] ?? '', errors) : [];
  if (isType(parts[0] ?? '') && values.length === 0) return undefined;
  const wanted = resolver.want(name, parts);
  if (typeof wanted === 'string') return void errors.push(wanted);
  for (let bad = 0; bad < wanted.badTags; bad++) errors.push('bad-tag');
  const { head, mapped, spec } = wanted;
  const weight = weightOf(bytes, cut, errors);
  return {
    name: head.name,
    rule: ruleOf(mapped),
    series: spec?.name ?? null,
    labels: Object.fromEntries(spec?.labels ?? []),
    type: spec?.type ?? null,
    values: values
      .map((value) => inUnitOfPage(value, wanted))
      .filter((value) => isFinite(value, weight) || void errors.push('bad-value')),
    weight,
    relative: head.type === 'g' && /^[+-]/.test(written),
    ttlSeconds: (spec?.ttlMs ?? 0) / 1000,
    result: resultOf(wanted, store, errors),
  };
}

function ruleOf(mapped: Wanted['mapped']): SampleExplanation['rule'] {
  if (mapped === undefined) return null;
  const { index, match, matchType, drop } = mapped.rule;
  return { index, match, matchType, action: drop ? 'drop' : 'map' };
}

function resultOf({ mapped, spec }: Wanted, store: SeriesStore, errors: string[]): string {
  if (mapped?.rule.drop === true) return 'dropped';
  const refusal = spec === undefined ? 'empty-name' : store.wouldRefuse(spec);
  if (refusal !== undefined) errors.push(refusal);
  return refusal ?? 'kept';
}

function valuesOf(written: string, type: string, errors: string[]): (number | string)[] {
  if (type === 's') {
    if (written === '') errors.push('bad-value');
    return written === '' ? [] : [written];
  }
  return written.split(':').flatMap((text) => {
    const bytes = Buffer.from(text);
    const value = parseDecimal(bytes, 0, bytes.length);
    if (!Number.isNaN(value) && !(type === 'c' && value < 0)) return [value];
    errors.push(Number.isNaN(value) ? 'bad-value' : 'negative-counter');
    return [];
  });
}

function inUnitOfPage(value: number | string, { head, mapped }: Wanted): number | string {
  if (typeof value === 'string') return value;
  return (value / (head.type === 'ms' ? 1000 : 1)) * (mapped?.rule.scale ?? 1);
}

/** Not too large together with its rate or scale. */
function isFinite(value: number | string, weight: number): boolean {
  return typeof value === 'string' || Number.isFinite(value * weight);
}

function weightOf(bytes: Buffer, { rateFrom, rateTo }: Cut, errors: string[]): number {
  if (rateFrom === 0) return 1;
  const rate = parseDecimal(bytes, rateFrom, rateTo);
  if (rate > 0 && rate <= 1) return 1 / rate;
  errors.push('bad-rate');
  return 1;
}
