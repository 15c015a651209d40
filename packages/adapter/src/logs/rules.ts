/** Rules as functions: what a line of fields adds to which series. */

import type { LogRule } from '@outrigger/core/api';
import { OutriggerError } from '@outrigger/core/errors';
import { compileRegex } from '../regex.ts';
import type { Captures, Regex } from '../regex.ts';
import type { SeriesType } from '../series/series.ts';
import type { Fields } from './fields.ts';

export interface Update {
  readonly labels: readonly string[];
  readonly value: number;
}

/** One metric; its labels' names are fixed, so that their values alone tell its series apart. */
export interface CompiledRule {
  readonly name: string;
  readonly type: SeriesType;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** Histograms only. */
  readonly bounds: readonly number[] | undefined;
  /** Undefined: the line is not for this rule. A string: why it could not be used. */
  readonly update: (line: string, fields: Fields) => Update | BadLine | undefined;
}

export type BadLine = 'bad-number' | 'negative';

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelName = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Throws ADAPTER_BAD_REGEX and CONFIG_INVALID. */
export function compileRule(rule: LogRule, defaultBounds: readonly number[]): CompiledRule {
  const { name, type, help, scale, value: valueField } = rule;
  check(metricName.test(name), name, 'is no name of a metric', 'use letters, digits and _');
  check(type === 'counter' || valueField !== undefined, name, `is a ${type} without value`, 'name a field');
  const entries = Object.entries(rule.labels ?? {});
  for (const [label] of entries) {
    const reserved = type === 'histogram' && label === 'le';
    check(labelName.test(label) && !reserved, label, 'is no name of a label here', 'choose another name');
  }
  const bounds = type === 'histogram' ? (rule.buckets ?? defaultBounds) : undefined;
  const ascends = (bounds ?? []).every((bound, index) => bound > (bounds?.[index - 1] ?? -Infinity));
  check(ascends, name, 'has buckets that do not ascend', 'sort them');
  const regex = rule.match === undefined ? undefined : compileRegex(rule.match);
  const templates = entries.map(([, template]) => compileFieldTemplate(template));
  return {
    name,
    type,
    help: help ?? `Out of log lines${rule.match === undefined ? '' : ` that match ${rule.match}`}.`,
    labelNames: entries.map(([label]) => label),
    bounds,
    update: (line, lineFields) => {
      const fields = regex === undefined ? lineFields : matched(regex, line, lineFields);
      if (fields === undefined) return undefined;
      const value = valueField === undefined ? 1 : numberOf(fields(valueField));
      if (value === undefined) return 'bad-number';
      if (type === 'counter' && value * scale < 0) return 'negative';
      return { labels: templates.map((template) => template(fields)), value: value * scale };
    },
  };
}

/** Groups by their names and numbers, before the fields of the format. */
function matched(regex: Regex, line: string, others: Fields): Fields | undefined {
  const found = regex.find(line);
  if (found === undefined) return undefined;
  return (name) => groupOf(found, name) ?? others(name);
}

function groupOf({ texts, names }: Captures, name: string): string | undefined {
  if (/^\d{1,4}$/.test(name)) return texts[Number(name)];
  return Object.hasOwn(names, name) ? texts[names[name] ?? -1] : undefined;
}

/** `${field}`, whose name may hold dots; a field the line does not have is empty. */
function compileFieldTemplate(template: string): (fields: Fields) => string {
  const parts = template.split(/\$\{([^}]*)\}/);
  return (fields) => parts.map((part, index) => (index % 2 === 0 ? part : (fields(part) ?? ''))).join('');
}

/** A decimal number and nothing else. */
export function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || text.length > 64) return undefined;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : undefined;
}

function check(good: boolean, target: string, what: string, hint: string): void {
  if (good) return;
  throw new OutriggerError(`${target} of a log rule ${what}`, { code: 'CONFIG_INVALID', target, hint });
}
