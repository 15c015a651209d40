/** What the server decides about an object's metadata, and what of an update it takes. Pure. */

import type { FieldError, Kind, KubernetesObject, ObjectMeta } from '@outrigger/core/api';
import { ApiError, equalJson, formatTime } from '@outrigger/core/api';
import type { Resource } from './resource.ts';
import type { Subresource } from './write.ts';

/** Kinds whose reporters send a status along when they create the object. */
const statusAtCreation: ReadonlySet<string> = new Set(['Node']);

/** Sets what only the server may set. Changes its argument; its name has been decided. */
export function prepareCreate(
  resource: Resource,
  object: KubernetesObject,
  uid: string,
  nowMs: number,
): void {
  const { metadata } = object;
  for (const field of serverFields) delete metadata[field];
  metadata.uid = uid;
  metadata.creationTimestamp = formatTime(nowMs);
  if (resource.kind.hasGeneration) metadata.generation = 1;
  if (resource.kind.hasStatus && !statusAtCreation.has(resource.kind.kind)) delete fieldsOf(object)['status'];
}

const serverFields = [
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'selfLink',
  'managedFields',
] as const satisfies readonly (keyof ObjectMeta)[];

/** The state that an update asks for: fields that are not its to change keep their stored value. */
export function prepareUpdate<T extends KubernetesObject>(
  resource: Resource<T>,
  asked: T,
  old: T,
  subresource: Subresource,
): T {
  const object = { ...scoped(resource, asked, old, subresource), metadata: { ...asked.metadata } };
  restore(object.metadata, old.metadata);
  return object;
}

/** Counts a change of what is wanted. Asked after defaulting: leaving out what is the default anyway changes nothing. */
export function countGeneration(resource: Resource, object: KubernetesObject, old: KubernetesObject): void {
  if (!resource.kind.hasGeneration || sameButStatus(object, old)) return;
  object.metadata.generation = (old.metadata.generation ?? 0) + 1;
}

/** Refuses an update whose uid or revision is not the stored object's. */
export function checkIdentity(kind: Kind, asked: ObjectMeta, old: ObjectMeta): void {
  const name = old.name ?? '';
  if (asked.uid !== undefined && asked.uid !== old.uid) {
    throw ApiError.conflict(kind, name, mismatch('UID', asked.uid, old.uid));
  }
  if (asked.resourceVersion === undefined || asked.resourceVersion === '') {
    if (!kind.allowUnconditionalUpdate) throw ApiError.invalid(kind, name, [revisionRequired]);
    return;
  }
  if (asked.resourceVersion !== old.resourceVersion) throw ApiError.conflict(kind, name);
}

export function mismatch(what: 'UID' | 'ResourceVersion', asked: string, stored: string | undefined): string {
  return `Precondition failed: ${what} in precondition: ${asked}, ${what} in object meta: ${stored ?? ''}`;
}

/** Nothing that anyone may change differs. */
export function unchanged(object: KubernetesObject, old: KubernetesObject): boolean {
  return equalJson(withoutRevision(object), withoutRevision(old));
}

const revisionRequired: FieldError = {
  reason: 'FieldValueInvalid',
  field: 'metadata.resourceVersion',
  message: 'Invalid value: 0: must be specified for an update',
};

function restore(metadata: ObjectMeta, old: ObjectMeta): void {
  for (const field of serverFields) {
    const value = old[field];
    if (value === undefined) delete metadata[field];
    else Object.assign(metadata, { [field]: value });
  }
}

/** The part of an object that a (sub)resource may change, on top of what is stored. */
function scoped<T extends KubernetesObject>(
  resource: Resource<T>,
  asked: T,
  old: T,
  subresource: Subresource,
): T {
  const { status } = fieldsOf(subresource === 'status' ? asked : old);
  switch (subresource) {
    case 'status':
      return withField(old, 'status', status);
    case 'finalize':
      return withField(old, 'spec', {
        ...fieldsOf(old)['spec'],
        finalizers: fieldsOf(asked)['spec']?.['finalizers'],
      });
    case '':
      return keepFinalizers(resource.kind.hasStatus ? withField(asked, 'status', status) : asked, old);
  }
}

/** `spec.finalizers` of a namespace changes through its `finalize` subresource alone. */
function keepFinalizers<T extends KubernetesObject>(object: T, old: T): T {
  const finalizers = fieldsOf(old)['spec']?.['finalizers'];
  if (object.kind !== 'Namespace' || finalizers === undefined) return object;
  return withField(object, 'spec', { ...fieldsOf(object)['spec'], finalizers });
}

function sameButStatus(object: KubernetesObject, old: KubernetesObject): boolean {
  const { metadata: _metadata, status: _status, ...spec } = fieldsOf(object);
  const { metadata: _oldMetadata, status: _oldStatus, ...oldSpec } = fieldsOf(old);
  return equalJson(spec, oldSpec);
}

function withoutRevision(object: KubernetesObject): object {
  const { resourceVersion: _resourceVersion, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function withField<T extends KubernetesObject>(object: T, field: string, value: unknown): T {
  const { [field]: _replaced, ...rest } = fieldsOf(object);
  return (value === undefined ? rest : { ...rest, [field]: value }) as unknown as T;
}

/** An object as the fields it has, whatever its kind. */
function fieldsOf(object: KubernetesObject): Record<string, Record<string, unknown> | undefined> {
  return object as unknown as Record<string, Record<string, unknown> | undefined>;
}
