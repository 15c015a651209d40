/**
 * statsd_exporter's mapping document → rules, or every problem with its place.
 *
 * The fields and what they mean are statsd_exporter's, so that its files work unchanged; unknown fields are problems
 * here as there. Native histograms are accepted and written with classic buckets, which a note says.
 */

import type { Problem } from '@outrigger/core/config';
import { compileRegex } from '../regex.ts';
import { Fields } from './fields.ts';
import { goDurationMs } from './go-duration.ts';
import { observerFieldNames, observerOf, readObserver, refuseOptionsOfOther } from './observers.ts';
import type { ObserverFields } from './observers.ts';
import type { MappingRules, Rule } from './rules.ts';

export type ReadMapping = { readonly rules: MappingRules } | { readonly problems: readonly Problem[] };

const topFields = ['defaults', 'mappings'];
const defaultFields = [...observerFieldNames, 'match_type', 'glob_disable_ordering', 'ttl'];
const ruleFields = [
  ...observerFieldNames,
  ...['match', 'match_type', 'match_metric_type', 'name', 'labels', 'honor_labels', 'help', 'action'],
  ...['ttl', 'scale'],
];

/** Rules beyond this are surely a mistake: each costs memory, and regular expressions are tried one by one. */
export const maxRules = 100_000;

const globPattern = /^(?:\*|[a-zA-Z_][a-zA-Z0-9_-]*)(?:\.(?:\*|[a-zA-Z0-9_][a-zA-Z0-9_-]*))*$/;
const reference = String.raw`\$\{?\d+\}?`;
const namePattern = new RegExp(`^(?:[a-zA-Z_]|${reference})(?:[a-zA-Z0-9_]|${reference})*$`);
const labelPattern = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Whether a document is meant to be a mapping: `outrigger check` takes files of many kinds. */
function looksLikeMapping(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || 'kind' in value) return false;
  const { mappings, defaults } = value as { mappings?: unknown; defaults?: unknown };
  return Array.isArray(mappings) || (defaults !== undefined && Object.keys(value).length === 1);
}

/** For `outrigger check`: every problem of a mapping, or undefined where the document is none. */
export function mappingProblems(value: unknown): readonly Problem[] | undefined {
  if (!looksLikeMapping(value)) return undefined;
  const read = readMapping(value, []);
  return 'problems' in read ? read.problems : [];
}

/** `bounds`: of histograms whose buckets nobody names. */
export function readMapping(value: unknown, bounds: readonly number[]): ReadMapping {
  const problems: Problem[] = [];
  const top = new Fields(value, '', topFields, problems);
  const defaults = readDefaults(top.inside('defaults', defaultFields), bounds);
  const list = top.list('mappings') ?? [];
  if (list.length > maxRules) top.wrong('mappings', `${list.length} rules`, `at most ${maxRules}`);
  const notes: string[] = defaults.own?.isNative === true ? [nativeNote('defaults')] : [];
  const rules = list.slice(0, maxRules).map((item, index) => {
    const fields = new Fields(item, `mappings[${index}]`, ruleFields, problems);
    return readRule(fields, index, defaults, notes);
  });
  if (problems.length > 0) return { problems };
  const { observer, ttlMs, globDisableOrdering } = defaults;
  return { rules: { rules, observer, ttlMs, globDisableOrdering, notes } };
}

interface Defaults {
  readonly own: ObserverFields | undefined;
  readonly observer: Rule['observer'];
  readonly bounds: readonly number[];
  readonly matchType: Rule['matchType'];
  readonly ttlMs: number;
  readonly globDisableOrdering: boolean;
}

function readDefaults(fields: Fields | undefined, bounds: readonly number[]): Defaults {
  const own = fields === undefined ? undefined : readObserver(fields);
  return {
    own,
    observer: observerOf(own ?? nothing, undefined, bounds),
    bounds,
    matchType: fields?.oneOf('match_type', 'glob', 'regex') ?? 'glob',
    ttlMs: fields === undefined ? 0 : readTtl(fields),
    globDisableOrdering: fields?.boolean('glob_disable_ordering') ?? false,
  };
}

const nothing: ObserverFields = {
  type: undefined,
  bounds: undefined,
  quantiles: undefined,
  maxAgeMs: undefined,
  ageBuckets: undefined,
  hasHistogram: false,
  hasSummary: false,
  isNative: false,
};

function readRule(fields: Fields, index: number, defaults: Defaults, notes: string[]): Rule {
  const own = readObserver(fields);
  const observer = observerOf(own, defaults.own, defaults.bounds);
  refuseOptionsOfOther(fields, own, observer.type);
  if (own.isNative) notes.push(nativeNote(fields.path));
  const matchType = fields.oneOf('match_type', 'glob', 'regex') ?? defaults.matchType;
  const kind = fields.oneOf('match_metric_type', 'counter', 'gauge', 'observer', 'timer');
  return {
    index,
    matchType,
    match: readMatch(fields, matchType),
    kind: kind === 'timer' ? 'observer' : kind,
    drop: fields.oneOf('action', 'map', 'drop') === 'drop',
    name: readName(fields),
    labels: readLabels(fields),
    honorLabels: fields.boolean('honor_labels') ?? false,
    help: fields.string('help'),
    observer,
    ttlMs: readTtl(fields) || defaults.ttlMs,
    scale: fields.value('scale', 'a finite number', finite) ?? 1,
  };
}

function readMatch(fields: Fields, matchType: Rule['matchType']): string {
  const match = fields.string('match');
  if (match === undefined) {
    if (!fields.has('match')) fields.wrong('match', 'nothing', 'the names this rule is for');
    return '';
  }
  if (matchType === 'glob') {
    if (!globPattern.test(match)) {
      const want =
        "fields joined by '.', each * or letters, digits, _ and -, the first not beginning with a digit";
      fields.wrong('match', JSON.stringify(match), want);
    }
    return match;
  }
  try {
    compileRegex(match);
  } catch (error) {
    fields.wrong('match', JSON.stringify(match), (error as { hint?: string }).hint ?? 'an expression of RE2');
  }
  return match;
}

/** A rule that drops must be named too, as in statsd_exporter. */
function readName(fields: Fields): string {
  const name = fields.string('name');
  if (name === undefined || name === '') {
    if (name === '' || !fields.has('name')) fields.wrong('name', 'nothing', 'the name of the metric');
    return '';
  }
  if (!namePattern.test(name)) {
    fields.wrong('name', JSON.stringify(name), 'letters, digits, _, $1 or ${1}, not beginning with a digit');
  }
  return name;
}

function readLabels(fields: Fields): Rule['labels'] {
  const labels = fields.texts('labels');
  for (const [name] of labels) {
    if (!labelPattern.test(name) || name.startsWith('__')) {
      fields.wrong(
        `labels.${name}`,
        'this name',
        'letters, digits and _, beginning neither with a digit nor __',
      );
    }
  }
  return labels;
}

function readTtl(fields: Fields): number {
  return (
    fields.value('ttl', 'a duration, such as 30s or 1h', (value) => {
      const ms = goDurationMs(value);
      return ms !== undefined && ms >= 0 ? ms : undefined;
    }) ?? 0
  );
}

function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function nativeNote(path: string): string {
  return `${path}: native histograms are written with classic buckets`;
}
