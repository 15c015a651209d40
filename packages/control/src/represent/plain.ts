/** Objects as they are: the stored bytes with their revision, never encoded again. */

import { asBuffer, servedBytes, versionField } from '../registry/codec.ts';
import type { Resource } from '../registry/resource.ts';
import type { Stored } from '../registry/write.ts';
import { listHead } from './list-head.ts';
import type { ListMeta, Representation } from './representation.ts';

export function plain(resource: Resource): Representation {
  const { apiVersion, kind } = resource;
  return {
    id: 'plain',
    one: (entry) => servedBytes(resource, entry.value, entry.revision),
    many: (entries, meta) => listBytes(resource, entries, meta),
    inEvent: (entry) => servedBytes(resource, entry.value, entry.revision),
    firstDiffers: false,
    bookmark: (revision, annotations) =>
      Buffer.from(
        JSON.stringify({
          kind: kind.kind,
          apiVersion,
          metadata: { resourceVersion: String(revision), annotations },
        }),
      ),
  };
}

/** Items of built-in kinds do not repeat kind and apiVersion; those of custom kinds do, as on a real server. */
function listBytes(resource: Resource, entries: readonly Stored[], meta: ListMeta): Buffer {
  const head = listHead(resource.apiVersion, `${resource.kind.kind}List`, meta);
  const itemHead = resource.custom ? resource.head.toString() : '{"metadata":{';
  const skip = resource.head.length;
  const heads = entries.map((entry) => itemHead + versionField(entry.revision));
  let size = head.length + entries.length + 2;
  entries.forEach((entry, i) => (size += (heads[i] as string).length + entry.value.length - skip));
  const bytes = Buffer.allocUnsafe(size);
  let at = bytes.write(head);
  entries.forEach((entry, i) => {
    if (i > 0) at += bytes.write(',', at, 'latin1');
    at += bytes.write(heads[i] as string, at, 'latin1');
    at += asBuffer(entry.value).copy(bytes, at, skip);
  });
  at += bytes.write(']}', at, 'latin1');
  return bytes.subarray(0, at);
}
