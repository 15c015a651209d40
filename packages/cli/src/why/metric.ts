/** An adapter's explanation of a StatsD line, as text. */

import type { LineExplanation, SampleExplanation } from '@outrigger/adapter';

const others: Readonly<Record<string, string>> = {
  event: 'a DogStatsD event, which is only counted',
  'service-check': 'a DogStatsD service check, which is only counted',
  nothing: 'nothing of it is taken',
};

export function renderMetric({ line, is, errors, samples }: LineExplanation): string {
  const what = others[is];
  const lines = [
    what === undefined ? line : `${line}: ${what}`,
    ...samples.flatMap(renderSample),
    ...(errors.length === 0 ? [] : [`  errors   ${errors.join(', ')}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function renderSample(sample: SampleExplanation): string[] {
  const { rule, series, labels, type, values, weight, relative, ttlSeconds, result } = sample;
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const each = weight === 1 ? '' : `, each for ${Number(weight.toPrecision(6))}`;
  const kept = ttlSeconds === 0 ? '' : `, forgotten ${ttlSeconds} s after the last`;
  return [
    `  rule     ${rule === null ? 'none' : `mappings[${rule.index}] ${rule.matchType} ${rule.match} (${rule.action})`}`,
    ...(series === null
      ? []
      : [`  series   ${series}${pairs.length === 0 ? '' : `{${pairs.join(', ')}}`} (${type}${kept})`]),
    `  value    ${values.join(', ')}${relative ? ' (added to the gauge)' : ''}${each}`,
    `  result   ${result}`,
  ];
}
