/** The objects of a case: checked for what identifies them, replaced and deleted by that. */

import { Fields } from './fields.ts';
import type { FlowObject } from './types.ts';

export function toObjects(values: readonly unknown[], where: string): readonly FlowObject[] {
  return values.map((value, index) => {
    const place = `${where}.objects[${index}]`;
    const fields = new Fields(value, place);
    const metadata = new Fields(fields.raw('metadata'), `${place}.metadata`);
    fields.text('apiVersion');
    fields.text('kind');
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
