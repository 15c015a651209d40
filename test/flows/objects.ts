/** The objects of a case: of the API's shape, replaced and deleted by what identifies them. */

import { checkStructure, kindOf } from '@outrigger/core/api';
import { Fields } from './fields.ts';
import type { FlowObject } from './types.ts';

export function toObjects(values: readonly unknown[], where: string): readonly FlowObject[] {
  return values.map((value, index) => {
    const place = `${where}.objects[${index}]`;
    const fields = new Fields(value, place);
    const metadata = new Fields(fields.raw('metadata'), `${place}.metadata`);
    checkShape(fields.text('apiVersion'), fields.text('kind'), value, place);
    metadata.text('name');
    return value as FlowObject;
  });
}

/** `objects` with those of the same kind, namespace and name replaced, and new ones added. */
export function replaceObjects(
  objects: readonly FlowObject[],
  changes: readonly FlowObject[],
): readonly FlowObject[] {
  const all = new Map(objects.map((object) => [referenceOf(object), object]));
  for (const object of changes) all.set(referenceOf(object), object);
  return [...all.values()];
}

/** `objects` without the referenced ones (`Service ns1/svc1`); a reference to nothing is an error. */
export function deleteObjects(
  objects: readonly FlowObject[],
  references: readonly string[],
  where: string,
): readonly FlowObject[] {
  const known = new Set(objects.map(referenceOf));
  const missing = references.find((reference) => !known.has(reference));
  if (missing !== undefined) throw new Error(`${where}.delete: there is no ${missing}`);
  return objects.filter((object) => !references.includes(referenceOf(object)));
}

/** `Service ns1/svc1`. */
export function referenceOf({ kind, metadata }: FlowObject): string {
  return `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;
}

/** A field that Kubernetes does not know would say nothing, and a row would pass for the wrong reason. */
function checkShape(apiVersion: string, kindName: string, value: unknown, place: string): void {
  const kind = kindOf(apiVersion, kindName);
  if (kind === undefined) throw new Error(`${place}: ${apiVersion} ${kindName} is no kind of the API`);
  const { errors, unknown } = checkStructure(kind.schema, value, place);
  const problems = [
    ...unknown.map((path) => `${path}: unknown field`),
    ...errors.map((error) => `${error.field}: ${error.message}`),
  ];
  if (problems.length > 0) throw new Error(problems.join('\n'));
}
