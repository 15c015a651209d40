/**
 * Structural validation: does a value have the shape its schema describes? Defaults need not have been applied: a
 * required field that has a default may be absent. `null` counts as absent everywhere, as for Kubernetes.
 */

import { isRecord } from './record.ts';
import { parseDuration } from './duration.ts';
import { syntaxes } from './names.ts';
import {
  child,
  invalid,
  invalidBy,
  item,
  notSupported,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from './problems.ts';
import type {
  FieldError,
  IntegerSchema,
  ListSchema,
  MapSchema,
  NumberSchema,
  ObjectSchema,
  Schema,
  StringSchema,
} from './schema.ts';
import { parseSize } from './size.ts';
import { parseTime } from './time.ts';

/** Problems reported at most (and a first wrong type beyond): the answer to a broken object must stay readable. */
export const maxProblems = 100;

export interface Structure {
  /** In the order of the document. Those of reason FieldValueTypeInvalid mean that the JSON cannot be decoded (400). */
  readonly errors: readonly FieldError[];
  /** Paths of fields the schema does not have, such as `spec.ports[0].prot`. */
  readonly unknown: readonly string[];
}

export function checkStructure(schema: Schema, value: unknown, path = ''): Structure {
  const found: Found = { errors: [], unknown: [], undecodable: false };
  check(schema, value, path, found);
  return { errors: found.errors, unknown: found.unknown };
}

/** The problems that make a value undecodable, out of all. */
export function typeErrors(structure: Structure): FieldError[] {
  return structure.errors.filter(({ reason }) => reason === 'FieldValueTypeInvalid');
}

/** The schema of a field, never something inherited from Object.prototype. */
export function fieldOf(schema: ObjectSchema, name: string): Schema | undefined {
  return Object.hasOwn(schema.fields, name) ? schema.fields[name] : undefined;
}

/** True where a value stands for an absent field: null, and the zero values that Go leaves out. */
export function isAbsent(schema: Schema, value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (schema.type === 'string') return value === '' && schema.keepEmpty !== true;
  return schema.type === 'integer' && schema.omitZero === true && value === 0;
}

interface Found {
  readonly errors: FieldError[];
  readonly unknown: string[];
  undecodable: boolean;
}

/** However many problems there are, the first wrong type is among those kept: it decides what the object is. */
function report(found: Found, problems: readonly FieldError[]): void {
  for (const problem of problems) {
    const decides = !found.undecodable && problem.reason === 'FieldValueTypeInvalid';
    if (decides) found.undecodable = true;
    if (decides || found.errors.length < maxProblems) found.errors.push(problem);
  }
}

function check(schema: Schema, value: unknown, path: string, found: Found): void {
  switch (schema.type) {
    case 'any':
      return;
    case 'object':
      return checkObject(schema, value, path, found);
    case 'list':
      return checkList(schema, value, path, found);
    case 'map':
      return checkMap(schema, value, path, found);
    case 'string':
      return checkString(schema, value, path, found);
    case 'integer':
    case 'number':
      return checkNumber(schema, value, path, found);
    case 'boolean':
      if (typeof value !== 'boolean') report(found, [typeInvalid(path, value, 'boolean')]);
      return;
    case 'intOrString':
      if (typeof value !== 'string' && !isInt32(value)) {
        report(found, [typeInvalid(path, value, 'integer or string')]);
      }
  }
}

function checkObject(schema: ObjectSchema, value: unknown, path: string, found: Found): void {
  if (!isRecord(value)) {
    report(found, [typeInvalid(path, value, 'object')]);
    return;
  }
  for (const name of Object.keys(value)) {
    const field = fieldOf(schema, name);
    if (field === undefined) {
      if (found.unknown.length < maxProblems) found.unknown.push(child(path, name));
    } else if (!isAbsent(field, value[name])) check(field, value[name], child(path, name), found);
  }
  for (const name of schema.required) {
    const field = fieldOf(schema, name);
    const entry = Object.hasOwn(value, name) ? value[name] : undefined;
    if (field !== undefined && field.default === undefined && isAbsent(field, entry)) {
      report(found, [required(child(path, name))]);
    }
  }
}

function checkList(schema: ListSchema, value: unknown, path: string, found: Found): void {
  if (!Array.isArray(value)) {
    report(found, [typeInvalid(path, value, 'array')]);
    return;
  }
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    report(found, [tooMany(path, value.length, schema.maxItems)]);
    return;
  }
  if (value.length < (schema.minItems ?? 0)) {
    report(found, [required(path, `must have at least ${schema.minItems} items`)]);
  }
  for (const [index, entry] of value.entries()) check(schema.items, entry, item(path, index), found);
}

function checkMap(schema: MapSchema, value: unknown, path: string, found: Found): void {
  if (!isRecord(value)) {
    report(found, [typeInvalid(path, value, 'object')]);
    return;
  }
  for (const [key, entry] of Object.entries(value)) {
    if (!isAbsent(schema.values, entry)) check(schema.values, entry, item(path, key), found);
  }
}

function checkString(schema: StringSchema, value: unknown, path: string, found: Found): void {
  if (typeof value !== 'string') {
    report(found, [typeInvalid(path, value, 'string')]);
    return;
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    report(found, [notSupported(path, value, schema.enum)]);
  }
  if (schema.maxLength !== undefined && Buffer.byteLength(value) > schema.maxLength) {
    report(found, [tooLong(path, schema.maxLength)]);
  }
  const syntax = schema.syntax === undefined ? undefined : syntaxes.get(schema.syntax);
  if (syntax !== undefined) report(found, invalidBy(path, value, syntax(value)));
  report(found, checkFormat(schema.format, value, path));
}

/** Times and bytes that cannot be read are type errors: the published API decodes them into types of their own. */
function checkFormat(format: StringSchema['format'], value: string, path: string): FieldError[] {
  switch (format) {
    case undefined:
      return [];
    case 'date-time':
      return parseTime(value) === undefined ? [typeInvalid(path, value, 'RFC 3339 time')] : [];
    case 'byte':
      return isBase64(value) ? [] : [typeInvalid(path, value, 'base64')];
    case 'duration':
      return parseDuration(value) === undefined
        ? [invalid(path, value, 'must be a duration, such as 250ms, 30s or 1h30m')]
        : [];
    case 'size':
      return parseSize(value) === undefined
        ? [invalid(path, value, 'must be a size, such as 65536, 64KiB or 10MB')]
        : [];
  }
}

function checkNumber(schema: IntegerSchema | NumberSchema, value: unknown, path: string, found: Found): void {
  if (typeof value !== 'number' || !Number.isFinite(value) || !fits(schema, value)) {
    report(found, [
      typeInvalid(path, value, schema.type === 'integer' ? (schema.format ?? 'integer') : 'number'),
    ]);
    return;
  }
  if (schema.minimum !== undefined && value < schema.minimum) {
    report(found, [invalid(path, value, `must be greater than or equal to ${schema.minimum}`)]);
  }
  if (schema.maximum !== undefined && value > schema.maximum) {
    report(found, [invalid(path, value, `must be less than or equal to ${schema.maximum}`)]);
  }
}

function fits(schema: IntegerSchema | NumberSchema, value: number): boolean {
  if (schema.type === 'number') return true;
  return schema.format === 'int32' ? isInt32(value) : Number.isSafeInteger(value);
}

function isInt32(value: unknown): boolean {
  return typeof value === 'number' && (value | 0) === value;
}

function isBase64(value: string): boolean {
  return value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
}
