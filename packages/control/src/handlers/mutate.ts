/** POST, PUT, PATCH and DELETE. */

import type { KubernetesObject } from '@outrigger/core/api';
import { ApiError, deletedStatus } from '@outrigger/core/api';
import { PatchError, patchStatus } from '../patch/index.ts';
import type { ObjectPath } from '../registry/resource.ts';
import { pathOf } from '../registry/resource.ts';
import type { Subresource, Written } from '../registry/write.ts';
import { representations } from '../represent/choose.ts';
import { accept } from './accept.ts';
import { decodeBody } from './body.ts';
import { named, placeIn, understand } from './decode-object.ts';
import { deleteOptions } from './delete-options.ts';
import { encoded } from './encoded.ts';
import type { Answer } from './http.ts';
import { headerOf } from './http.ts';
import { list } from './list.ts';
import { listParameters, writeParameters } from './parameters.ts';
import type { ApiParts, Call } from './parts.ts';
import { patchFor } from './patch-types.ts';
import { statusAnswer, warningValues } from './respond.ts';
import { selectedBy } from './selecting.ts';

export async function create(parts: ApiParts, call: Call): Promise<Answer> {
  const { request, route, resource } = call;
  const { dryRun, fieldValidation } = writeParameters(request.query, 'CreateOptions');
  const decoded = await decodeBody(await request.body(), headerOf(request, 'content-type'));
  const asked = understand(resource, decoded, fieldValidation);
  const make = (): KubernetesObject => placeIn(resource, asked.fresh(), route.namespace);
  const written = await parts.registry.create(resource, make, { dryRun });
  return answer(parts, call, written, asked.warnings);
}

export async function update(parts: ApiParts, call: Call): Promise<Answer> {
  const { request, route, resource } = call;
  const { dryRun, fieldValidation } = writeParameters(request.query, 'UpdateOptions');
  const decoded = await decodeBody(await request.body(), headerOf(request, 'content-type'));
  const asked = understand(resource, decoded, fieldValidation);
  const make = (): KubernetesObject => named(placeIn(resource, asked.fresh(), route.namespace), route.name);
  const written = mayCreate(parts, call, make())
    ? await parts.registry.create(resource, make, { dryRun })
    : await parts.registry.update(resource, pathOfCall(call), make, {
        dryRun,
        subresource: subresourceOf(call),
      });
  return answer(parts, call, written, asked.warnings);
}

export async function patch(parts: ApiParts, call: Call): Promise<Answer> {
  const { request, route, resource } = call;
  const { dryRun, fieldValidation } = writeParameters(request.query, 'PatchOptions');
  const { duplicates, apply } = patchFor(resource, await request.body(), headerOf(request, 'content-type'));
  let warnings: readonly string[] = [];
  const change = (old: KubernetesObject): KubernetesObject => {
    const asked = understand(resource, { value: patched(() => apply(old)), duplicates }, fieldValidation);
    warnings = asked.warnings;
    const object = named(placeIn(resource, asked.fresh(), route.namespace), route.name);
    // A patch that takes the revision away asks for no check, as one that never named it.
    object.metadata.resourceVersion ??= old.metadata.resourceVersion ?? '';
    return object;
  };
  const options = { dryRun, subresource: subresourceOf(call) };
  const written = await parts.registry.update(resource, pathOfCall(call), change, options);
  return answer(parts, call, written, warnings);
}

export async function remove(parts: ApiParts, call: Call): Promise<Answer> {
  const { request, resource } = call;
  const options = await deleteOptions(request);
  const deleted = await parts.registry.delete(resource, pathOfCall(call), options);
  if (deleted.gone) return statusAnswer(deletedStatus(resource.kind, deleted.name, deleted.uid));
  return answer(parts, call, { ...deleted, created: false }, []);
}

/** Deletes what a list with these selectors shows, one object after the other, and answers with that list. */
export async function removeMany(parts: ApiParts, { request, route, resource }: Call): Promise<Answer> {
  const { format } = accept(headerOf(request, 'accept'), ['plain', 'partialList']);
  const options = await deleteOptions(request);
  const parameters = listParameters(request.query);
  const { scope, selection } = selectedBy(resource, route, parameters);
  const { entries, meta } = await list(parts, { resource, scope, selection, parameters });
  for (const entry of entries) {
    try {
      await parts.registry.delete(resource, entry.path, options);
    } catch (error) {
      // Someone else was quicker: it is gone, which is what was asked for.
      if (!(error instanceof ApiError) || error.reason !== 'NotFound') throw error;
    }
  }
  const represent = representations(resource, 'plain', request.query, parts.clock);
  return encoded(200, represent.many(entries, meta), format);
}

async function answer(
  parts: ApiParts,
  call: Call,
  written: Written,
  warnings: readonly string[],
): Promise<Answer> {
  const { request, resource } = call;
  const { format, form } = accept(headerOf(request, 'accept'), ['plain', 'table', 'partial']);
  const represent = representations(resource, form, request.query, parts.clock);
  const headers = warnings.length === 0 ? {} : { warning: warningValues(warnings) };
  return encoded(written.created ? 201 : 200, represent.one(written), format, headers);
}

/** PUT to a name that does not exist, for the kinds that allow it; one that names a revision means an object that was. */
function mayCreate(parts: ApiParts, { route, resource }: Call, object: KubernetesObject): boolean {
  const { resourceVersion, uid } = object.metadata;
  if (!resource.kind.allowCreateOnUpdate || route.subresource !== '') return false;
  if ((resourceVersion ?? '') !== '' || uid !== undefined) return false;
  return parts.cache.of(resource).get(pathOf(route.namespace, route.name)) === undefined;
}

function patched(apply: () => unknown): unknown {
  try {
    return apply();
  } catch (error) {
    throw error instanceof PatchError ? patchStatus(error) : error;
  }
}

function pathOfCall({ route }: Call): ObjectPath {
  return pathOf(route.namespace, route.name);
}

/** The router lets through those that exist alone. */
function subresourceOf({ route }: Call): Subresource {
  return route.subresource as Subresource;
}
