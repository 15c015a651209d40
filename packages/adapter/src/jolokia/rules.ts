/** One value of a bean → its sample: the first rule whose pattern matches decides. */

import type { LabelPairs, MetricType } from '@outrigger/core/exposition';
import { numberOf } from '../prometheus/line.ts';
import type { Captures } from '../regex.ts';
import type { JmxConfig, JmxRule } from './config.ts';
import type { AttributeValue, PlainValue } from './values.ts';

export interface JmxSample {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly labels: LabelPairs;
  readonly value: number;
}

/** Names remembered by one rule with `cache`; beyond it they are matched each time. */
const maxRemembered = 20_000;

/** Keeps what rules with `cache` found; one for as long as its configuration holds. */
export class JmxRules {
  readonly #config: JmxConfig;
  readonly #remembered = new Map<JmxRule, Map<string, Captures | undefined>>();

  constructor(config: JmxConfig) {
    this.#config = config;
  }

  /** Undefined where no rule takes it, or what it takes is no number. */
  sample(domain: string, of: AttributeValue): JmxSample | undefined {
    const pairs = of.properties.map(([key, value]) => `${key}=${value}`).join(', ');
    const bean = `${domain}<${pairs}><${of.path.join(', ')}>`;
    for (const rule of this.#config.rules) {
      const attribute = rule.attrNameSnakeCase ? snakeCase(of.name) : of.name;
      const captures = this.#match(rule, `${bean}${attribute}`, of.value);
      if (captures === undefined) continue;
      const value = valueOf(rule, of.value, captures);
      if (value === undefined) return undefined;
      const help = rule.help?.(captures) ?? `JMX attribute ${bean}${of.name}`;
      const { name, labels } =
        rule.name === undefined
          ? this.#defaultName(domain, of, attribute)
          : this.#named(rule, rule.name(captures), captures);
      return name === ''
        ? undefined
        : { name: typedName(name, rule.type), type: rule.type, help, labels, value };
    }
    return undefined;
  }

  #match(rule: JmxRule, name: string, value: PlainValue): Captures | undefined {
    if (rule.pattern === undefined) return noCaptures;
    if (!rule.cache) return rule.pattern.find(`${name}: ${value}`);
    const known = this.#remembered.get(rule) ?? new Map<string, Captures | undefined>();
    this.#remembered.set(rule, known);
    if (known.has(name)) return known.get(name);
    const captures = rule.pattern.find(`${name}: ${value}`);
    if (known.size < maxRemembered) known.set(name, captures);
    return captures;
  }

  /** Domain, value of the first property, path, attribute; the other properties are labels. */
  #defaultName(domain: string, of: AttributeValue, attribute: string): { name: string; labels: LabelPairs } {
    const [first, ...others] = of.properties;
    const parts = [domain, ...(first === undefined ? [] : [first[1]]), ...of.path, attribute];
    return { name: this.#outputName(parts.join('_')), labels: this.#labels(others) };
  }

  #named(rule: JmxRule, name: string, captures: Captures): { name: string; labels: LabelPairs } {
    const labels = rule.labels.map(([label, value]) => [label(captures), value(captures)] as const);
    return { name: this.#outputName(name), labels: this.#labels(labels) };
  }

  #outputName(name: string): string {
    const safe = safeName(name);
    return this.#config.lowercaseOutputName ? safe.toLowerCase() : safe;
  }

  /** The last of two with one name; empty ones are none. */
  #labels(pairs: LabelPairs): LabelPairs {
    const labels = new Map<string, string>();
    for (const [unsafe, value] of pairs) {
      const safe = safeName(unsafe);
      const name = this.#config.lowercaseOutputLabelNames ? safe.toLowerCase() : safe;
      if (name !== '' && value !== '') labels.set(name, value);
    }
    return [...labels];
  }
}

const noCaptures: Captures = { texts: [], names: {} };

function valueOf(rule: JmxRule, value: PlainValue, captures: Captures): number | undefined {
  if (rule.value !== undefined) {
    const number = numberOf(rule.value(captures).trim());
    return number === undefined ? undefined : number * rule.valueFactor;
  }
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'number' ? value * rule.valueFactor : undefined;
}

/** What Prometheus does not take becomes an underscore, and several of them one. */
function safeName(name: string): string {
  const safe = name.replace(/[^a-zA-Z0-9:_]/g, '_').replace(/_{2,}/g, '_');
  return /^\d/.test(safe) ? `_${safe}` : safe;
}

/** As the exporter's client library writes counters. */
function typedName(name: string, type: MetricType): string {
  return type === 'counter' && !name.endsWith('_total') ? `${name}_total` : name;
}

function snakeCase(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
}
