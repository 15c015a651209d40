/** A small API server with every fault a test asks for. Speaks real HTTP over whatever network it is given. */

import http from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Address, Net } from '@outrigger/core/net';

export interface FakeObject {
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  [field: string]: unknown;
}

interface HistoryEntry {
  readonly revision: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: string;
  readonly object: FakeObject;
}

interface OpenWatch {
  readonly resource: string;
  readonly matches: (object: FakeObject) => boolean;
  readonly response: ServerResponse;
  readonly bookmarks: boolean;
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export class FakeApi {
  /** The kube-system namespace's UID; undefined: reading it is forbidden. */
  uid: string | undefined = 'cluster-1';
  revision = 100;
  /** Watches from before this revision are 410. */
  compactedBefore = 0;
  /** 422 for sendInitialEvents, as servers without watch-list answer. */
  refuseWatchList = false;
  /** Takes sendInitialEvents for a plain watch, as a server that never heard of it might. */
  ignoreWatchList = false;
  /** Accepts watches and then says nothing more. */
  silent = false;
  /** Answers for the next requests instead of the right ones. */
  readonly failures: { status: number; retryAfter?: number; body?: string }[] = [];
  /** Resources that are not served. */
  readonly unserved = new Set<string>();
  readonly requests: SeenRequest[] = [];
  readonly watches = new Set<OpenWatch>();
  /** Rewrites every chunk a watch sends: cuts, splits, resets. */
  send: (response: ServerResponse, text: string) => void = (response, text) => void response.write(text);
  /** Answers requests the fake itself has no answer for. */
  other: ((request: SeenRequest, response: ServerResponse) => boolean) | undefined;

  readonly server = http.createServer((request, response) => void this.#serve(request, response));
  readonly #objects = new Map<string, Map<string, FakeObject>>();
  #history: HistoryEntry[] = [];
  url = '';
  #stop: () => void = () => {};

  async listen(net: Net, address: Address = { kind: 'tcp', host: '127.0.0.1', port: 0 }): Promise<string> {
    const listener = await net.listen(this.server, address);
    this.#stop = () => listener.close();
    this.url = address.kind === 'unix' ? listener.name : `http://${listener.name}`;
    return this.url;
  }

  close(): void {
    this.#stop();
    this.cutWatches();
    this.server.closeAllConnections();
  }

  put(resource: string, object: FakeObject): FakeObject {
    const all = this.#of(resource);
    const type = all.has(keyOf(object)) ? 'MODIFIED' : 'ADDED';
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.revision) } };
    all.set(keyOf(object), stored);
    this.#publish({ revision: this.revision, type, resource, object: stored });
    return stored;
  }

  delete(resource: string, key: string): void {
    const object = this.#of(resource).get(key);
    if (object === undefined) return;
    this.#of(resource).delete(key);
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.revision) } };
    this.#publish({ revision: this.revision, type: 'DELETED', resource, object: last });
  }

  /** Key → revision, as the truth to compare with. */
  truth(resource: string): Map<string, string | undefined> {
    return new Map([...this.#of(resource)].map(([key, { metadata }]) => [key, metadata.resourceVersion]));
  }

  /** Forgets objects without telling anyone: what a lost or restored database does. Whoever comes back has to list. */
  lose(resource: string, keys: readonly string[]): void {
    for (const key of keys) this.#of(resource).delete(key);
    this.revision += 1;
    this.compact();
  }

  bookmark(): void {
    for (const watch of this.watches) {
      if (watch.bookmarks)
        this.#line(watch.response, 'BOOKMARK', { metadata: { resourceVersion: String(this.revision) } });
    }
  }

  /** Ends streams in order, as a server does after timeoutSeconds. */
  endWatches(): void {
    for (const { response } of this.watches) response.end();
    this.watches.clear();
  }

  /** Breaks streams, as a crash does. */
  cutWatches(): void {
    for (const { response } of this.watches) response.destroy();
    this.watches.clear();
  }

  compact(): void {
    this.compactedBefore = this.revision + 1;
    this.#history = [];
  }

  #of(resource: string): Map<string, FakeObject> {
    const known = this.#objects.get(resource) ?? new Map<string, FakeObject>();
    this.#objects.set(resource, known);
    return known;
  }

  #publish(entry: HistoryEntry): void {
    this.#history.push(entry);
    for (const watch of this.watches) {
      if (watch.resource === entry.resource && watch.matches(entry.object))
        this.#line(watch.response, entry.type, entry.object);
    }
  }

  #line(response: ServerResponse, type: string, object: unknown): void {
    if (!this.silent) this.send(response, `${JSON.stringify({ type, object })}\n`);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://api');
    const body = (await request.toArray()).join('');
    const { method = 'GET', headers } = request;
    const seen: SeenRequest = { method, path: url.pathname, query: url.searchParams, headers, body };
    this.requests.push(seen);
    const failure = this.failures.shift();
    if (failure !== undefined) {
      const { status, retryAfter, body: text } = failure;
      response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) });
      response.end(text ?? JSON.stringify(statusBody(status, `made to fail with ${status}`)));
      return;
    }
    this.#route(seen, response);
  }

  #route(seen: SeenRequest, response: ServerResponse): void {
    if (this.other?.(seen, response) === true) return;
    const match = /^\/(?:api\/v1|apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([a-z]+)$/.exec(seen.path);
    const resource = match?.[2] ?? '';
    if (match === null || this.unserved.has(resource))
      return void refuse(response, 404, '404 page not found');
    if (resource === 'namespaces') return this.#namespaces(response);
    const matches = selector(match[1], seen.query);
    if (seen.query.get('watch') === '1') this.#watch(resource, matches, seen.query, response);
    else this.#list(resource, matches, seen.query, response);
  }

  #namespaces(response: ServerResponse): void {
    if (this.uid === undefined) return void refuse(response, 403, 'namespaces is forbidden');
    answer(response, {
      metadata: { resourceVersion: String(this.revision) },
      items: [{ metadata: { name: 'kube-system', uid: this.uid } }],
    });
  }

  #list(
    resource: string,
    matches: (object: FakeObject) => boolean,
    query: URLSearchParams,
    response: ServerResponse,
  ): void {
    const all = [...this.#of(resource).entries()]
      .filter(([, object]) => matches(object))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const token = query.get('continue');
    const [at, start] = token === null ? [String(this.revision), ''] : (token.split('|') as [string, string]);
    if (Number(at) < this.compactedBefore - 1 && token !== null) {
      return void refuse(response, 410, 'The provided continue parameter is too old');
    }
    const rest = all.filter(([key]) => key > start);
    const limit = Number(query.get('limit') ?? rest.length);
    const page = rest.slice(0, limit);
    const more = rest.length > page.length ? `${at}|${page.at(-1)?.[0]}` : undefined;
    answer(response, {
      metadata: { resourceVersion: at, ...(more === undefined ? {} : { continue: more }) },
      items: page.map(([, object]) => object),
    });
  }

  #watch(
    resource: string,
    matches: (object: FakeObject) => boolean,
    query: URLSearchParams,
    response: ServerResponse,
  ): void {
    const initial = query.get('sendInitialEvents') === 'true';
    if (initial && this.refuseWatchList)
      return void refuse(response, 422, 'sendInitialEvents is forbidden for watch');
    const bookmarks = query.get('allowWatchBookmarks') === 'true';
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const watch: OpenWatch = { resource, matches, response, bookmarks };
    this.watches.add(watch);
    response.on('close', () => this.watches.delete(watch));
    const from = query.get('resourceVersion');
    if (initial || from === null) this.#initialEvents(watch, initial && !this.ignoreWatchList);
    else this.#replay(watch, Number(from));
  }

  #initialEvents(watch: OpenWatch, mark: boolean): void {
    for (const object of this.#of(watch.resource).values())
      if (watch.matches(object)) this.#line(watch.response, 'ADDED', object);
    if (!mark) return;
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    this.#line(watch.response, 'BOOKMARK', {
      metadata: { resourceVersion: String(this.revision), annotations },
    });
  }

  #replay(watch: OpenWatch, from: number): void {
    if (from < this.compactedBefore - 1) {
      this.#line(
        watch.response,
        'ERROR',
        statusBody(410, `too old resource version: ${from} (${this.compactedBefore})`),
      );
      watch.response.end();
      return;
    }
    for (const { revision, type, resource, object } of this.#history) {
      if (revision > from && resource === watch.resource && watch.matches(object))
        this.#line(watch.response, type, object);
    }
  }
}

export function fakeObject(
  namespace: string,
  name: string,
  fields: Record<string, unknown> = {},
): FakeObject {
  return { metadata: { namespace, name }, ...fields };
}

function keyOf({ metadata }: FakeObject): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

function selector(namespace: string | undefined, query: URLSearchParams): (object: FakeObject) => boolean {
  const name = /^metadata\.name=(.+)$/.exec(query.get('fieldSelector') ?? '')?.[1];
  const labels = query.get('labelSelector') ?? '';
  const equal = /^([^ =]+)=(.+)$/.exec(labels);
  const among = /^([^ ]+) in \((.+)\)$/.exec(labels);
  return ({ metadata }) =>
    (namespace === undefined || metadata.namespace === namespace) &&
    (name === undefined || metadata.name === name) &&
    (equal === null || metadata.labels?.[equal[1] ?? ''] === equal[2]) &&
    (among === null || (among[2] ?? '').split(',').includes(metadata.labels?.[among[1] ?? ''] ?? ''));
}

function answer(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function refuse(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify(statusBody(code, message)));
}

function statusBody(code: number, message: string): object {
  const reason = { 403: 'Forbidden', 404: 'NotFound', 410: 'Expired', 422: 'Invalid' }[code];
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
}
