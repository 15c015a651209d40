/**
 * The schema language: one value per kind from which the TypeScript type, defaults, structural validation,
 * OpenAPI v3, strategic-merge keys and the CRD are all derived.
 *
 * A schema is plain frozen data (below); the constructors in `build.ts` add the static type. Rules that look at more
 * than one field live beside the kind as a `validate(object) → FieldError[]` function.
 */

import type { ObjectMeta } from './kinds/meta.ts';

export interface Common {
  readonly description?: string;
  /** Filled in when the field is absent. */
  readonly default?: unknown;
  /** Set by the server; a client's value is ignored. */
  readonly readOnly?: boolean;
}

export type Schema =
  | ObjectSchema
  | ListSchema
  | MapSchema
  | StringSchema
  | IntegerSchema
  | NumberSchema
  | BooleanSchema
  | IntOrStringSchema
  | AnySchema;

export interface ObjectSchema extends Common {
  readonly type: 'object';
  readonly fields: { readonly [name: string]: Schema };
  readonly required: readonly string[];
  /** Names of the fields that have a default, or hold fields that have one: all that defaulting needs to visit. */
  readonly defaulted: readonly string[];
}
export interface ListSchema extends Common {
  readonly type: 'list';
  readonly items: Schema;
  /** `map`: merged by `keys`; `set`: unique scalars, merged; `atomic`: replaced whole. */
  readonly listType: 'atomic' | 'set' | 'map';
  readonly keys: readonly string[];
  /** The strategic-merge key where it differs from `keys` (Service ports: `port`). */
  readonly patchMergeKey?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
}
export interface MapSchema extends Common {
  readonly type: 'map';
  readonly values: Schema;
}
export interface StringSchema extends Common {
  readonly type: 'string';
  readonly enum?: readonly string[];
  readonly format?: 'date-time' | 'duration' | 'size' | 'byte';
  readonly maxLength?: number;
  /** A named syntax check of `names.ts`, such as `dns1123Label`. */
  readonly syntax?: string;
  /** `''` is a value of its own here; everywhere else an optional `''` is the same as an absent field. */
  readonly keepEmpty?: boolean;
}
export interface IntegerSchema extends Common {
  readonly type: 'integer';
  readonly minimum?: number;
  readonly maximum?: number;
  /** 0 is the same as an absent field, as it is for the published API's plain (not pointer) numbers. */
  readonly omitZero?: boolean;
  readonly format?: 'int32' | 'int64';
}
export interface NumberSchema extends Common {
  readonly type: 'number';
  readonly minimum?: number;
  readonly maximum?: number;
}
export interface BooleanSchema extends Common {
  readonly type: 'boolean';
}
export interface IntOrStringSchema extends Common {
  readonly type: 'intOrString';
}
/** Anything at all, kept as it is. */
export interface AnySchema extends Common {
  readonly type: 'any';
}

/** Kubernetes' cause reasons (meta/v1 StatusCause), one per problem of one field. */
export type FieldErrorReason =
  | 'FieldValueInvalid'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueNotFound'
  | 'FieldValueTypeInvalid';

export interface FieldError {
  readonly reason: FieldErrorReason;
  /** Path such as `spec.ports[0].name`. */
  readonly field: string;
  /** Kubernetes' wording: `Invalid value: "x": must be …`, `Required value`, `Duplicate value: …`. */
  readonly message: string;
}

/** Everything the API server, the clients and the tools need to know of one kind. */
export interface Kind<T extends KubernetesObject = KubernetesObject> {
  /** `''` for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Plural, lower case: `endpointslices`. */
  readonly resource: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly description: string;
  /** Whole-object schema: apiVersion, kind, metadata and the kind's own fields. */
  readonly schema: ObjectSchema;
  readonly hasStatus: boolean;
  /** Kinds with a spec/status split count `metadata.generation`. */
  readonly hasGeneration: boolean;
  /** A PUT without resourceVersion is accepted (built-in kinds such as Service). */
  readonly allowUnconditionalUpdate: boolean;
  readonly allowCreateOnUpdate: boolean;
  /** Checks `metadata.name`; the answer is what is wrong with it, one sentence per problem. */
  validateName(name: string): string[];
  /** Defaults that depend on other fields; runs after the schema's own defaults, may change its argument. */
  applyDefaults?(object: T): void;
  /** Rules across fields; the structure has been checked already. `old` is given on update (immutability). */
  validate?(object: T, old: T | undefined, options: ValidationOptions): FieldError[];
  /** Fields usable in field selectors besides metadata.name and metadata.namespace. */
  readonly selectableFields: { readonly [path: string]: FieldReader<T> };
  /** Printed columns after Name; Age is added by the server. */
  readonly columns: readonly Column<T>[];
  /** The columns are the whole table: no Name before and no Age after them (Event). */
  readonly wholeTable?: boolean;
  /** Warnings the server sends with every request of this kind (deprecations). */
  readonly warning?: string;
}

/** Where the operator may relax what Kubernetes refuses. */
export interface ValidationOptions {
  /**
   * Accept 127.0.0.0/8 and ::1 as endpoint addresses. Default false, as in Kubernetes: a loopback address means a
   * different machine to every reader. True only where every reader runs on one machine (`--allow-loopback-endpoints`).
   */
  readonly allowLoopbackEndpoints?: boolean;
}

/** Declared through a method so that a `Kind<Service>` may stand in a list of `Kind`. */
export type FieldReader<T> = { read(object: T): string }['read'];

export interface Column<T> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly description: string;
  /** 0 always shown, 1 only with `-o wide`. */
  readonly priority: 0 | 1;
  /** `now` in epoch milliseconds, for ages. */
  cell(object: T, now: number): string | number;
  /** The same cell for the CRD of an own kind; a column without one is not shown by real clusters. */
  readonly jsonPath?: string;
  /** Shown after Age instead of before it (Service's Selector). */
  readonly afterAge?: boolean;
}

export interface KubernetesObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}
