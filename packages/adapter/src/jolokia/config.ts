/** jmx_exporter's configuration, read and compiled once: which beans, which attributes, which rules. */

import { any, boolean, integer, list, map, number, object, string } from '@outrigger/core/api';
import type { Infer } from '@outrigger/core/api';
import { OutriggerError } from '@outrigger/core/errors';
import type { MetricType } from '@outrigger/core/exposition';
import { compileRegex } from '../regex.ts';
import type { Regex, Template } from '../regex.ts';
import { readBySchema } from '../sources/document.ts';
import { Problems } from '../sources/problems.ts';
import { compileJavaTemplate } from './java-template.ts';
import { compileObjectNamePattern } from './object-name.ts';
import type { ObjectName, ObjectNameMatcher } from './object-name.ts';

export interface JmxRule {
  /** Absent: every attribute. */
  readonly pattern: Regex | undefined;
  /** Absent: the default name. */
  readonly name: Template | undefined;
  readonly value: Template | undefined;
  readonly valueFactor: number;
  readonly help: Template | undefined;
  readonly labels: readonly (readonly [name: Template, value: Template])[];
  readonly type: MetricType;
  readonly attrNameSnakeCase: boolean;
  readonly cache: boolean;
}

export interface JmxConfig {
  readonly startDelayMs: number;
  readonly lowercaseOutputName: boolean;
  readonly lowercaseOutputLabelNames: boolean;
  /** Names and patterns to ask for. */
  readonly include: readonly string[];
  readonly excludes: boolean;
  readonly isExcluded: ObjectNameMatcher;
  readonly isAttributeTaken: (bean: ObjectName, attribute: string) => boolean;
  readonly rules: readonly JmxRule[];
}

const names = (): ReturnType<typeof list<string>> => list(string(), 'Object names or patterns');
const attributes = (): ReturnType<typeof map<string[]>> => map(list(string()), 'Object name → attributes');

const rule = object(
  {
    pattern: string('Regular expression found in DOMAIN<KEY=VALUE, …><PATH, …>ATTRIBUTE: VALUE'),
    name: string('Name of the metric; the default name if absent'),
    value: string('Its value; that of the attribute if absent'),
    valueFactor: number('The value is multiplied by it', { default: 1 }),
    labels: map(string(), 'Label → value'),
    help: string('Help text'),
    type: string('Type of the metric', {
      enum: ['GAUGE', 'COUNTER', 'UNTYPED', 'UNKNOWN'],
      default: 'UNKNOWN',
    }),
    cache: boolean('Remember what the pattern found for a bean', { default: false }),
    attrNameSnakeCase: boolean('Attribute names in snake case', { default: false }),
  },
  { required: ['valueFactor', 'type', 'cache', 'attrNameSnakeCase'] },
);
type RuleSpec = Infer<typeof rule>;

const config = object(
  {
    startDelaySeconds: integer('Nothing is asked for so long after the start', { default: 0 }),
    lowercaseOutputName: boolean(undefined, { default: false }),
    lowercaseOutputLabelNames: boolean(undefined, { default: false }),
    includeObjectNames: names(),
    whitelistObjectNames: names(),
    excludeObjectNames: names(),
    blacklistObjectNames: names(),
    includeObjectNameAttributes: attributes(),
    excludeObjectNameAttributes: attributes(),
    autoExcludeObjectNameAttributes: boolean(),
    inferCounterTypeFromName: boolean(),
    rules: list(rule, 'The first that matches decides'),
    // What has no effect here: its own caching, and how it reaches the JVM and is reached.
    cacheRules: boolean(),
    hostPort: string(),
    jmxUrl: string(),
    ssl: any(),
    username: string(),
    password: any(),
    httpServer: any(),
  },
  { required: ['startDelaySeconds', 'lowercaseOutputName', 'lowercaseOutputLabelNames'] },
);

/** Throws InvalidConfig, CONFIG_INVALID, ADAPTER_BAD_REGEX. */
export function readJmxConfig(document: unknown): JmxConfig {
  const spec = readBySchema(config, document);
  const include = [...(spec.includeObjectNames ?? spec.whitelistObjectNames ?? [])];
  const exclude = spec.excludeObjectNames ?? spec.blacklistObjectNames ?? [];
  for (const [index, pattern] of include.entries()) matcherOf(pattern, `includeObjectNames[${index}]`);
  const excluded = exclude.map((pattern, index) => matcherOf(pattern, `excludeObjectNames[${index}]`));
  const problems = new Problems();
  const rules = (spec.rules ?? [{}]).flatMap((one, index) => {
    const where = `rules[${index}]`;
    return problems.attempt(where, () => compileRule({ ...ruleDefaults, ...one }, where)) ?? [];
  });
  problems.refuse();
  return {
    startDelayMs: spec.startDelaySeconds * 1000,
    lowercaseOutputName: spec.lowercaseOutputName,
    lowercaseOutputLabelNames: spec.lowercaseOutputLabelNames,
    include: include.length === 0 ? ['*:*'] : include,
    excludes: exclude.length > 0,
    isExcluded: (name) => excluded.some((matches) => matches(name)),
    isAttributeTaken: attributeFilter(spec.includeObjectNameAttributes, spec.excludeObjectNameAttributes),
    rules,
  };
}

const ruleDefaults = { valueFactor: 1, type: 'UNKNOWN', cache: false, attrNameSnakeCase: false } as const;

function compileRule(spec: RuleSpec, where: string): JmxRule {
  const labels = Object.entries(spec.labels ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (spec.name === undefined && (labels.length > 0 || spec.help !== undefined)) {
    throw invalid(`${where}.name`, 'a rule with help or labels needs a name', 'give it one');
  }
  if (spec.pattern === undefined && (spec.name !== undefined || spec.value !== undefined)) {
    throw invalid(
      `${where}.pattern`,
      'a rule with a name or value needs a pattern',
      'give it one, such as .*',
    );
  }
  // Greedy on both sides, as jmx_exporter has it: it decides what groups that could stand elsewhere hold.
  const pattern = spec.pattern === undefined ? undefined : compileRegex(`^.*(?:${spec.pattern}).*$`);
  const template = (text: string, field: string): Template =>
    compileJavaTemplate(text, pattern, `${where}.${field}`);
  const optional = (text: string | undefined, field: string): Template | undefined =>
    text === undefined || text === '' ? undefined : template(text, field);
  return {
    pattern,
    name: spec.name === undefined ? undefined : template(spec.name, 'name'),
    value: optional(spec.value, 'value'),
    valueFactor: spec.valueFactor,
    help: optional(spec.help, 'help'),
    labels: labels.map(([name, value]) => [template(name, 'labels'), template(value, `labels[${name}]`)]),
    type: typeOf(spec.type),
    attrNameSnakeCase: spec.attrNameSnakeCase,
    cache: spec.cache,
  };
}

function typeOf(type: RuleSpec['type']): MetricType {
  if (type === 'GAUGE') return 'gauge';
  return type === 'COUNTER' ? 'counter' : 'unknown';
}

type AttributeLists = Readonly<Record<string, readonly string[]>> | undefined;

function attributeFilter(include: AttributeLists, exclude: AttributeLists): JmxConfig['isAttributeTaken'] {
  const compiled = (lists: AttributeLists, field: string): [ObjectNameMatcher, ReadonlySet<string>][] =>
    Object.entries(lists ?? {}).map(([pattern, listed]) => [
      matcherOf(pattern, `${field}[${pattern}]`),
      new Set(listed),
    ]);
  const included = compiled(include, 'includeObjectNameAttributes');
  const excluded = compiled(exclude, 'excludeObjectNameAttributes');
  return (bean, attribute) => {
    if (excluded.some(([matches, listed]) => listed.has(attribute) && matches(bean))) return false;
    const lists = included.filter(([matches]) => matches(bean));
    return lists.length === 0 || lists.some(([, listed]) => listed.has(attribute));
  };
}

function matcherOf(pattern: string, where: string): ObjectNameMatcher {
  const matcher = compileObjectNamePattern(pattern);
  if (matcher !== undefined) return matcher;
  throw invalid(where, `${JSON.stringify(pattern)} is no object name`, 'write it as DOMAIN:KEY=VALUE,*');
}

function invalid(target: string, message: string, hint: string): OutriggerError {
  return new OutriggerError(`${target}: ${message}`, { code: 'CONFIG_INVALID', target, hint });
}
