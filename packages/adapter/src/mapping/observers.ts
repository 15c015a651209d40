/** How timers are kept: histograms or summaries, with the options of a rule, of the defaults, or of the adapter. */

import type { Fields } from './fields.ts';
import { asNumber, show } from './fields.ts';
import { goDurationMs } from './go-duration.ts';
import type { Observer } from './rules.ts';

type Quantiles = readonly { readonly quantile: number; readonly error: number }[];

/** What was written down; undefined where nothing was. */
export interface ObserverFields {
  readonly type: 'histogram' | 'summary' | undefined;
  readonly bounds: readonly number[] | undefined;
  readonly quantiles: Quantiles | undefined;
  readonly maxAgeMs: number | undefined;
  readonly ageBuckets: number | undefined;
  readonly hasHistogram: boolean;
  readonly hasSummary: boolean;
  readonly isNative: boolean;
}

export const observerFieldNames = [
  ...(['observer_type', 'timer_type', 'buckets', 'quantiles'] as const),
  ...(['histogram_options', 'summary_options'] as const),
];

const histogramFields = [
  'buckets',
  'native_histogram_bucket_factor',
  'native_histogram_max_buckets',
] as const;
const summaryFields = ['quantiles', 'max_age', 'age_buckets', 'buf_cap'] as const;

/** statsd_exporter's, which are client_golang's. */
const usual = {
  quantiles: [
    { quantile: 0.5, error: 0.05 },
    { quantile: 0.9, error: 0.01 },
    { quantile: 0.99, error: 0.001 },
  ],
  maxAgeMs: 600_000,
  ageBuckets: 5,
};

export function readObserver(fields: Fields): ObserverFields {
  const histogram = fields.inside('histogram_options', histogramFields);
  const summary = fields.inside('summary_options', summaryFields);
  const legacyBounds = readBounds(fields);
  const legacyQuantiles = readQuantiles(fields);
  const isNative =
    histogramFields.slice(1).filter((name) => histogram?.number(name) !== undefined).length > 0;
  summary?.number('buf_cap');
  const read = {
    type:
      fields.oneOf('observer_type', 'histogram', 'summary') ??
      fields.oneOf('timer_type', 'histogram', 'summary'),
    bounds: (histogram === undefined ? undefined : readBounds(histogram)) ?? legacyBounds,
    quantiles: (summary === undefined ? undefined : readQuantiles(summary)) ?? legacyQuantiles,
    maxAgeMs: summary?.value('max_age', 'a duration above 0, such as 10m', positiveDuration),
    ageBuckets: summary?.value('age_buckets', 'a whole number above 0', positiveInteger),
    hasHistogram: histogram !== undefined,
    hasSummary: summary !== undefined,
    isNative,
  };
  refuseBoth(fields, legacyBounds, histogram, 'buckets', 'histogram_options');
  refuseBoth(fields, legacyQuantiles, summary, 'quantiles', 'summary_options');
  return read;
}

/** The observer of a rule. `type` without any choice is a summary, as in statsd_exporter. */
export function observerOf(
  own: ObserverFields,
  defaults: ObserverFields | undefined,
  bounds: readonly number[],
): Observer {
  const type = own.type ?? defaults?.type ?? 'summary';
  if (type === 'histogram') return { type, bounds: own.bounds ?? defaults?.bounds ?? bounds };
  return {
    type,
    summary: {
      quantiles: own.quantiles ?? defaults?.quantiles ?? usual.quantiles,
      maxAgeMs: own.maxAgeMs ?? defaults?.maxAgeMs ?? usual.maxAgeMs,
      ageBuckets: own.ageBuckets ?? defaults?.ageBuckets ?? usual.ageBuckets,
    },
  };
}

/** A rule whose options are those of the other type was meant otherwise. */
export function refuseOptionsOfOther(fields: Fields, own: ObserverFields, type: Observer['type']): void {
  if (type === 'histogram' && own.hasSummary)
    fields.wrong('summary_options', 'a value', 'none: the observer is a histogram');
  if (type === 'summary' && own.hasHistogram)
    fields.wrong('histogram_options', 'a value', 'none: the observer is a summary');
}

function refuseBoth(
  fields: Fields,
  legacy: unknown,
  options: Fields | undefined,
  name: string,
  of: string,
): void {
  if (legacy === undefined || options?.has(name) !== true) return;
  fields.wrong(name, 'a value', `none, since ${of}.${name} is set as well`);
}

/** An empty list means what an absent one does. +Inf is always there and may be left out. */
function readBounds(fields: Fields): readonly number[] | undefined {
  const list = fields.list('buckets');
  if (list === undefined || list.length === 0) return undefined;
  const bounds: number[] = [];
  list.forEach((item, index) => {
    const bound = asNumber(item);
    const before = bounds.at(-1) ?? Number.NEGATIVE_INFINITY;
    if (bound === undefined || bound <= before) {
      fields.wrong(`buckets[${index}]`, show(item), 'a number greater than the bound before it');
    } else if (bound !== Number.POSITIVE_INFINITY) bounds.push(bound);
  });
  return bounds;
}

function readQuantiles(fields: Fields): Quantiles | undefined {
  const list = fields.list('quantiles');
  if (list === undefined || list.length === 0) return undefined;
  return list.map((item, index) => {
    const at = `quantiles[${index}]`;
    const { quantile, error, ...rest } = (item ?? {}) as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(rest))
      fields.wrong(`${at}.${name}`, 'an unknown field', 'quantile, error');
    if (!isShare(quantile)) fields.wrong(`${at}.quantile`, show(quantile), 'a number from 0 to 1');
    if (error !== undefined && !isShare(error))
      fields.wrong(`${at}.error`, show(error), 'a number from 0 to 1');
    return { quantile: Number(quantile), error: Number(error ?? 0) };
  });
}

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

/** Go's zero value stands for the usual one. */
function positiveDuration(value: unknown): number | undefined {
  const ms = goDurationMs(value);
  if (ms === undefined || ms < 0) return undefined;
  return ms === 0 ? usual.maxAgeMs : ms;
}

function positiveInteger(value: unknown): number | undefined {
  if (value === 0) return usual.ageBuckets;
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : undefined;
}
