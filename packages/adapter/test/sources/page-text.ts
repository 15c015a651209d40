/** Samples of a page in text format 0.0.4 and of families, as comparable maps: `name{a="b"}` → value. */

import type { MetricFamily } from '@outrigger/core/exposition';

export function samplesOfText(page: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of page.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const space = line.lastIndexOf(' ');
    const [, name = '', labels = ''] = /^([^{]+)(?:\{(.*)\})?$/.exec(line.slice(0, space)) ?? [];
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
    samples.set(
      keyOf(
        name,
        pairs.map(([, label = '', value = '']) => [label, value]),
      ),
      Number(line.slice(space + 1).replace('Inf', 'Infinity')),
    );
  }
  return samples;
}

export function samplesOf(families: readonly MetricFamily[]): Map<string, number> {
  const samples = new Map<string, number>();
  for (const { name, samples: all } of families) {
    for (const { suffix, labels, value } of all) {
      const key = keyOf(name + suffix, labels);
      if (samples.has(key)) throw new Error(`twice: ${key}`);
      samples.set(key, value);
    }
  }
  return samples;
}

function keyOf(name: string, labels: readonly (readonly [string, string])[]): string {
  if (labels.length === 0) return name;
  const sorted = [...labels].sort(([a], [b]) => (a < b ? -1 : 1));
  return `${name}{${sorted.map(([label, value]) => `${label}="${value}"`).join(',')}}`;
}

/** Type per family name of a page. */
export function typesOfText(page: string): Map<string, string> {
  return new Map(
    [...page.matchAll(/^# TYPE (\S+) (\w+)$/gm)].map(([, name = '', type = '']) => [name, type]),
  );
}
