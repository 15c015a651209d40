/** The whole API as one function from request to answer: admission, limits, then the handler the URL names. */

import { randomUUID } from 'node:crypto';
import { ApiError } from '@outrigger/core/api';
import type { Logger } from '@outrigger/core/log';
import type { RequestGates } from '../admission.ts';
import { admitRequest } from '../admission.ts';
import { finished } from './finish.ts';
import { isStream } from './http.ts';
import type { Answer, ApiRequest, Handler, StreamAnswer } from './http.ts';
import type { InFlight } from './in-flight.ts';
import type { Pages } from './pages.ts';
import { statusAnswer, text, toApiError } from './respond.ts';
import type { Resource } from '../registry/resource.ts';
import type { Resources } from './resources.ts';
import type { Route } from './route.ts';
import { methods, routeOf } from './route.ts';

export interface ApiOptions {
  readonly gates: RequestGates;
  readonly resources: Resources;
  readonly pages: Pages;
  readonly inFlight: InFlight;
  readonly log: Logger;
  /** One request answered; watches when they have begun. */
  readonly observe: (observation: Observation) => void;
  readonly now: () => number;
}

export interface Observation {
  readonly verb: string;
  /** `services`, or empty for other paths. */
  readonly resource: string;
  readonly code: number;
  readonly seconds: number;
}

const common = { 'cache-control': 'no-cache, private' } as const;

export function createApi(options: ApiOptions): Handler {
  return async (request) => {
    const started = options.now();
    const route = routeOf(request);
    const resource = route?.type === 'resource' ? options.resources.find(route) : undefined;
    const answer = await safely(options, request, route, resource);
    const seconds = (options.now() - started) / 1000;
    options.observe({ verb: verbOf(route), resource: resource?.name ?? '', code: answer.status, seconds });
    const complete = { ...answer, headers: { 'audit-id': randomUUID(), ...common, ...answer.headers } };
    return isStream(complete) ? complete : finished(request, complete);
  };
}

async function safely(
  options: ApiOptions,
  request: ApiRequest,
  route: Route | undefined,
  resource: Resource | undefined,
): Promise<Answer | StreamAnswer> {
  try {
    if (!methods.includes(request.method)) return methodNotAllowed();
    if (route === undefined) return notFound();
    admitRequest(options.gates, request, route);
    return await options.inFlight.run(route, () => dispatch(options, request, route, resource));
  } catch (error) {
    const failure = toApiError(error);
    if (failure.httpStatus >= 500) {
      options.log.warn('a request failed', { method: request.method, path: request.path, error });
    }
    return statusAnswer(failure.toStatus());
  }
}

async function dispatch(
  { resources, pages }: ApiOptions,
  request: ApiRequest,
  route: Route,
  resource: Resource | undefined,
): Promise<Answer | StreamAnswer> {
  if (route.type === 'resource') {
    return resource === undefined ? notFound() : resources.handle(request, route, resource);
  }
  const page = pages.get(route.path);
  if (page === undefined) return notFound();
  if (route.verb !== 'get')
    throw ApiError.methodNotAllowed({ group: '', resource: route.path }, request.method);
  return page(request);
}

function methodNotAllowed(): Answer {
  return text(405, `use one of ${methods.join(', ')}\n`, { allow: methods.join(', ') });
}

function notFound(): Answer {
  return text(404, '404 page not found\n');
}

/** Verbs of paths are methods, which anyone can make up: few of them are worth a series. */
function verbOf(route: Route | undefined): string {
  if (route?.type === 'resource') return route.verb;
  return route?.verb === 'get' ? 'get' : 'other';
}
