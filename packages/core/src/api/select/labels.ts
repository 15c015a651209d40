/**
 * Label selectors, compiled: `app=web,tier in (a,b),!canary` and the object form
 * `{matchLabels, matchExpressions}`. A selector is a list of requirements that all must hold.
 */

import { labelValue, qualifiedName } from '../names.ts';
import { ApiError } from '../status.ts';
import { LabelParser } from './label-parser.ts';

export type Labels = Readonly<Record<string, string>>;

export type Operator = 'in' | 'notin' | 'exists' | 'absent' | 'gt' | 'lt';

export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

/** The object form, as in NetworkPolicies and ReplicaSets. */
export interface LabelSelectorObject {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

export class LabelSelector {
  readonly requirements: readonly Requirement[];
  readonly #tests: readonly ((labels: Labels) => boolean)[];

  constructor(requirements: readonly Requirement[]) {
    this.requirements = requirements;
    this.#tests = requirements.map(compile);
  }

  /** Selects every object. */
  get empty(): boolean {
    return this.requirements.length === 0;
  }

  matches(labels: Labels | undefined): boolean {
    const present = labels ?? none;
    return this.#tests.every((test) => test(present));
  }

  /** The string form, which parses to an equal selector. */
  toString(): string {
    return this.requirements.map(requirementText).join(',');
  }
}

/** The selector of `labelSelector=…`; `''` selects everything. Throws ApiError (400) in Kubernetes' words. */
export function parseLabelSelector(text: string): LabelSelector {
  const requirements = new LabelParser(text).parse();
  for (const requirement of requirements) {
    const problem = requirementProblem(requirement);
    if (problem !== undefined) throw ApiError.badRequest(`unable to parse requirement: ${problem}`);
  }
  return new LabelSelector(requirements);
}

/** Every label as an equality: a Service's `spec.selector`. An empty set selects everything. */
export function selectorOfLabels(labels: Labels): LabelSelector {
  return new LabelSelector(
    Object.entries(labels).map(([key, value]) => ({ key, operator: 'in', values: [value] })),
  );
}

/** The object form; `{}` selects everything. Throws ApiError (400). */
export function selectorOfObject(selector: LabelSelectorObject): LabelSelector {
  const equalities = selectorOfLabels(selector.matchLabels ?? {}).requirements;
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values }): Requirement => {
    const known = objectOperators.get(operator);
    if (known === undefined)
      throw ApiError.badRequest(`${JSON.stringify(operator)} is not a valid label selector operator`);
    return { key, operator: known, values: values ?? [] };
  });
  const requirements = [...equalities, ...expressions];
  for (const requirement of requirements) {
    const problem = requirementProblem(requirement);
    if (problem !== undefined) throw ApiError.badRequest(problem);
  }
  return new LabelSelector(requirements);
}

const none: Labels = Object.freeze({});

const objectOperators: ReadonlyMap<string, Operator> = new Map([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', 'absent'],
]);

function requirementProblem({ key, operator, values }: Requirement): string | undefined {
  const [keyProblem] = qualifiedName(key);
  if (keyProblem !== undefined) return `key: Invalid value: ${JSON.stringify(key)}: ${keyProblem}`;
  if ((operator === 'in' || operator === 'notin') && values.length === 0) {
    return "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty";
  }
  if ((operator === 'exists' || operator === 'absent') && values.length > 0) {
    return `values: Invalid value: ${JSON.stringify(values)}: values set must be empty for exists and does not exist`;
  }
  if ((operator === 'gt' || operator === 'lt') && integerOf(values[0] ?? '') === undefined) {
    return `values[0]: Invalid value: ${JSON.stringify(values[0])}: for 'Gt', 'Lt' operators, the value must be an integer`;
  }
  for (const [index, value] of values.entries()) {
    const [problem] = labelValue(value);
    if (problem !== undefined)
      return `values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${problem}`;
  }
  return undefined;
}

function compile({ key, operator, values }: Requirement): (labels: Labels) => boolean {
  const set = new Set(values);
  const read = (labels: Labels): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  switch (operator) {
    case 'in':
      return (labels) => {
        const value = read(labels);
        return value !== undefined && set.has(value);
      };
    case 'notin':
      return (labels) => {
        const value = read(labels);
        return value === undefined || !set.has(value);
      };
    case 'exists':
      return (labels) => read(labels) !== undefined;
    case 'absent':
      return (labels) => read(labels) === undefined;
    case 'gt':
      return comparison(read, values, (value, bound) => value > bound);
    case 'lt':
      return comparison(read, values, (value, bound) => value < bound);
  }
}

function comparison(
  read: (labels: Labels) => string | undefined,
  values: readonly string[],
  holds: (value: bigint, bound: bigint) => boolean,
): (labels: Labels) => boolean {
  const bound = integerOf(values[0] ?? '');
  return (labels) => {
    const value = integerOf(read(labels) ?? '');
    return value !== undefined && bound !== undefined && holds(value, bound);
  };
}

/** A 64-bit integer, as Go reads it. */
function integerOf(text: string): bigint | undefined {
  if (!/^[+-]?\d{1,19}$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function requirementText({ key, operator, values }: Requirement): string {
  const [first = ''] = values;
  switch (operator) {
    case 'in':
      return values.length === 1 ? `${key}=${first}` : `${key} in (${values.join(',')})`;
    case 'notin':
      return values.length === 1 ? `${key}!=${first}` : `${key} notin (${values.join(',')})`;
    case 'exists':
      return key;
    case 'absent':
      return `!${key}`;
    case 'gt':
      return `${key}>${first}`;
    case 'lt':
      return `${key}<${first}`;
  }
}
