/** Merges flag > environment > document > default into one frozen configuration, or reports every problem at once. */

import type { FieldError, ObjectSchema, Schema } from '../api/schema.ts';
import { OutriggerError } from '../errors/index.ts';
import { flagsOf } from './flags.ts';
import type { Flag } from './flags.ts';

export interface Problem {
  /** `--listen`, `OUTRIGGER_LISTEN`, or `FILE: spec.path`. */
  readonly path: string;
  readonly got: string;
  readonly want: string;
}

/** Undefined when the value is good, otherwise what is wanted instead. Parsers may throw: their hint is the want. */
export type Check = (value: unknown) => string | undefined | void;

export interface ConfigSource {
  /** Name for messages: the file. */
  readonly name: string;
  readonly document: Readonly<Record<string, unknown>>;
}

export interface LoadOptions {
  readonly schema: ObjectSchema;
  /** Arguments after the subcommand; parsing stops at `--`. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly source?: ConfigSource;
  /** Further checks by field: addresses, targets, durations. Lists are checked item by item. */
  readonly checks?: Readonly<Record<string, Check>>;
  /** Validates the document's structure by the schema: unknown fields, types, nested values. */
  readonly validateDocument?: (document: Readonly<Record<string, unknown>>) => Problem[];
}

export interface Loaded {
  readonly values: Readonly<Record<string, unknown>>;
  /** What stood after `--`. */
  readonly rest: readonly string[];
}

export class InvalidConfig extends OutriggerError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(describeProblem).join('\n'), { code: 'CONFIG_INVALID', hint: 'see --help' });
    this.problems = problems;
  }
}

/** Throws InvalidConfig when the rules of a kind found anything. */
export function refuseInvalid(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw new InvalidConfig(errors.map(problemOf));
}

/** Kubernetes' wording (`Invalid value: "x": must be …`, `Required value: …`) as path, got and want. */
function problemOf({ field, message }: FieldError): Problem {
  const path = field.replace(/^\./, '');
  const missing = /^Required value(?:: (.*))?$/s.exec(message);
  if (missing !== null) return { path, got: 'nothing', want: missing[1] ?? 'a value' };
  const unwanted = /^Forbidden: (.*)$/s.exec(message);
  if (unwanted !== null) return { path, got: 'a value', want: `none: it ${unwanted[1]}` };
  const [, got, want] =
    /^(?:Invalid|Unsupported|Duplicate) value: ("(?:[^"\\]|\\.)*"|[^:]*)(?:: (.*))?$/s.exec(message) ?? [];
  return { path, got: got ?? message, want: want ?? 'another value' };
}

export function describeProblem(problem: Problem): string {
  return `${problem.path}: got ${problem.got}, want ${problem.want}`;
}

/** Throws InvalidConfig with all problems. */
export function loadConfig(options: LoadOptions): Loaded {
  const flags = flagsOf(options.schema);
  const problems: Problem[] = [];
  const values = defaultsOf(options.schema);
  if (options.source !== undefined) readSource(options, values, problems);
  readEnvironment(flags, options, values, problems);
  const rest = readArguments(flags, options, values, problems);
  if (problems.length > 0) throw new InvalidConfig(problems);
  return { values: Object.freeze(values), rest };
}

function defaultsOf(schema: ObjectSchema): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [field, fieldSchema] of Object.entries(schema.fields)) {
    if (fieldSchema.default !== undefined) values[field] = structuredClone(fieldSchema.default);
  }
  return values;
}

function readSource(options: LoadOptions, values: Record<string, unknown>, problems: Problem[]): void {
  const { source, schema, checks = {} } = options;
  if (source === undefined) return;
  const found = options.validateDocument?.(source.document) ?? [];
  for (const field of Object.keys(source.document)) {
    const value = source.document[field];
    const fieldSchema = schema.fields[field];
    if (fieldSchema === undefined) {
      found.push({
        path: field,
        got: 'an unknown field',
        want: `one of ${Object.keys(schema.fields).join(', ')}`,
      });
      continue;
    }
    for (const item of Array.isArray(value) ? value : [value]) {
      const want = failedCheck(checks[field], item);
      if (want !== undefined) found.push({ path: field, got: JSON.stringify(item), want });
    }
    values[field] = value;
  }
  problems.push(...found.map((problem) => ({ ...problem, path: `${source.name}: ${problem.path}` })));
}

function readEnvironment(
  flags: readonly Flag[],
  options: LoadOptions,
  values: Record<string, unknown>,
  problems: Problem[],
): void {
  for (const flag of flags) {
    const text = flag.environment === undefined ? undefined : options.environment[flag.environment];
    if (flag.environment === undefined || text === undefined || text === '') continue;
    const texts = flag.repeatable ? text.split(/\s+/).filter((part) => part !== '') : [text];
    setFlag(flag, texts, flag.environment, options, values, problems);
  }
}

/** `--name value`, `--name=value`, `--flag` and `--no-flag` for booleans. Returns what follows `--`. */
function readArguments(
  flags: readonly Flag[],
  options: LoadOptions,
  values: Record<string, unknown>,
  problems: Problem[],
): readonly string[] {
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const given = new Map<Flag, string[]>();
  const { args } = options;
  const end = args.indexOf('--');
  const own = end === -1 ? args : args.slice(0, end);
  for (let i = 0; i < own.length; i++) {
    const argument = own[i] ?? '';
    const [name = '', inline] = splitArgument(argument);
    const flag = byName.get(name) ?? byName.get(name.replace(/^no-/, ''));
    if (!argument.startsWith('--') || flag === undefined) {
      problems.push({
        path: argument,
        got: 'an argument nobody reads',
        want: nearest(name, [...byName.keys()]),
      });
      continue;
    }
    const takesNext = flag.schema.type !== 'boolean' && inline === undefined;
    const value = takesNext ? own[++i] : (inline ?? String(name === flag.name));
    if (value === undefined) problems.push({ path: argument, got: 'no value', want: 'a value after it' });
    else given.set(flag, flag.repeatable ? [...(given.get(flag) ?? []), value] : [value]);
  }
  for (const [flag, texts] of given) setFlag(flag, texts, `--${flag.name}`, options, values, problems);
  return end === -1 ? [] : args.slice(end + 1);
}

function splitArgument(argument: string): [string, string | undefined] {
  const body = argument.replace(/^--/, '');
  const equals = body.indexOf('=');
  return equals === -1 ? [body, undefined] : [body.slice(0, equals), body.slice(equals + 1)];
}

function setFlag(
  flag: Flag,
  texts: readonly string[],
  path: string,
  options: LoadOptions,
  values: Record<string, unknown>,
  problems: Problem[],
): void {
  const itemSchema = flag.schema.type === 'list' ? flag.schema.items : flag.schema;
  const converted = texts.map((text) => {
    const value = convert(itemSchema, text);
    const want = value.want ?? failedCheck(options.checks?.[flag.field], value.value);
    if (want !== undefined) problems.push({ path, got: JSON.stringify(text), want });
    return value.value;
  });
  values[flag.field] = flag.repeatable ? converted : converted[0];
}

function convert(schema: Schema, text: string): { value: unknown; want?: string } {
  switch (schema.type) {
    case 'boolean':
      return text === 'true' || text === 'false'
        ? { value: text === 'true' }
        : { value: text, want: 'true or false' };
    case 'integer':
    case 'number':
      return number(schema, text);
    case 'string':
      if (schema.enum === undefined || schema.enum.includes(text)) return { value: text };
      return { value: text, want: `one of ${schema.enum.join(', ')}` };
    default:
      return { value: text };
  }
}

function number(
  schema: { type: 'integer' | 'number'; minimum?: number; maximum?: number },
  text: string,
): { value: unknown; want?: string } {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const low = schema.minimum ?? Number.NEGATIVE_INFINITY;
  const high = schema.maximum ?? Number.POSITIVE_INFINITY;
  const fits = schema.type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (fits && value >= low && value <= high) return { value };
  return { value, want: `${schema.type === 'integer' ? 'an integer' : 'a number'} from ${low} to ${high}` };
}

function failedCheck(check: Check | undefined, value: unknown): string | undefined {
  if (check === undefined || value === undefined) return undefined;
  try {
    return check(value) ?? undefined;
  } catch (error) {
    if (error instanceof OutriggerError) return error.hint?.replace(/^want /, '') ?? error.message;
    throw error;
  }
}

/** The known flag that differs least, so that a typing mistake explains itself. */
function nearest(name: string, known: readonly string[]): string {
  let best = '';
  let bestDistance = Math.max(2, name.length / 3);
  for (const candidate of known) {
    const distance = editDistance(name, candidate);
    if (distance <= bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best === '' ? 'a flag from --help' : `--${best} perhaps`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
