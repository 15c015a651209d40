/** Prometheus' metric_relabel_configs: rules compiled once, then run on label sets, the metric's name among them. */

import { createHash } from 'node:crypto';
import type { LabelPairs } from '@outrigger/core/exposition';
import type { RelabelRule } from '@outrigger/core/api';
import { OutriggerError } from '@outrigger/core/errors';
import { compileRegex, compileTemplate } from '../regex.ts';
import type { Captures, Regex } from '../regex.ts';

/** With `__name__`; undefined: the sample is dropped. Labels beginning with `__` otherwise serve the rules alone. */
export type Relabel = (labels: LabelPairs) => LabelPairs | undefined;

type Labels = Map<string, string>;
/** True: the sample is dropped. */
type Step = (labels: Labels) => boolean;

export const metricNameLabel = '__name__';

/** Throws ADAPTER_BAD_REGEX, CONFIG_INVALID. */
export function compileRelabel(rules: readonly RelabelRule[]): Relabel {
  const steps = rules.map((rule, index) => compileRule(rule, `relabel[${index}]`));
  return (pairs) => {
    const labels: Labels = new Map(pairs);
    for (const step of steps) if (step(labels)) return undefined;
    return [...labels];
  };
}

function compileRule(rule: RelabelRule, where: string): Step {
  switch (rule.action) {
    case 'replace':
      return replace(rule, where);
    case 'keep':
    case 'drop': {
      const matches = remembered(anchored(rule));
      const kept = rule.action === 'keep';
      return (labels) => (matches(joined(rule, labels)) !== undefined) !== kept;
    }
    case 'keepequal':
    case 'dropequal': {
      const target = targetOf(rule, where);
      const kept = rule.action === 'keepequal';
      return (labels) => (joined(rule, labels) === (labels.get(target) ?? '')) !== kept;
    }
    case 'hashmod':
      return hashmod(rule, where);
    case 'lowercase':
    case 'uppercase':
      return changeCase(rule, where);
    case 'labelmap':
      return labelmap(rule);
    case 'labeldrop':
    case 'labelkeep': {
      const matches = remembered(anchored(rule));
      const kept = rule.action === 'labelkeep';
      return always((labels) => {
        for (const name of [...labels.keys()])
          if ((matches(name) !== undefined) !== kept) labels.delete(name);
      });
    }
  }
}

function replace(rule: RelabelRule, where: string): Step {
  const matches = remembered(anchored(rule));
  const target = compileTemplate(targetOf(rule, where));
  const replacement = compileTemplate(rule.replacement);
  return always((labels) => {
    const captures = matches(joined(rule, labels));
    if (captures === undefined) return;
    const name = target(captures);
    if (name !== '') set(labels, name, replacement(captures));
  });
}

function hashmod(rule: RelabelRule, where: string): Step {
  const target = targetOf(rule, where);
  if (rule.modulus === undefined) throw invalid(where, 'hashmod needs modulus', 'give a number of 1 or more');
  const modulus = BigInt(rule.modulus);
  return always((labels) => {
    const digest = createHash('md5').update(joined(rule, labels)).digest();
    set(labels, target, String(digest.readBigUInt64BE(8) % modulus));
  });
}

function changeCase(rule: RelabelRule, where: string): Step {
  const target = targetOf(rule, where);
  const upper = rule.action === 'uppercase';
  return always((labels) => {
    const text = joined(rule, labels);
    set(labels, target, upper ? text.toUpperCase() : text.toLowerCase());
  });
}

function labelmap(rule: RelabelRule): Step {
  const matches = remembered(anchored(rule));
  const replacement = compileTemplate(rule.replacement);
  return always((labels) => {
    for (const [name, value] of [...labels]) {
      const captures = matches(name);
      const mapped = captures === undefined ? '' : replacement(captures);
      if (mapped !== '') set(labels, mapped, value);
    }
  });
}

function joined(rule: RelabelRule, labels: Labels): string {
  const sources = rule.sourceLabels ?? [];
  const [only] = sources;
  if (sources.length === 1 && only !== undefined) return labels.get(only) ?? '';
  return sources.map((name) => labels.get(name) ?? '').join(rule.separator);
}

/** An empty label is none. */
function set(labels: Labels, name: string, value: string): void {
  if (value === '') labels.delete(name);
  else labels.set(name, value);
}

function always(step: (labels: Labels) => void): Step {
  return (labels) => {
    step(labels);
    return false;
  };
}

function targetOf(rule: RelabelRule, where: string): string {
  if (rule.targetLabel !== undefined && rule.targetLabel !== '') return rule.targetLabel;
  throw invalid(where, `${rule.action} needs targetLabel`, 'name the label to write or compare');
}

function anchored(rule: RelabelRule): Regex {
  return compileRegex(rule.regex, { anchored: true });
}

/** Texts remembered by one rule; then it begins anew. Names and label values mostly come again. */
const maxRemembered = 1000;

function remembered(regex: Regex): (text: string) => Captures | undefined {
  if (regex.source === '(.*)' || regex.source === '.*') return (text) => ({ texts: [text, text], names: {} });
  const known = new Map<string, Captures | undefined>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined || known.has(text)) return found;
    if (known.size >= maxRemembered) known.clear();
    const captures = regex.find(text);
    known.set(text, captures);
    return captures;
  };
}

function invalid(target: string, message: string, hint: string): OutriggerError {
  return new OutriggerError(`${target}: ${message}`, { code: 'CONFIG_INVALID', target, hint });
}
