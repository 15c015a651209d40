/**
 * What happens to an object on its way in: `prune` keeps what the schema knows, `applyDefaults` fills what is absent.
 * Both leave values of a wrong type alone; `checkStructure` reports them.
 */

import { isRecord } from './record.ts';
import { checkStructure, fieldOf, isAbsent } from './structure.ts';
import type { Kind, KubernetesObject, ListSchema, MapSchema, ObjectSchema, Schema } from './schema.ts';

/**
 * A copy with the fields of the schema alone; nulls and the zero values that mean "absent" go too. What lies inside
 * `any` is shared with the original, not copied.
 */
export function prune<T>(schema: Schema, value: T): T {
  return pruned(schema, value) as T;
}

/**
 * Fills in the defaults of the schema, then those of the kind. The latter rely on the structure: an object that lacks
 * it is left as it is, for validation to say why. Changes its argument.
 */
export function applyDefaults<T extends KubernetesObject>(kind: Kind<T>, object: T): void {
  applySchemaDefaults(kind.schema, object);
  if (kind.applyDefaults === undefined) return;
  if (checkStructure(kind.schema, object).errors.length === 0) kind.applyDefaults(object);
}

/** The defaults of the schema alone, at every depth. Changes its argument. */
export function applySchemaDefaults(schema: Schema, value: unknown): void {
  if (schema.type === 'object' && isRecord(value)) fillObject(schema, value);
  else if (schema.type === 'list' && Array.isArray(value)) {
    for (const entry of value) applySchemaDefaults(schema.items, entry);
  } else if (schema.type === 'map' && isRecord(value)) {
    for (const entry of Object.values(value)) applySchemaDefaults(schema.values, entry);
  }
}

/** A value made of nothing but defaults: `defaultsOf(trafficPolicySpec)` is what holds where no policy applies. */
export function defaultsOf(schema: ObjectSchema): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  applySchemaDefaults(schema, value);
  return value;
}

function fillObject(schema: ObjectSchema, value: Record<string, unknown>): void {
  for (const name of schema.defaulted) {
    const field = schema.fields[name];
    if (field === undefined) continue;
    if (field.default !== undefined && isAbsent(field, value[name]))
      value[name] = structuredClone(field.default);
    if (value[name] !== undefined) applySchemaDefaults(field, value[name]);
  }
}

function pruned(schema: Schema, value: unknown): unknown {
  if (schema.type === 'object' && isRecord(value)) return prunedObject(schema, value);
  if (schema.type === 'list' && Array.isArray(value)) return prunedList(schema, value);
  if (schema.type === 'map' && isRecord(value)) return prunedMap(schema, value);
  return value;
}

function prunedObject(schema: ObjectSchema, value: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const field = fieldOf(schema, name);
    if (field !== undefined && !isAbsent(field, value[name])) kept[name] = pruned(field, value[name]);
  }
  return kept;
}

function prunedList(schema: ListSchema, value: readonly unknown[]): unknown[] {
  return value.map((entry) => pruned(schema.items, entry));
}

/** Every key is kept; null becomes what Go makes of it where the values are strings. `fromEntries` takes any key. */
function prunedMap(schema: MapSchema, value: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(value).map(([key, entry]) => {
    if (entry === null && schema.values.type === 'string') return [key, ''];
    return [key, pruned(schema.values, entry)];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}
