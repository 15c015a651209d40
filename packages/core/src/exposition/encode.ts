/**
 * Families → lines, in text format 0.0.4 and OpenMetrics 1.0.
 *
 * Both write the same names and label sets; what differs is the head of a family (OpenMetrics names a counter without
 * `_total`, an info without `_info`), `_created`, exemplars, canonical numbers in `le` and `quantile`, and `# EOF`.
 */

import type { Format } from './format.ts';
import type { Exemplar, LabelPairs, MetricFamily, MetricType, Sample } from './model.ts';
import { escapeLabelName, escapeMetricName, isLegacyLabelName, isLegacyMetricName } from './names.ts';
import { boundText, canonicalNumber, readNumber, valueText } from './number.ts';
import type { PageWriter } from './writer.ts';

export type FamilyHead = Pick<MetricFamily, 'name' | 'type' | 'help' | 'unit'>;

const textTypes: Readonly<Record<MetricType, string>> = {
  counter: 'counter',
  gauge: 'gauge',
  histogram: 'histogram',
  gaugehistogram: 'untyped',
  summary: 'summary',
  info: 'gauge',
  stateset: 'gauge',
  unknown: 'untyped',
};

/**
 * The family under the name this scraper takes. What a type adds (`_total`, `_bucket`) is written behind it as it is, so
 * that heads and samples agree under every escaping.
 */
export function escapedFamily<F extends FamilyHead>(family: F, { escaping }: Format): F {
  const name = escapeMetricName(family.name, escaping);
  return name === family.name ? family : { ...family, name };
}

/** The name OpenMetrics gives the family: without the suffix that its type implies. */
export function openMetricsName({ name, type }: Pick<MetricFamily, 'name' | 'type'>): string {
  if (type === 'counter' && name.endsWith('_total')) return name.slice(0, -'_total'.length);
  return type === 'info' && name.endsWith('_info') ? name.slice(0, -'_info'.length) : name;
}

/** HELP and TYPE (and UNIT): before the samples of a family. */
export function writeHead(out: PageWriter, plainFamily: FamilyHead, format: Format): void {
  const family = escapedFamily(plainFamily, format);
  if (format.kind === 'text') {
    const name = headName(family.name);
    const help = family.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
    out.text(`# HELP ${name} ${help}\n# TYPE ${name} ${textTypes[family.type]}\n`);
    return;
  }
  const plain = openMetricsName(family);
  const name = headName(plain);
  const { unit = '' } = family;
  const unitLine = unit !== '' && plain.endsWith(`_${unit}`) ? `# UNIT ${name} ${unit}\n` : '';
  const help = escapeText(family.help);
  out.text(`# TYPE ${name} ${openMetricsType(family)}\n${unitLine}# HELP ${name} ${help}\n`);
}

/** A counter without `_total` and an info without `_info` are nothing OpenMetrics knows. */
function openMetricsType(family: FamilyHead): string {
  const needsSuffix = family.type === 'counter' || family.type === 'info';
  return needsSuffix && openMetricsName(family) === family.name ? 'unknown' : family.type;
}

/** The samples from `from` up to `to`: in parts, so that a long family can be written in several turns. */
export function writeSamples(
  out: PageWriter,
  family: MetricFamily,
  format: Format,
  from = 0,
  to = family.samples.length,
): void {
  const escaped = escapedFamily(family, format);
  for (let i = from; i < to; i++) {
    const sample = escaped.samples[i];
    if (sample !== undefined) writeSample(out, escaped, sample, format);
  }
}

export function writeEnd(out: PageWriter, format: Format): void {
  if (format.kind === 'openmetrics') out.text('# EOF\n');
}

/** Samples that share a name and labels on the page have the same: to find duplicates. */
export function sampleKey(family: MetricFamily, sample: Sample, format: Format): string {
  return nameAndLabels(escapedFamily(family, format), sample, format);
}

function writeSample(out: PageWriter, family: MetricFamily, sample: Sample, format: Format): void {
  const openMetrics = format.kind === 'openmetrics';
  if (sample.suffix === '_created' && !(openMetrics && hasCreated(family))) return;
  out.text(nameAndLabels(family, sample, format));
  const { exemplar } = sample;
  const value = openMetrics && isCount(family, sample) ? Math.round(sample.value) : sample.value;
  if (!openMetrics || exemplar === undefined || !mayHaveExemplar(family, sample)) out.line(value);
  else out.text(`${valueText(value)}${exemplarText(exemplar)}\n`);
}

function hasCreated(family: MetricFamily): boolean {
  switch (family.type) {
    case 'counter':
      return family.name.endsWith('_total');
    case 'histogram':
    case 'summary':
      return true;
    default:
      return false;
  }
}

/** OpenMetrics demands whole numbers here; sampled observations weigh 1/rate, which is none. */
function isCount({ type }: MetricFamily, { suffix }: Sample): boolean {
  switch (suffix) {
    case '_bucket':
      return type === 'histogram' || type === 'gaugehistogram';
    case '_count':
      return type === 'histogram' || type === 'summary';
    default:
      return suffix === '_gcount' && type === 'gaugehistogram';
  }
}

function mayHaveExemplar(family: MetricFamily, sample: Sample): boolean {
  if (sample.suffix === '_bucket') return family.type === 'histogram' || family.type === 'gaugehistogram';
  return family.type === 'counter' && sample.suffix === '' && family.name.endsWith('_total');
}

function exemplarText({ labels, value, timestamp }: Exemplar): string {
  const length = labels.reduce((sum, [name, text]) => sum + [...name].length + [...text].length, 0);
  if (length > 128) return '';
  const inner = labels.map(([name, text]) => `${name}="${escapeText(text)}"`).join(',');
  return ` # {${inner}} ${valueText(value)}${timestamp === undefined ? '' : ` ${valueText(timestamp)}`}`;
}

function nameAndLabels(family: MetricFamily, sample: Sample, format: Format): string {
  const base = sample.suffix === '_created' ? openMetricsName(family) : family.name;
  const plain = base + sample.suffix;
  const quoted = !isLegacyMetricName(plain);
  const name = quoted ? '' : plain;
  let text = quoted ? `"${escapeText(plain)}"` : '';
  for (const pair of sample.labels)
    text += `${text === '' ? '' : ','}${labelText(pair, family.type, sample, format)}`;
  return text === '' ? `${name} ` : `${name}{${text}} `;
}

function labelText(
  [name, value]: LabelPairs[number],
  type: MetricType,
  sample: Sample,
  format: Format,
): string {
  const isBound = name === 'le' && sample.suffix === '_bucket';
  const isQuantile = name === 'quantile' && type === 'summary' && sample.suffix === '';
  const text = isBound || isQuantile ? canonicalBound(value, format) : escapeText(value);
  if (isLegacyLabelName(name) && format.escaping !== 'dots') return `${name}="${text}"`;
  return format.escaping === 'allow-utf-8'
    ? `"${escapeText(name)}"="${text}"`
    : `${escapeLabelName(name, format.escaping)}="${text}"`;
}

function canonicalBound(value: string, format: Format): string {
  const number = readNumber(value);
  if (number === undefined) return escapeText(value);
  return format.kind === 'openmetrics' ? canonicalNumber(number) : boundText(number);
}

function headName(name: string): string {
  return isLegacyMetricName(name) ? name : `"${escapeText(name)}"`;
}

const special = /[\\"\n]/;

/** As in label values and OpenMetrics' help. */
export function escapeText(text: string): string {
  if (!special.test(text)) return text;
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
