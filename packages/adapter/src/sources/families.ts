/** Collects samples into families, in the order in which names and samples come; the second of two alike is left out. */

import type { LabelPairs, MetricFamily, MetricType, Sample, SampleSuffix } from '@outrigger/core/exposition';

interface Growing {
  readonly family: MetricFamily;
  readonly samples: Sample[];
  /** Made with the second sample: most families have one. */
  seen: Set<string> | undefined;
}

export class FamilyBuilder {
  readonly #families = new Map<string, Growing>();

  /** False when the family has such a sample already. */
  add(
    family: { readonly name: string; readonly type: MetricType; readonly help: string },
    value: number,
    labels: LabelPairs = [],
    suffix: SampleSuffix = '',
  ): boolean {
    let growing = this.#families.get(family.name);
    if (growing === undefined) {
      const samples: Sample[] = [];
      const { name, type, help } = family;
      growing = { family: { name, type, help, samples }, samples, seen: undefined };
      this.#families.set(family.name, growing);
    }
    const [first] = growing.samples;
    if (first !== undefined) {
      const key = keyOf(labels, suffix);
      growing.seen ??= new Set([keyOf(first.labels, first.suffix)]);
      if (growing.seen.has(key)) return false;
      growing.seen.add(key);
    }
    growing.samples.push({ suffix, labels, value });
    return true;
  }

  families(): MetricFamily[] {
    return [...this.#families.values()].map(({ family }) => family);
  }
}

/** Lengths keep values apart that hold whatever would be written between them. */
function keyOf(labels: LabelPairs, suffix: SampleSuffix): string {
  const [only] = labels;
  if (labels.length === 1 && only !== undefined) return `${suffix}\r${only[0]}=${only[1]}`;
  let key: string = suffix;
  for (const [name, value] of labels) key += `\n${name}=${value.length}:${value}`;
  return key;
}
