/** The validation of whole objects, in the order its parts build on each other: structure, metadata, rules of the kind. */

import { validateMetadata, validateMetadataUpdate } from './metadata.ts';
import type { FieldError, Kind, KubernetesObject, ValidationOptions } from './schema.ts';
import { checkStructure, maxProblems } from './structure.ts';

/**
 * Everything wrong with an object whose defaults have been applied; `old` is the stored state on update. The rules of
 * the kind rely on the structure, so they are only asked once it holds. At most `maxProblems` are told.
 */
export function validateObject<T extends KubernetesObject>(
  kind: Kind<T>,
  object: T,
  old?: T,
  options: ValidationOptions = {},
): FieldError[] {
  const { errors } = checkStructure(kind.schema, object);
  if (errors.length > 0) return [...errors];
  const problems = [
    ...validateMetadata(object.metadata, kind),
    ...(old === undefined ? [] : validateMetadataUpdate(object.metadata, old.metadata)),
    ...(kind.validate?.(object, old, options) ?? []),
  ];
  return problems.slice(0, maxProblems);
}
