/** What a source answered → what the page shows of it: labels added, relabelling rules run. */

import type { MetricsSource } from '@outrigger/core/api';
import { openMetricsName } from '@outrigger/core/exposition';
import type { LabelPairs, MetricFamily, MetricType, Sample, SampleSuffix } from '@outrigger/core/exposition';
import { compileRelabel, metricNameLabel } from '../prometheus/relabel.ts';
import type { Relabel } from '../prometheus/relabel.ts';
import type { Place } from '../sources/source.ts';

export interface Shape {
  /** Whether samples that differed may be alike afterwards. */
  readonly changes: boolean;
  apply(
    families: readonly MetricFamily[],
    giveWay: () => Promise<void> | undefined,
  ): Promise<readonly MetricFamily[]>;
}

const unchanged: Shape = { changes: false, apply: (families) => Promise.resolve(families) };

/** `common`: labels of every collected series. Throws what compiling the rules throws. */
export function shapeOf(
  source: MetricsSource,
  place: Place,
  common: Readonly<Record<string, string>>,
): Shape {
  const { prometheus } = source;
  const label = prometheus?.sourceLabel ?? '';
  const added = new Map<string, string>([
    ...Object.entries(common),
    ...Object.entries(place.labels),
    ...Object.entries(source.labels ?? {}),
    ...(label === '' ? [] : [[label, source.name] as const]),
  ]);
  const rules = source.relabel ?? [];
  if (added.size === 0 && rules.length === 0) return unchanged;
  const relabel = rules.length === 0 ? undefined : compileRelabel(rules);
  const honor = prometheus?.honorLabels ?? true;
  const withAdded = (labels: LabelPairs): LabelPairs => addLabels(labels, added, honor);
  return {
    changes: true,
    apply: async (families, giveWay) => {
      const shaped = new Shaped(withAdded, relabel);
      for (const family of families) {
        for (const [index, sample] of family.samples.entries()) {
          shaped.add(family, sample);
          if (index % 128 === 127) await giveWay();
        }
      }
      return shaped.families();
    },
  };
}

/** The source's own labels win, or step aside as `exported_NAME`, as Prometheus' honor_labels says. */
export function addLabels(
  labels: LabelPairs,
  added: ReadonlyMap<string, string>,
  honor: boolean,
): LabelPairs {
  const own = new Map(labels);
  const result: [string, string][] = [];
  for (const [name, value] of labels) {
    if (honor || !added.has(name)) result.push([name, value]);
    else result.push([exportedName(name, own, added), value]);
  }
  for (const [name, value] of added) if (!honor || !own.has(name)) result.push([name, value]);
  return result;
}

function exportedName(name: string, own: Map<string, string>, added: ReadonlyMap<string, string>): string {
  let exported = `exported_${name}`;
  while (own.has(exported) || added.has(exported)) exported = `exported_${exported}`;
  return exported;
}

/** Families under construction: rules may give a sample another name, and so another family. */
class Shaped {
  readonly #add: (labels: LabelPairs) => LabelPairs;
  readonly #relabel: Relabel | undefined;
  readonly #families = new Map<string, { readonly family: MetricFamily; readonly samples: Sample[] }>();

  constructor(add: (labels: LabelPairs) => LabelPairs, relabel: Relabel | undefined) {
    this.#add = add;
    this.#relabel = relabel;
  }

  add(family: MetricFamily, sample: Sample): void {
    const labels = this.#add(sample.labels);
    if (this.#relabel === undefined) this.#put(family, { ...sample, labels: meant(labels) });
    else this.#relabelled(family, sample, labels, this.#relabel);
  }

  families(): readonly MetricFamily[] {
    return [...this.#families.values()].map(({ family, samples }) => ({ ...family, samples }));
  }

  #relabelled(family: MetricFamily, sample: Sample, labels: LabelPairs, relabel: Relabel): void {
    const whole = baseOf(family, sample.suffix) + sample.suffix;
    const result = relabel([[metricNameLabel, whole], ...labels]);
    if (result === undefined) return;
    const name = result.find(([label]) => label === metricNameLabel)?.[1] ?? '';
    if (name === '') return;
    const kept = meant(result.filter(([label]) => !label.startsWith('__')));
    if (name === whole) this.#put(family, { ...sample, labels: kept });
    else this.#renamed(family, name, { ...sample, labels: kept });
  }

  /** The type stays where the new name ends as the type's samples must; else nothing is known of it. */
  #renamed(family: MetricFamily, name: string, sample: Sample): void {
    const { suffix } = sample;
    const fits = suffix !== '' && name.endsWith(suffix) && name.length > suffix.length;
    const end = fits ? family.name.slice(baseOf(family, suffix).length) : '';
    const base = fits ? name.slice(0, -suffix.length) + end : name;
    const type: MetricType = suffix === '' || fits ? family.type : 'unknown';
    const { help } = family;
    this.#put({ name: base, type, help, samples: [] }, { ...sample, suffix: fits ? suffix : '' });
  }

  #put(family: MetricFamily, sample: Sample): void {
    const known = this.#families.get(family.name);
    if (known === undefined) this.#families.set(family.name, { family, samples: [sample] });
    else known.samples.push(sample);
  }
}

/** What comes before the suffix: `x_created` is of the counter `x_total`. */
function baseOf(family: MetricFamily, suffix: SampleSuffix): string {
  return suffix === '_created' ? openMetricsName(family) : family.name;
}

/** An empty value is no label. */
function meant(labels: LabelPairs): LabelPairs {
  return labels.some(([, value]) => value === '') ? labels.filter(([, value]) => value !== '') : labels;
}
