/** GET of one object, and lists. */

import { ApiError } from '@outrigger/core/api';
import { pathOf } from '../registry/resource.ts';
import { representations } from '../represent/choose.ts';
import { newest, atLeast } from './freshness.ts';
import type { Answer } from './http.ts';
import { headerOf } from './http.ts';
import { list } from './list.ts';
import { encoded } from './encoded.ts';
import { accept } from './accept.ts';
import { listParameters, parseRevision } from './parameters.ts';
import type { ApiParts, Call } from './parts.ts';
import { selectedBy } from './selecting.ts';

export async function getOne(parts: ApiParts, { request, route, resource }: Call): Promise<Answer> {
  const accepted = accept(headerOf(request, 'accept'), ['plain', 'table', 'partial']);
  const asked = request.query.get('resourceVersion') ?? '';
  // `0`: any state will do, so nothing is waited for.
  if (asked === '') await newest(parts.cache, parts.clock);
  else if (asked !== '0') await atLeast(parts.cache, parts.clock, parseRevision(asked));
  const entry = parts.cache.of(resource).get(pathOf(route.namespace, route.name));
  if (entry === undefined) throw ApiError.notFound(resource.kind, route.name);
  const represent = representations(resource, accepted.form, request.query, parts.clock);
  return encoded(200, represent.one(entry), accepted.format);
}

export async function listMany(parts: ApiParts, { request, route, resource }: Call): Promise<Answer> {
  const accepted = accept(headerOf(request, 'accept'), ['plain', 'table', 'partialList']);
  const parameters = listParameters(request.query);
  const { scope, selection } = selectedBy(resource, route, parameters);
  const { entries, meta } = await list(parts, { resource, scope, selection, parameters });
  const represent = representations(resource, accepted.form, request.query, parts.clock);
  return encoded(200, represent.many(entries, meta), accepted.format);
}
