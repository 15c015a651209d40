/**
 * What becomes of the families of any source before they reach the page: labels are added, relabelling rules run, and
 * samples whose names changed find their families again. A sample at a time, as Prometheus would after scraping.
 */

import type { LabelPairs, MetricFamily, MetricType, Sample, SampleSuffix } from '@outrigger/core/exposition';
import type { Answer } from '../sources/source.ts';
import { LabelKeys } from './labels.ts';
import { metricNameLabel } from './relabel.ts';
import type { Relabel } from './relabel.ts';

export interface Shaping {
  readonly labels: Readonly<Record<string, string>>;
  /** The sample's own labels win over those added; else they become `exported_NAME`. */
  readonly honorLabels: boolean;
  readonly relabel?: Relabel | undefined;
}

interface Shaped {
  readonly family: MetricFamily;
  readonly samples: Sample[];
  readonly seen: Set<string>;
  readonly keys: LabelKeys;
}

type Count = (reason: string) => void;

/** Adds to `dropped` of the answer: relabelled-away, no-name, type-conflict, duplicate. */
export function shapeAnswer(answer: Answer, { labels, honorLabels, relabel }: Shaping): Answer {
  const added = Object.entries(labels).filter(([, value]) => value !== '');
  if (added.length === 0 && relabel === undefined) return answer;
  const dropped: Record<string, number> = { ...answer.dropped };
  const families = new Map<string, Shaped>();
  const count: Count = (reason) => {
    dropped[reason] = (dropped[reason] ?? 0) + 1;
  };
  for (const family of answer.families) {
    for (const sample of family.samples) {
      const merged = withLabels(sample.labels, added, honorLabels);
      place(
        families,
        family,
        relabel === undefined
          ? { ...sample, labels: merged }
          : renamed(family, sample, merged, relabel, count),
        count,
      );
    }
  }
  const shaped = [...families.values()].map(({ family, samples }) => ({ ...family, samples }));
  return { families: shaped, dropped };
}

function withLabels(own: LabelPairs, added: LabelPairs, honorLabels: boolean): LabelPairs {
  const result = new Map(own);
  for (const [name, value] of added) {
    const conflict = result.get(name);
    if (conflict !== undefined && honorLabels) continue;
    if (conflict !== undefined) result.set(freeName(result, `exported_${name}`), conflict);
    result.set(name, value);
  }
  return [...result];
}

function freeName(labels: ReadonlyMap<string, string>, wanted: string): string {
  return labels.has(wanted) ? freeName(labels, `exported_${wanted}`) : wanted;
}

interface Renamed extends Sample {
  /** Of the family it belongs to now, where that changed. */
  readonly moved?: string;
  readonly type?: MetricType;
}

function renamed(
  family: MetricFamily,
  sample: Sample,
  labels: LabelPairs,
  relabel: Relabel,
  count: Count,
): Renamed | undefined {
  const name = sampleName(family, sample.suffix);
  const result = relabel([[metricNameLabel, name], ...labels]);
  if (result === undefined) {
    count('relabelled-away');
    return undefined;
  }
  const now = result.find(([label]) => label === metricNameLabel)?.[1];
  if (now === undefined) {
    count('no-name');
    return undefined;
  }
  // Those beginning with __ were for the rules; on a page they would be an error.
  const kept = { ...sample, labels: result.filter(([label]) => !label.startsWith('__')) };
  if (now === name) return kept;
  const base = baseName(family, sample.suffix, now);
  return base === undefined ? { ...kept, suffix: '', moved: now, type: 'unknown' } : { ...kept, moved: base };
}

/** As text format 0.0.4 writes it. */
function sampleName(family: MetricFamily, suffix: SampleSuffix): string {
  if (suffix === '_created' && family.type === 'counter') return family.name.replace(/_total$/, '') + suffix;
  return family.name + suffix;
}

/** The family that a sample of this name and suffix belongs to; undefined if the name lost its suffix. */
function baseName(family: MetricFamily, suffix: SampleSuffix, name: string): string | undefined {
  if (!name.endsWith(suffix) || name === suffix) return undefined;
  const base = name.slice(0, name.length - suffix.length);
  const isTotal = suffix === '_created' && family.type === 'counter' && family.name.endsWith('_total');
  return isTotal ? `${base}_total` : base;
}

function place(
  families: Map<string, Shaped>,
  from: MetricFamily,
  sample: Renamed | undefined,
  count: Count,
): void {
  if (sample === undefined) return;
  const { moved, type, ...plain } = sample;
  const name = moved ?? from.name;
  let shaped = families.get(name);
  if (shaped === undefined) {
    shaped = { family: described(from, name, type), samples: [], seen: new Set(), keys: new LabelKeys() };
    families.set(name, shaped);
  }
  if (shaped.family.type !== (type ?? from.type)) return count('type-conflict');
  const key = plain.suffix + shaped.keys.key(plain.labels);
  if (shaped.seen.has(key)) return count('duplicate');
  shaped.seen.add(key);
  shaped.samples.push(plain);
}

function described(from: MetricFamily, name: string, type: MetricType | undefined): MetricFamily {
  const family = { name, type: type ?? from.type, help: from.help, samples: [] };
  return from.unit !== undefined && name.includes(from.unit) ? { ...family, unit: from.unit } : family;
}
