/** What the cache keeps of an object: its stored bytes, shared with the store, and the few fields selectors look at. */

import type { KubernetesObject } from '@outrigger/core/api';
import { asBuffer } from '../registry/codec.ts';
import type { ObjectPath, Resource } from '../registry/resource.ts';
import { splitPath } from '../registry/resource.ts';

export interface Entry {
  readonly path: ObjectPath;
  readonly namespace: string;
  readonly name: string;
  /** Stored bytes, without resourceVersion. */
  readonly value: Uint8Array;
  readonly revision: number;
  readonly createRevision: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Values of the kind's selectable fields. */
  readonly fields: Readonly<Record<string, string>>;
}

const none: Readonly<Record<string, never>> = Object.freeze({});

export function entryOf(
  resource: Resource,
  path: ObjectPath,
  stored: { readonly value: Uint8Array; readonly revision: number; readonly createRevision: number },
): Entry {
  const object = JSON.parse(asBuffer(stored.value).toString()) as KubernetesObject;
  return {
    path,
    ...splitPath(path),
    value: stored.value,
    revision: stored.revision,
    createRevision: stored.createRevision,
    labels: object.metadata.labels ?? none,
    fields: readFields(resource, object),
  };
}

function readFields(resource: Resource, object: KubernetesObject): Readonly<Record<string, string>> {
  const readers = Object.entries(resource.kind.selectableFields);
  if (readers.length === 0) return none;
  const fields: Record<string, string> = {};
  for (const [field, read] of readers) fields[field] = read(object);
  return fields;
}
