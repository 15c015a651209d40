/**
 * Objects as bytes. An object is stored without `resourceVersion`, because the revision is only known once it is stored;
 * what is served is the stored bytes with `"resourceVersion":"N",` put in right after the fixed head, so that reading
 * and watching never encode an object again.
 */

import type { KubernetesObject, ObjectMeta } from '@outrigger/core/api';
import type { Resource } from './resource.ts';

/** Metadata in the order everyone is used to reading it; what is not listed follows. */
const metadataOrder: readonly (keyof ObjectMeta)[] = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
];

export function encodeObject(resource: Resource, object: KubernetesObject): Buffer {
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = object;
  return Buffer.from(
    JSON.stringify({
      apiVersion: resource.apiVersion,
      kind: resource.kind.kind,
      metadata: orderedMetadata(metadata),
      ...rest,
    }),
  );
}

/** The object as clients see it; a fresh copy each time. */
// The type parameter saves every caller a cast that says no more.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function decodeObject<T extends KubernetesObject>(value: Uint8Array, revision: number): T {
  const object = JSON.parse(asBuffer(value).toString()) as T;
  object.metadata.resourceVersion = String(revision);
  return object;
}

/** Bytes of one object as served. */
export function servedBytes(resource: Resource, value: Uint8Array, revision: number): Buffer {
  // A dry run of a creation has no revision.
  if (revision === 0) return asBuffer(value);
  const { head } = resource;
  const version = versionField(revision);
  const bytes = Buffer.allocUnsafe(value.length + version.length);
  bytes.set(head, 0);
  bytes.write(version, head.length, 'latin1');
  bytes.set(value.subarray(head.length), head.length + version.length);
  return bytes;
}

/** The piece of metadata that the stored bytes lack. */
export function versionField(revision: number): string {
  return `"resourceVersion":"${revision}",`;
}

/** The same memory as a Buffer: stores hand out plain Uint8Arrays. */
export function asBuffer(value: Uint8Array): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

function orderedMetadata(metadata: ObjectMeta): ObjectMeta {
  const { resourceVersion: _resourceVersion, ...rest } = metadata;
  const ordered: Record<string, unknown> = {};
  for (const field of metadataOrder) {
    if (field in rest) ordered[field] = rest[field as keyof typeof rest];
  }
  return Object.assign(ordered, rest);
}
