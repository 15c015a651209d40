/** Rules of object metadata, the same for every kind. */

import { canonicalJson } from './equal.ts';
import { dns1123Label, labelValue, pathSegmentName, qualifiedName } from './names.ts';
import { fieldImmutable, forbidden, invalid, invalidBy, item, required, tooLong } from './problems.ts';
import type { FieldError, Kind } from './schema.ts';
import type { ObjectMeta, OwnerReference } from './kinds/meta.ts';

/** Keys and values of all annotations of an object together. */
export const maxAnnotationBytes = 256 * 1024;

/** Finalizers that need no domain prefix, as they mean the same to everyone. */
const standardFinalizers = ['orphan', 'foregroundDeletion', 'kubernetes'];

type KindRules = Pick<Kind, 'namespaced' | 'validateName'>;

export function validateMetadata(meta: ObjectMeta, kind: KindRules, path = 'metadata'): FieldError[] {
  return [
    ...validateNames(meta, kind, path),
    ...validateNamespace(meta, kind, `${path}.namespace`),
    ...(meta.generation !== undefined && meta.generation < 0
      ? [invalid(`${path}.generation`, meta.generation, 'must be greater than or equal to 0')]
      : []),
    ...validateLabels(meta.labels ?? {}, `${path}.labels`),
    ...validateAnnotations(meta.annotations ?? {}, `${path}.annotations`),
    ...validateOwners(meta.ownerReferences ?? [], `${path}.ownerReferences`),
    ...validateFinalizers(meta.finalizers ?? [], `${path}.finalizers`),
  ];
}

/** What may not change between two states of an object; server-set fields are expected to be restored already. */
export function validateMetadataUpdate(meta: ObjectMeta, old: ObjectMeta, path = 'metadata'): FieldError[] {
  const fixed = ['name', 'namespace', 'uid', 'creationTimestamp'] as const;
  const changed = fixed.filter((field) => (meta[field] ?? '') !== (old[field] ?? ''));
  return [
    ...changed.map((field) => invalid(`${path}.${field}`, meta[field] ?? '', fieldImmutable)),
    ...newFinalizers(meta, old, `${path}.finalizers`),
  ];
}

export function validateLabels(labels: Readonly<Record<string, string>>, path: string): FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...invalidBy(path, key, qualifiedName(key)),
    ...invalidBy(path, value, labelValue(value)),
  ]);
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>>,
  path: string,
): FieldError[] {
  let bytes = 0;
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(annotations)) {
    errors.push(...invalidBy(path, key, qualifiedName(key.toLowerCase())));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  return bytes > maxAnnotationBytes ? [...errors, tooLong(path, maxAnnotationBytes)] : errors;
}

export function validateFinalizers(finalizers: readonly string[], path: string): FieldError[] {
  const errors = finalizers.flatMap((name, index) => {
    const problems = qualifiedName(name);
    if (problems.length === 0 && !name.includes('/') && !standardFinalizers.includes(name)) {
      problems.push('name is neither a standard finalizer name nor is it fully qualified');
    }
    return invalidBy(item(path, index), name, problems);
  });
  if (!finalizers.includes('orphan') || !finalizers.includes('foregroundDeletion')) return errors;
  return [...errors, invalid(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set')];
}

function validateNames(meta: ObjectMeta, kind: KindRules, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (meta.generateName !== undefined && meta.generateName !== '') {
    // A name will follow the prefix, so a prefix that ends in a dash is as good as one that does not.
    const prefix = meta.generateName.replace(/-$/, '');
    errors.push(...invalidBy(`${path}.generateName`, meta.generateName, nameProblems(kind, prefix)));
  }
  if (meta.name === undefined || meta.name === '') {
    return [...errors, required(`${path}.name`, 'name or generateName is required')];
  }
  return [...errors, ...invalidBy(`${path}.name`, meta.name, nameProblems(kind, meta.name))];
}

function nameProblems(kind: KindRules, name: string): string[] {
  return [...pathSegmentName(name), ...kind.validateName(name)];
}

function validateNamespace(meta: ObjectMeta, kind: KindRules, path: string): FieldError[] {
  const namespace = meta.namespace ?? '';
  if (!kind.namespaced) return namespace === '' ? [] : [forbidden(path, 'not allowed on this type')];
  return namespace === '' ? [required(path)] : invalidBy(path, namespace, dns1123Label(namespace));
}

function validateOwners(owners: readonly OwnerReference[], path: string): FieldError[] {
  const errors = owners.flatMap((owner, index) => validateOwner(owner, item(path, index)));
  const controllers = owners.filter((owner) => owner.controller === true);
  if (controllers.length < 2) return errors;
  const names = controllers.map((owner) => `${owner.kind}/${owner.name}`).join(', ');
  const detail = `only one reference can have controller set to true, found ${names}`;
  return [...errors, invalid(path, owners, detail)];
}

function validateOwner(owner: OwnerReference, path: string): FieldError[] {
  const fields = ['apiVersion', 'kind', 'name', 'uid'] as const;
  const empty = fields.filter((field) => owner[field] === undefined || owner[field] === '');
  return empty.map((field) => invalid(`${path}.${field}`, '', 'must not be empty'));
}

function newFinalizers(meta: ObjectMeta, old: ObjectMeta, path: string): FieldError[] {
  if (old.deletionTimestamp === undefined) return [];
  const added = (meta.finalizers ?? []).filter((name) => old.finalizers?.includes(name) !== true);
  if (added.length === 0) return [];
  const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${canonicalJson(added)}`;
  return [forbidden(path, detail)];
}
