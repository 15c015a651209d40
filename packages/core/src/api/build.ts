/**
 * Typed constructors for the schema language. Each returns plain frozen `Schema` data that also carries, for the
 * compiler alone, the TypeScript type of the values it describes: `type Service = Infer<typeof service>`.
 *
 * A field named in `required` is always there once defaults have been applied, so its type is not optional; a
 * required field with a default may still be left out by whoever writes the object.
 */

import type {
  AnySchema,
  BooleanSchema,
  Common,
  IntegerSchema,
  IntOrStringSchema,
  ListSchema,
  MapSchema,
  NumberSchema,
  ObjectSchema,
  Schema,
  StringSchema,
} from './schema.ts';

/** Never present at run time: it only lets `Infer` recover the type. */
declare const valueType: unique symbol;

export type Typed<T, S extends Schema = Schema> = S & { readonly [valueType]?: T };

/** The TypeScript type of the values a schema describes. */
export type Infer<S> = S extends { readonly [valueType]?: infer T } ? T : never;

export interface FieldSchemas {
  readonly [name: string]: Typed<unknown>;
}

/** What `object(fields, { required })` describes. */
export type ObjectOf<F extends FieldSchemas, R extends keyof F> = Flatten<
  { [K in R]: Infer<F[K]> } & { [K in Exclude<keyof F, R>]?: Infer<F[K]> }
>;

type Flatten<T> = { [K in keyof T]: T[K] };
type Options<S extends Schema> = Omit<S, 'type' | 'description'>;

export function object<const F extends FieldSchemas, const R extends keyof F & string = never>(
  fields: F,
  options: Common & { readonly required?: readonly R[] } = {},
): Typed<ObjectOf<F, R>, ObjectSchema & { readonly fields: F }> {
  return Object.freeze({
    type: 'object',
    ...options,
    fields: Object.freeze(fields),
    required: Object.freeze([...(options.required ?? [])]),
    defaulted: Object.freeze(Object.keys(fields).filter((name) => hasDefaults(fields[name]))),
  });
}

export function list<T>(
  items: Typed<T>,
  description?: string,
  options: Partial<Omit<ListSchema, 'type' | 'description' | 'items'>> = {},
): Typed<T[], ListSchema> {
  return freeze({ type: 'list', items, listType: 'atomic', keys: [], ...options }, description);
}

/** A list merged by the value of `keys` in its items (`x-kubernetes-list-type: map`). */
export function keyedList<T>(
  items: Typed<T>,
  keys: readonly (keyof T & string)[],
  description?: string,
  options: Partial<Omit<ListSchema, 'type' | 'description' | 'items' | 'keys' | 'listType'>> = {},
): Typed<T[], ListSchema> {
  return list(items, description, { ...options, listType: 'map', keys });
}

export function map<T>(
  values: Typed<T>,
  description?: string,
  options: Options<MapSchema> | object = {},
): Typed<Record<string, T>, MapSchema> {
  return freeze({ type: 'map', values, ...options }, description);
}

export function string<const E extends string = string>(
  description?: string,
  options: Options<StringSchema> & { readonly enum?: readonly E[] } = {},
): Typed<E, StringSchema> {
  return freeze({ type: 'string', ...options }, description);
}

export function integer(
  description?: string,
  options: Options<IntegerSchema> = {},
): Typed<number, IntegerSchema> {
  return freeze({ type: 'integer', ...options }, description);
}

export function number(
  description?: string,
  options: Options<NumberSchema> = {},
): Typed<number, NumberSchema> {
  return freeze({ type: 'number', ...options }, description);
}

export function boolean(
  description?: string,
  options: Options<BooleanSchema> = {},
): Typed<boolean, BooleanSchema> {
  return freeze({ type: 'boolean', ...options }, description);
}

export function intOrString(
  description?: string,
  options: Options<IntOrStringSchema> = {},
): Typed<number | string, IntOrStringSchema> {
  return freeze({ type: 'intOrString', ...options }, description);
}

/** Anything at all, kept as it is: for known fields whose inside Outrigger has no use for. */
export function any(description?: string, options: Options<AnySchema> = {}): Typed<unknown, AnySchema> {
  return freeze({ type: 'any', ...options }, description);
}

/** The same schema in another place, under its own description (and default, where given). */
export function describe<S extends Schema>(schema: S, description: string, extra: Partial<Common> = {}): S {
  return Object.freeze({ ...schema, ...extra, description });
}

function freeze<S extends Schema>(schema: S, description: string | undefined): S {
  return Object.freeze(description === undefined ? schema : { ...schema, description });
}

function hasDefaults(schema: Schema | undefined): boolean {
  if (schema === undefined || schema.default !== undefined) return schema !== undefined;
  if (schema.type === 'object') return schema.defaulted.length > 0;
  if (schema.type === 'list') return hasDefaults(schema.items);
  return schema.type === 'map' && hasDefaults(schema.values);
}
