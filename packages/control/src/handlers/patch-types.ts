/** The kinds of patch, by media type. */

import type { KubernetesObject } from '@outrigger/core/api';
import { ApiError } from '@outrigger/core/api';
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch } from '../patch/index.ts';
import type { Resource } from '../registry/resource.ts';
import { decodeJson, mediaTypeOf } from './body.ts';

export interface Patch {
  /** Paths of fields given twice in the patch. */
  readonly duplicates: readonly string[];
  /** Gives the patched object as a value to be checked; does not change its argument. */
  readonly apply: (object: KubernetesObject) => unknown;
}

const jsonPatch = 'application/json-patch+json';
const mergePatch = 'application/merge-patch+json';
const strategicPatch = 'application/strategic-merge-patch+json';
const applyPatch = 'application/apply-patch+yaml';

/** Kinds of ours are patched as custom resources are: clients that know no schema have no use for strategic merge. */
export function patchTypes(resource: Resource): readonly string[] {
  return resource.custom ? [jsonPatch, mergePatch] : [jsonPatch, mergePatch, strategicPatch];
}

/** Throws 400 for a body that is not JSON and 415 for a kind of patch that is not served. */
export function patchFor(resource: Resource, body: Buffer, contentType: string | undefined): Patch {
  const type = mediaTypeOf(contentType);
  if (!patchTypes(resource).includes(type)) throw unsupported(resource, type);
  const { value: patch, duplicates } = decodeJson(body);
  switch (type) {
    case jsonPatch:
      return { duplicates, apply: (object) => applyJsonPatch(object, patch) };
    case strategicPatch:
      return { duplicates, apply: (object) => applyStrategicMergePatch(object, patch, resource.kind.schema) };
    default:
      return { duplicates, apply: (object) => applyMergePatch(object, patch) };
  }
}

function unsupported(resource: Resource, type: string): ApiError {
  const error = ApiError.unsupportedMediaType(patchTypes(resource));
  if (type !== applyPatch) return error;
  const status = error.toStatus();
  const why = 'server-side apply is not served here: use client-side apply, without --server-side';
  return new ApiError({ ...status, message: `${status.message ?? ''}; ${why}` });
}
