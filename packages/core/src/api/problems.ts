/** The problems a field can have, in Kubernetes' wording: one function per cause reason. */

import type { FieldError } from './schema.ts';

/** A longer value is cut in messages: they travel in headers, logs and terminals. */
const shownValueLength = 256;

export function invalid(field: string, value: unknown, detail: string): FieldError {
  return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${shown(value)}: ${detail}` };
}

/** One problem per sentence of a syntax check. */
export function invalidBy(field: string, value: string, problems: readonly string[]): FieldError[] {
  return problems.map((detail) => invalid(field, value, detail));
}

export function required(field: string, detail = ''): FieldError {
  const message = detail === '' ? 'Required value' : `Required value: ${detail}`;
  return { reason: 'FieldValueRequired', field, message };
}

export function duplicate(field: string, value: unknown): FieldError {
  return { reason: 'FieldValueDuplicate', field, message: `Duplicate value: ${shown(value)}` };
}

export function notSupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  const names = supported.toSorted().map((name) => JSON.stringify(name));
  return {
    reason: 'FieldValueNotSupported',
    field,
    message: `Unsupported value: ${shown(value)}: supported values: ${names.join(', ')}`,
  };
}

export function forbidden(field: string, detail: string): FieldError {
  return { reason: 'FieldValueForbidden', field, message: `Forbidden: ${detail}` };
}

export function tooLong(field: string, maxBytes: number): FieldError {
  return { reason: 'FieldValueTooLong', field, message: `Too long: may not be more than ${maxBytes} bytes` };
}

export function tooMany(field: string, count: number, max: number): FieldError {
  return {
    reason: 'FieldValueTooMany',
    field,
    message: `Too many: ${count}: must have at most ${max} items`,
  };
}

/** The JSON type is wrong: no object of the kind can be made of this, which servers answer with 400, not 422. */
export function typeInvalid(field: string, value: unknown, want: string): FieldError {
  return {
    reason: 'FieldValueTypeInvalid',
    field,
    message: `Invalid value: ${shown(value)}: must be of type ${want}, not ${jsonType(value)}`,
  };
}

export const fieldImmutable = 'field is immutable';

/** `base.name`, or `name` at the root. */
export function child(base: string, name: string): string {
  return base === '' ? name : `${base}.${name}`;
}

/** `base[key]`: list items and map entries. */
export function item(base: string, key: number | string): string {
  return `${base}[${key}]`;
}

function jsonType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return text.length <= shownValueLength ? text : `${text.slice(0, shownValueLength)}…`;
}
