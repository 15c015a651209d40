/** Our schemas as OpenAPI v3 schemas, with the extensions that kubectl's `explain` and client-side apply read. Pure. */

import type { ListSchema, ObjectSchema, Schema } from '@outrigger/core/api';

export interface OpenApiSchema {
  readonly [keyword: string]: unknown;
}

/** Gives the reference to use instead of a schema that has a name of its own. */
export type Refer = (schema: Schema) => string | undefined;

export function openApiSchema(schema: Schema, refer: Refer): OpenApiSchema {
  const { description, default: fallback } = schema;
  return {
    ...(description === undefined ? {} : { description }),
    ...shape(schema, refer),
    ...(fallback === undefined ? {} : { default: fallback }),
  };
}

function shape(schema: Schema, refer: Refer): OpenApiSchema {
  switch (schema.type) {
    case 'object': {
      const fields = Object.entries(schema.fields).map(
        ([name, field]) => [name, property(field, refer)] as const,
      );
      return {
        type: 'object',
        properties: Object.fromEntries(fields),
        ...requiredOf(schema),
      };
    }
    case 'list':
      return { type: 'array', items: property(schema.items, refer), ...listExtensions(schema) };
    case 'map':
      return { type: 'object', additionalProperties: property(schema.values, refer) };
    case 'string':
      return {
        type: 'string',
        ...(schema.enum === undefined ? {} : { enum: schema.enum }),
        ...(schema.format === 'date-time' || schema.format === 'byte' ? { format: schema.format } : {}),
        ...(schema.maxLength === undefined ? {} : { maxLength: schema.maxLength }),
      };
    case 'integer':
      return { type: 'integer', format: schema.format ?? 'int64', ...bounds(schema) };
    case 'number':
      return { type: 'number', format: 'double', ...bounds(schema) };
    case 'boolean':
      return { type: 'boolean' };
    case 'intOrString':
      return { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] };
    case 'any':
      return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  }
}

/** What a client must give: fields with a default are always there, and yet nobody has to write them. */
function requiredOf({ required, fields }: ObjectSchema): { readonly required?: readonly string[] } {
  const wanted = required.filter((name) => name !== 'metadata' && fields[name]?.default === undefined);
  return wanted.length === 0 ? {} : { required: wanted };
}

/** A reference stands alone in OpenAPI 3.0, so the field's own description goes around it. */
function property(schema: Schema, refer: Refer): OpenApiSchema {
  const reference = refer(schema);
  if (reference === undefined) return openApiSchema(schema, refer);
  return { description: schema.description ?? '', allOf: [{ $ref: reference }], default: {} };
}

function bounds({
  minimum,
  maximum,
}: {
  readonly minimum?: number;
  readonly maximum?: number;
}): OpenApiSchema {
  return { ...(minimum === undefined ? {} : { minimum }), ...(maximum === undefined ? {} : { maximum }) };
}

function listExtensions({ listType, keys, patchMergeKey }: ListSchema): OpenApiSchema {
  switch (listType) {
    case 'atomic':
      return { 'x-kubernetes-list-type': 'atomic' };
    case 'set':
      return { 'x-kubernetes-list-type': 'set', 'x-kubernetes-patch-strategy': 'merge' };
    case 'map': {
      const mergeKey = patchMergeKey ?? (keys.length === 1 ? keys[0] : undefined);
      const merge = { 'x-kubernetes-patch-strategy': 'merge', 'x-kubernetes-patch-merge-key': mergeKey };
      return {
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': keys,
        ...(mergeKey === undefined ? {} : merge),
      };
    }
  }
}
