/** `/openapi/v3`: an index of documents under their hashes, so that clients keep what they have until it changes. */

import { createHash } from 'node:crypto';
import { groupVersions } from '../discovery/catalog.ts';
import type { GroupVersion } from '../discovery/catalog.ts';
import type { Answer, ApiRequest } from '../handlers/http.ts';
import { headerOf } from '../handlers/http.ts';
import type { Page } from '../handlers/pages.ts';
import { json } from '../handlers/respond.ts';
import type { Resource } from '../registry/resource.ts';

const yearSeconds = 31_536_000;

interface Document {
  readonly text: string;
  readonly hash: string;
}

/** Documents are made when first asked for: most processes never are. */
export function openApiPages(resources: readonly Resource[]): Map<string, Page> {
  const versions = groupVersions(resources);
  const documents = new Map<string, Promise<Document>>();
  const documentOf = (version: GroupVersion): Promise<Document> => {
    let made = documents.get(version.path);
    if (made === undefined) documents.set(version.path, (made = makeDocument(version)));
    return made;
  };
  const pages = new Map<string, Page>([['/openapi/v3', () => index(versions, documentOf)]]);
  for (const version of versions) {
    pages.set(`/openapi/v3${version.path}`, async (request) => answer(request, await documentOf(version)));
  }
  return pages;
}

async function makeDocument(version: GroupVersion): Promise<Document> {
  const { openApiDocument } = await import('./document.ts');
  const text = JSON.stringify(openApiDocument(version));
  return { text, hash: createHash('sha512').update(text).digest('hex').toUpperCase() };
}

async function index(
  versions: readonly GroupVersion[],
  documentOf: (version: GroupVersion) => Promise<Document>,
): Promise<Answer> {
  const paths: Record<string, object> = {};
  for (const version of versions) {
    const { hash } = await documentOf(version);
    paths[version.path.slice(1)] = { serverRelativeURL: `/openapi/v3${version.path}?hash=${hash}` };
  }
  return json(200, { paths });
}

function answer(request: ApiRequest, { text, hash }: Document): Answer {
  const etag = `"${hash}"`;
  const lasting = request.query.get('hash') === hash;
  const headers = {
    'content-type': 'application/json',
    etag,
    vary: 'Accept',
    'cache-control': lasting ? `public, max-age=${yearSeconds}, immutable` : 'no-cache, private',
  };
  if (headerOf(request, 'if-none-match') === etag) return { status: 304, headers };
  return { status: 200, headers, body: text };
}
