/** Opens watches: from when, for how long, in what form. What is wrong is said before the stream begins. */

import { ApiError } from '@outrigger/core/api';
import { representations } from '../represent/choose.ts';
import type { WatchSpec } from '../watch/watcher.ts';
import { accept } from './accept.ts';
import { atLeast, newest } from './freshness.ts';
import type { StreamAnswer } from './http.ts';
import { headerOf } from './http.ts';
import type { WatchParameters } from './parameters.ts';
import { parseRevision, watchParameters } from './parameters.ts';
import type { ApiParts, Call } from './parts.ts';
import { selectedBy } from './selecting.ts';

/** Without a timeout from the client a watch lasts between this and twice this, so that not all end together. */
const defaultTimeoutSeconds = 1_800;

export async function watch(parts: ApiParts, { request, route, resource }: Call): Promise<StreamAnswer> {
  const accepted = accept(headerOf(request, 'accept'), ['plain', 'table', 'partial', 'partialList']);
  if (accepted.format !== 'json') throw ApiError.notAcceptable(['application/json']);
  const parameters = watchParameters(request.query);
  const { scope, selection } = selectedBy(resource, route, parameters);
  if (parts.hub.size >= parts.maxWatches) {
    throw ApiError.tooManyRequests(`${parts.hub.size} watches are open, and that is the limit`, 1);
  }
  const spec: WatchSpec = {
    resource,
    scope,
    selection,
    represent: representations(resource, accepted.form, request.query, parts.clock),
    start: await startOf(parts, parameters),
    bookmarks: parameters.bookmarks,
    timeoutMs: timeoutMs(parts, parameters.timeoutSeconds),
  };
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    open: (sink) => parts.hub.open(spec, sink),
  };
}

async function startOf(parts: ApiParts, parameters: WatchParameters): Promise<WatchSpec['start']> {
  const { sendInitialEvents, resourceVersion, bookmarks } = parameters;
  const anything = resourceVersion === '' || resourceVersion === '0';
  if (sendInitialEvents === true) {
    if (resourceVersion === '') await newest(parts.cache, parts.clock);
    else await atLeast(parts.cache, parts.clock, parseRevision(resourceVersion));
    return { type: 'state', endMark: bookmarks };
  }
  if (!anything) return { type: 'after', revision: parseRevision(resourceVersion) };
  if (resourceVersion === '') await newest(parts.cache, parts.clock);
  if (sendInitialEvents === false) return { type: 'after', revision: parts.cache.revision };
  return { type: 'state', endMark: false };
}

function timeoutMs({ random }: ApiParts, seconds: number | undefined): number {
  if (seconds !== undefined && seconds > 0) return seconds * 1000;
  return Math.round(defaultTimeoutSeconds * (1 + random.next()) * 1000);
}
