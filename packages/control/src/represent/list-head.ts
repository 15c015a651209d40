/** What every list begins with, up to the opening bracket of its items. */

import type { ListMeta } from './representation.ts';

export function listHead(apiVersion: string, kind: string, meta: ListMeta): string {
  return `{"kind":"${kind}","apiVersion":"${apiVersion}","metadata":${JSON.stringify(listMetadata(meta))},"items":[`;
}

export function listMetadata(meta: ListMeta): object {
  return {
    resourceVersion: meta.resourceVersion,
    ...(meta.continue === '' ? {} : { continue: meta.continue }),
    ...(meta.remaining === undefined ? {} : { remainingItemCount: meta.remaining }),
  };
}
