/** Flags derived from a schema: every top-level scalar or list of strings is a flag named after its field. */

import type { ObjectSchema, Schema } from '../api/schema.ts';

export interface Flag {
  /** The schema's field: `readPolicy`. */
  readonly field: string;
  /** Without dashes: `read-policy`. */
  readonly name: string;
  /** `OUTRIGGER_READ_POLICY`; undefined where Kubernetes' Service variables could be mistaken for it. */
  readonly environment: string | undefined;
  readonly schema: Schema;
  readonly repeatable: boolean;
}

export function flagsOf(schema: ObjectSchema): Flag[] {
  return Object.entries(schema.fields)
    .filter(([, field]) => isFlag(field))
    .map(([field, fieldSchema]) => ({
      field,
      name: flagName(field),
      environment: environmentName(field),
      schema: fieldSchema,
      repeatable: fieldSchema.type === 'list',
    }));
}

/** `statsdUdp` → `statsd-udp`. */
export function flagName(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/**
 * `statsdUdp` → `OUTRIGGER_STATSD_UDP`. Kubernetes puts `NAME_SERVICE_HOST`, `NAME_PORT…` of every Service into every
 * pod; a Service named `outrigger` would otherwise configure us, so names of that shape are never read.
 */
export function environmentName(field: string): string | undefined {
  const name = `OUTRIGGER_${flagName(field).replaceAll('-', '_').toUpperCase()}`;
  return /(_SERVICE_HOST|_SERVICE_PORT(_.*)?|_PORT(_.*)?)$/.test(name) ? undefined : name;
}

/** Two columns for `--help`: the flag with its value, then what it does, its default and its choices. */
export function helpLines(schema: ObjectSchema): [string, string][] {
  return flagsOf(schema).map((flag) => [`--${flag.name}${placeholder(flag)}`, help(flag.schema)]);
}

function isFlag(schema: Schema): boolean {
  if (schema.type === 'list') return schema.items.type === 'string';
  return (
    schema.type === 'string' ||
    schema.type === 'integer' ||
    schema.type === 'number' ||
    schema.type === 'boolean'
  );
}

function placeholder(flag: Flag): string {
  if (flag.schema.type === 'boolean') return '';
  const value = flag.schema.type === 'integer' || flag.schema.type === 'number' ? 'N' : 'VALUE';
  return flag.repeatable ? ` ${value} …` : ` ${value}`;
}

function help(schema: Schema): string {
  const parts = [schema.description ?? ''];
  if (schema.type === 'string' && schema.enum !== undefined) parts.push(`one of ${schema.enum.join(', ')}`);
  const { default: fallback } = schema;
  if (fallback !== undefined && fallback !== false) {
    parts.push(`default ${typeof fallback === 'string' ? fallback : JSON.stringify(fallback)}`);
  }
  return parts.filter((part) => part !== '').join('; ');
}
