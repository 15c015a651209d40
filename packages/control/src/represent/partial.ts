/** Metadata alone: PartialObjectMetadata and its list, for clients that only follow names, labels and owners. */

import { decodeObject } from '../registry/codec.ts';
import type { Resource } from '../registry/resource.ts';
import type { Stored } from '../registry/write.ts';
import { listMetadata } from './list-head.ts';
import type { Representation } from './representation.ts';

const apiVersion = 'meta.k8s.io/v1';

export function partial(_resource: Resource): Representation {
  return {
    id: 'partial',
    one: (stored) => encode(partialObject(stored)),
    many: (items, meta) =>
      encode({
        kind: 'PartialObjectMetadataList',
        apiVersion,
        metadata: listMetadata(meta),
        items: items.map((stored) => partialObject(stored)),
      }),
    inEvent: (stored) => encode(partialObject(stored)),
    firstDiffers: false,
    bookmark: (revision, annotations) =>
      encode({ kind, apiVersion, metadata: { resourceVersion: String(revision), annotations } }),
  };
}

const kind = 'PartialObjectMetadata';

export function partialObject(stored: Stored): object {
  return { kind, apiVersion, metadata: decodeObject(stored.value, stored.revision).metadata };
}

function encode(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
