/** Lists: from the cache where it can tell the truth asked for, from the store's history where an older one is meant. */

import { ApiError } from '@outrigger/core/api';
import type { Clock } from '@outrigger/core/clock';
import { errorCode } from '@outrigger/core/errors';
import type { Cache } from '../cache/cache.ts';
import type { Entry } from '../cache/entry.ts';
import { entryOf } from '../cache/entry.ts';
import type { Scope } from '../cache/resource-cache.ts';
import type { Resource } from '../registry/resource.ts';
import type { ListMeta } from '../represent/representation.ts';
import type { Store } from '../store/store.ts';
import type { Selection } from '../watch/selection.ts';
import { everything } from '../watch/selection.ts';
import type { Continuation } from './continue.ts';
import { after, decodeContinue, encodeContinue } from './continue.ts';
import { atLeast, newest } from './freshness.ts';
import type { ListParameters } from './parameters.ts';
import { parseRevision } from './parameters.ts';

export interface ListParts {
  readonly cache: Cache;
  readonly store: Store;
  readonly clock: Clock;
}

export interface ListQuery {
  readonly resource: Resource;
  readonly scope: Scope;
  readonly selection: Selection;
  readonly parameters: ListParameters;
}

export interface Listed {
  readonly entries: readonly Entry[];
  readonly meta: ListMeta;
}

/** Objects read from the store's history at a time. */
const historyPage = 500;

export async function list(parts: ListParts, query: ListQuery): Promise<Listed> {
  const { parameters, resource } = query;
  if (parameters.continue !== '') return continued(parts, query, decodeContinue(parameters.continue));
  const { resourceVersion, match, limit } = parameters;
  if (resourceVersion === '') await newest(parts.cache, parts.clock);
  if (resourceVersion === '' || resourceVersion === '0') {
    return current(parts.cache, query, resourceVersion === '0' ? 0 : limit, '');
  }
  const revision = parseRevision(resourceVersion);
  await atLeast(parts.cache, parts.clock, revision);
  if (match !== 'Exact' || parts.cache.of(resource).lastChange <= revision) {
    return current(parts.cache, query, limit, '', match === 'Exact' ? revision : undefined);
  }
  return older(parts.store, query, { revision, from: '' }, tooOld);
}

async function continued(parts: ListParts, query: ListQuery, token: Continuation): Promise<Listed> {
  const { resourceVersion, limit } = query.parameters;
  if (resourceVersion !== '' && resourceVersion !== '0') {
    throw ApiError.badRequest('specifying resource version is not allowed when using continue');
  }
  const { revision, from } = token;
  if (revision === 'newest') {
    await newest(parts.cache, parts.clock);
    return current(parts.cache, query, limit, from);
  }
  await atLeast(parts.cache, parts.clock, revision);
  // While nothing of this resource has changed since the first page, the present is the past that is asked for.
  if (parts.cache.of(query.resource).lastChange <= revision)
    return current(parts.cache, query, limit, from, revision);
  return older(parts.store, query, { revision, from }, () => continueTooOld(from));
}

function current(
  cache: Cache,
  query: ListQuery,
  limit: number,
  from: string,
  revision = cache.revision,
): Listed {
  const { resource, scope, selection } = query;
  const objects = cache.of(resource);
  const entries: Entry[] = [];
  for (const entry of objects.walk(scope, from)) {
    if (!selection.matches(entry)) continue;
    if (limit > 0 && entries.length === limit) return paged(entries, revision, remaining());
    entries.push(entry);
  }
  return { entries, meta: { resourceVersion: String(revision), continue: '', remaining: undefined } };

  function remaining(): number | undefined {
    return selection === everything ? objects.count(scope, after(entries.at(-1)?.path ?? '')) : undefined;
  }
}

/** The state at an older revision, out of the store. */
async function older(
  store: Store,
  query: ListQuery,
  { revision, from }: { readonly revision: number; readonly from: string },
  forgotten: () => ApiError,
): Promise<Listed> {
  const { resource, scope, selection } = query;
  const limit = query.parameters.limit || Number.POSITIVE_INFINITY;
  const prefix = resource.prefix + (scope.namespace === '' ? '' : `${scope.namespace}/`);
  const entries: Entry[] = [];
  let next: string | undefined = resource.prefix + from;
  while (next !== undefined) {
    const page = await readAt(store, prefix, next, revision, forgotten);
    for (const [i, item] of page.items.entries()) {
      const stored = { value: item.value, revision: item.modRevision, createRevision: item.createRevision };
      const entry = entryOf(resource, item.key.slice(resource.prefix.length), stored);
      if (!selection.matches(entry)) continue;
      if (entries.length === limit) {
        const left = page.items.length - i + page.remaining;
        return paged(entries, revision, selection === everything ? left : undefined);
      }
      entries.push(entry);
    }
    next = page.more ? after(page.items.at(-1)?.key ?? '') : undefined;
  }
  return { entries, meta: { resourceVersion: String(revision), continue: '', remaining: undefined } };
}

async function readAt(store: Store, prefix: string, from: string, at: number, forgotten: () => ApiError) {
  try {
    return await store.range(prefix, { from, limit: historyPage, at });
  } catch (error) {
    if (errorCode(error) === 'STORE_COMPACTED') throw forgotten();
    throw error;
  }
}

function paged(entries: readonly Entry[], revision: number, remaining: number | undefined): Listed {
  const token = encodeContinue({ revision, from: after(entries.at(-1)?.path ?? '') });
  return { entries, meta: { resourceVersion: String(revision), continue: token, remaining } };
}

function tooOld(): ApiError {
  return ApiError.expired('The resourceVersion for the provided list is too old.');
}

function continueTooOld(from: string): ApiError {
  return ApiError.expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the ' +
      'continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing ' +
      'with the provided token results in an inconsistent list - objects that were created, modified, or deleted between ' +
      'the time the first chunk was returned and now may show up in the list.',
    encodeContinue({ revision: 'newest', from }),
  );
}
