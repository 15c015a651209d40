/** What a request asks for, read from its method and URL alone: the attributes that authorization decides on. Pure. */

import type { ApiRequest } from './http.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** A request for objects. */
export interface ResourceRoute {
  readonly type: 'resource';
  readonly verb: Verb;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** Empty: all namespaces, or a cluster-wide resource. */
  readonly namespace: string;
  /** Empty for collections. */
  readonly name: string;
  readonly subresource: string;
}

/** Anything else: discovery, probes, metrics. */
export interface PathRoute {
  readonly type: 'path';
  /** `get`, or the method in lower case. */
  readonly verb: string;
  readonly path: string;
}

export type Route = ResourceRoute | PathRoute;

export const methods: readonly string[] = ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT'];

/** The answer is undefined where the URL is malformed. */
export function routeOf(request: Pick<ApiRequest, 'method' | 'path' | 'query'>): Route | undefined {
  const segments = segmentsOf(request.path);
  if (segments === undefined) return undefined;
  const [root, ...rest] = segments;
  if (root === 'api' && rest.length >= 2) return resourceRoute(request, '', rest);
  if (root === 'apis' && rest.length >= 3) return resourceRoute(request, rest[0] ?? '', rest.slice(1));
  const verb = request.method === 'HEAD' ? 'get' : request.method.toLowerCase();
  return { type: 'path', verb, path: `/${segments.join('/')}` };
}

/** `rest` is `VERSION/RESOURCE…` or `VERSION/namespaces/NAMESPACE/RESOURCE…`. */
function resourceRoute(
  request: Pick<ApiRequest, 'method' | 'query'>,
  group: string,
  rest: readonly string[],
): ResourceRoute | undefined {
  const [version = '', ...parts] = rest;
  // `namespaces/NAME` and its subresources are the Namespace itself; anything further is inside it.
  const inside = parts[0] === 'namespaces' && parts.length > 2 && !namespaceSubresources.has(parts[2] ?? '');
  const namespace = inside ? (parts[1] ?? '') : '';
  const [resource = '', name = '', subresource = '', ...more] = inside ? parts.slice(2) : parts;
  const verb = verbOf(request, name);
  if (more.length > 0 || verb === undefined) return undefined;
  return { type: 'resource', verb, group, version, resource, namespace, name, subresource };
}

const namespaceSubresources: ReadonlySet<string> = new Set(['status', 'finalize']);

function verbOf({ method, query }: Pick<ApiRequest, 'method' | 'query'>, name: string): Verb | undefined {
  switch (method) {
    case 'GET':
    case 'HEAD':
      // There is no beginning of a stream to show without the stream.
      if (method === 'GET' && isTrue(query.get('watch'))) return 'watch';
      return name === '' ? 'list' : 'get';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return name === '' ? 'deletecollection' : 'delete';
    default:
      return undefined;
  }
}

/** A boolean parameter: present and not `false` or `0`, as `?watch` alone counts. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== 'false' && value !== '0';
}

function segmentsOf(path: string): string[] | undefined {
  const segments: string[] = [];
  for (const raw of path.split('/')) {
    if (raw === '') continue;
    const segment = decoded(raw);
    // A name with a slash or a dot segment in it would point at another key.
    if (segment === undefined || segment.includes('/') || segment === '.' || segment === '..')
      return undefined;
    segments.push(segment);
  }
  return segments;
}

function decoded(raw: string): string | undefined {
  if (!raw.includes('%')) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}
