/**
 * Schema → OpenAPI v3 schema object, in the two dialects that differ in what they allow: the document a server
 * publishes (merge keys for `kubectl apply`) and the schema inside a CRD (structural, patterns instead of formats).
 */

import { apiVersionOf, ownGroup } from './kinds/index.ts';
import type {
  IntegerSchema,
  Kind,
  ListSchema,
  NumberSchema,
  ObjectSchema,
  Schema,
  StringSchema,
} from './schema.ts';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
export type OpenAPISchema = { readonly [name: string]: Json };

export type Dialect = 'document' | 'crd';

export function toOpenAPI(schema: Schema, dialect: Dialect = 'document'): OpenAPISchema {
  const { description, default: value } = schema;
  return {
    ...(description === undefined || description === '' ? {} : { description }),
    ...shape(schema, dialect),
    ...(value === undefined ? {} : { default: value as Json }),
  };
}

/** The component of a whole kind, with its group, version and kind. */
export function kindOpenAPI(kind: Kind): OpenAPISchema {
  const { group, version } = kind;
  return {
    ...toOpenAPI(kind.schema),
    'x-kubernetes-group-version-kind': [{ group, kind: kind.kind, version }],
  };
}

/** The component of the list of a kind; `item` is where the component of the kind stands. */
export function listOpenAPI(kind: Kind, item: string): OpenAPISchema {
  const { group, version } = kind;
  return {
    type: 'object',
    description: `A list of ${kind.kind} objects`,
    required: ['items'],
    properties: {
      apiVersion: { type: 'string', default: apiVersionOf(kind) },
      kind: { type: 'string', default: `${kind.kind}List` },
      metadata: listMeta,
      items: { type: 'array', items: { $ref: item } },
    },
    'x-kubernetes-group-version-kind': [{ group, kind: `${kind.kind}List`, version }],
  };
}

/** `io.k8s.api.core.v1.Service`, `dev.outrigger.v1alpha1.TrafficPolicy`: names as the published document has them. */
export function componentName(kind: Pick<Kind, 'group' | 'version' | 'kind'>): string {
  const { group, version } = kind;
  if (group === ownGroup) return `${group.split('.').toReversed().join('.')}.${version}.${kind.kind}`;
  return `io.k8s.api.${group === '' ? 'core' : group.split('.')[0]}.${version}.${kind.kind}`;
}

const listMeta: OpenAPISchema = {
  type: 'object',
  description: 'Standard list metadata',
  properties: {
    resourceVersion: { type: 'string', description: 'Revision the list was read at' },
    continue: { type: 'string', description: 'Token that asks for the next page' },
    remainingItemCount: { type: 'integer', format: 'int64', description: 'Items behind this page' },
  },
};

const durationPattern = '^(0|([0-9]+(\\.[0-9]*)?(ns|us|µs|ms|s|m|h))+)$';
const sizePattern = '^[0-9]+(\\.[0-9]+)?([kKMGT]?B|[KMGT]iB?)?$';

function shape(schema: Schema, dialect: Dialect): OpenAPISchema {
  switch (schema.type) {
    case 'object':
      return objectShape(schema, dialect);
    case 'list':
      return listShape(schema, dialect);
    case 'map':
      return { type: 'object', additionalProperties: toOpenAPI(schema.values, dialect) };
    case 'string':
      return stringShape(schema, dialect);
    case 'integer':
    case 'number':
      return numberShape(schema);
    case 'boolean':
      return { type: 'boolean' };
    case 'intOrString':
      return dialect === 'crd'
        ? { 'x-kubernetes-int-or-string': true }
        : { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] };
    case 'any':
      return { 'x-kubernetes-preserve-unknown-fields': true };
  }
}

/** A field that has a default may be left out, so it is not required of whoever writes the object. */
function objectShape(schema: ObjectSchema, dialect: Dialect): OpenAPISchema {
  const properties = Object.entries(schema.fields).map(
    ([name, field]) => [name, toOpenAPI(field, dialect)] as const,
  );
  const required = schema.required.filter(
    (name) => schema.fields[name]?.default === undefined && name !== 'metadata',
  );
  return {
    type: 'object',
    ...(required.length === 0 ? {} : { required }),
    properties: Object.fromEntries(properties),
  };
}

function listShape(schema: ListSchema, dialect: Dialect): OpenAPISchema {
  const { listType, keys, minItems, maxItems } = schema;
  const mergeKey = schema.patchMergeKey ?? keys[0];
  const merged = dialect === 'document' && listType !== 'atomic';
  return {
    type: 'array',
    items: toOpenAPI(schema.items, dialect),
    ...(minItems === undefined ? {} : { minItems }),
    ...(maxItems === undefined ? {} : { maxItems }),
    'x-kubernetes-list-type': listType,
    ...(keys.length === 0 ? {} : { 'x-kubernetes-list-map-keys': keys }),
    ...(merged ? { 'x-kubernetes-patch-strategy': 'merge' } : {}),
    ...(merged && mergeKey !== undefined ? { 'x-kubernetes-patch-merge-key': mergeKey } : {}),
  };
}

function stringShape(schema: StringSchema, dialect: Dialect): OpenAPISchema {
  const { maxLength, format } = schema;
  return {
    type: 'string',
    ...(schema.enum === undefined ? {} : { enum: schema.enum }),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...stringFormat(format, dialect),
  };
}

/** Servers of CRDs check `pattern`; to readers of the document a word says more. */
function stringFormat(format: StringSchema['format'], dialect: Dialect): OpenAPISchema {
  if (format === undefined) return {};
  if (dialect === 'document' || format === 'date-time' || format === 'byte') return { format };
  return { pattern: format === 'duration' ? durationPattern : sizePattern };
}

function numberShape(schema: IntegerSchema | NumberSchema): OpenAPISchema {
  const { type, minimum, maximum } = schema;
  return {
    type,
    ...(schema.type === 'integer' && schema.format !== undefined ? { format: schema.format } : {}),
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum }),
  };
}
