/** Completes the definition of a kind: metadata in the schema and the settings most kinds share. */

import type { FieldSchemas, ObjectOf } from '../build.ts';
import { object, string } from '../build.ts';
import type { Kind, KubernetesObject, ObjectSchema } from '../schema.ts';
import { dns1123Subdomain } from '../names.ts';
import { objectMeta } from './meta.ts';

/** A whole object of a kind with these top-level fields. */
export type ObjectWith<F extends FieldSchemas, R extends keyof F = never> = KubernetesObject & ObjectOf<F, R>;

type Defaulted =
  | 'singular'
  | 'shortNames'
  | 'categories'
  | 'namespaced'
  | 'hasStatus'
  | 'hasGeneration'
  | 'allowUnconditionalUpdate'
  | 'allowCreateOnUpdate'
  | 'validateName'
  | 'selectableFields'
  | 'columns';

export type Definition<T extends KubernetesObject> = Omit<Kind<T>, Defaulted | 'schema'> &
  Partial<Pick<Kind<T>, Defaulted>> & {
    readonly fields: FieldSchemas;
    /** Top-level fields besides metadata that an object must have. */
    readonly required?: readonly string[];
  };

export function defineKind<T extends KubernetesObject>(definition: Definition<T>): Kind<T> {
  const { fields, required, ...rest } = definition;
  return Object.freeze({
    singular: rest.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    namespaced: true,
    hasStatus: 'status' in fields,
    hasGeneration: false,
    allowUnconditionalUpdate: true,
    allowCreateOnUpdate: false,
    validateName: dns1123Subdomain,
    selectableFields: {},
    columns: [],
    ...rest,
    schema: wholeObject(fields, required ?? [], rest.description),
  });
}

function wholeObject(fields: FieldSchemas, required: readonly string[], description: string): ObjectSchema {
  const all: FieldSchemas = {
    apiVersion: string('Group and version of this representation'),
    kind: string('Kind of this object'),
    metadata: objectMeta,
    ...fields,
  };
  return object(all, { required: ['metadata', ...required], description });
}
