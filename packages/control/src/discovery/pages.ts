/** The discovery endpoints. Documents are made once, when first asked for. */

import { createHash } from 'node:crypto';
import type { Resource } from '../registry/resource.ts';
import { mediaRanges } from '../handlers/accept.ts';
import type { Answer, ApiRequest } from '../handlers/http.ts';
import { headerOf } from '../handlers/http.ts';
import type { Page } from '../handlers/pages.ts';
import { aggregatedDiscovery } from './aggregated.ts';
import { groupVersions } from './catalog.ts';
import { apiGroup, apiGroupList, apiResourceList, apiVersions } from './legacy.ts';

const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

export function discoveryPages(resources: readonly Resource[]): Map<string, Page> {
  const versions = groupVersions(resources);
  const pages = new Map<string, Page>([
    [
      '/api',
      either(
        () => apiVersions(versions),
        () => aggregatedDiscovery(versions, true),
      ),
    ],
    [
      '/apis',
      either(
        () => apiGroupList(versions),
        () => aggregatedDiscovery(versions, false),
      ),
    ],
  ]);
  for (const version of versions) {
    pages.set(
      version.path,
      single(() => apiResourceList(version)),
    );
    if (version.group !== '')
      pages.set(
        `/apis/${version.group}`,
        single(() => apiGroup(versions, version.group)),
      );
  }
  return pages;
}

function either(legacy: () => object, aggregated: () => object): Page {
  const plain = document(legacy);
  const whole = document(aggregated);
  return (request) =>
    wantsAggregated(request)
      ? answer(request, whole(), aggregatedType)
      : answer(request, plain(), 'application/json');
}

function single(make: () => object): Page {
  const plain = document(make);
  return (request) => answer(request, plain(), 'application/json');
}

interface Document {
  readonly text: string;
  readonly etag: string;
}

function document(make: () => object): () => Document {
  let made: Document | undefined;
  return () => {
    if (made === undefined) {
      const text = JSON.stringify(make());
      made = { text, etag: `"${createHash('sha512').update(text).digest('hex').toUpperCase()}"` };
    }
    return made;
  };
}

function answer(request: ApiRequest, { text, etag }: Document, type: string): Answer {
  const headers = { 'content-type': type, etag, vary: 'Accept', 'cache-control': 'public' };
  if (headerOf(request, 'if-none-match') === etag) return { status: 304, headers };
  return { status: 200, headers, body: text };
}

/** The first range that either form satisfies decides. */
function wantsAggregated(request: ApiRequest): boolean {
  for (const { type, parameters } of mediaRanges(headerOf(request, 'accept') ?? '')) {
    if (type !== 'application/json') continue;
    if (parameters.get('as') === undefined) return false;
    if (parameters.get('as') === 'APIGroupDiscoveryList' && parameters.get('v') === 'v2') return true;
  }
  return false;
}
