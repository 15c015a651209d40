/** Requests for objects: finds the resource, checks that the verb fits, hands over. */

import { ApiError } from '@outrigger/core/api';
import type { Resource } from '../registry/resource.ts';
import type { Answer, ApiRequest, StreamAnswer } from './http.ts';
import { create, patch, remove, removeMany, update } from './mutate.ts';
import type { ApiParts, Call } from './parts.ts';
import { getOne, listMany } from './read.ts';
import { warningValues } from './respond.ts';
import type { ResourceRoute, Verb } from './route.ts';
import { watch } from './watch.ts';

type ResourceHandler = (parts: ApiParts, call: Call) => Promise<Answer | StreamAnswer>;

const handlers: Readonly<Record<Verb, ResourceHandler>> = {
  get: getOne,
  list: listMany,
  watch,
  create,
  update,
  patch,
  delete: remove,
  deletecollection: removeMany,
};

/** Verbs a subresource has; the object itself has all. */
const subresourceVerbs: ReadonlySet<Verb> = new Set<Verb>(['get', 'update', 'patch']);

export class Resources {
  readonly #parts: ApiParts;
  readonly #byUrl = new Map<string, Resource>();

  constructor(parts: ApiParts) {
    this.#parts = parts;
    for (const resource of parts.resources) {
      this.#byUrl.set(`${resource.apiVersion}/${resource.kind.resource}`, resource);
    }
  }

  /** Undefined where nothing of that name is served: the answer is a plain 404. */
  find(route: ResourceRoute): Resource | undefined {
    const version = route.group === '' ? route.version : `${route.group}/${route.version}`;
    const resource = this.#byUrl.get(`${version}/${route.resource}`);
    if (resource === undefined || !placed(resource, route)) return undefined;
    return route.subresource === '' || hasSubresource(resource, route.subresource) ? resource : undefined;
  }

  async handle(
    request: ApiRequest,
    route: ResourceRoute,
    resource: Resource,
  ): Promise<Answer | StreamAnswer> {
    if (!verbFits(route) || !hasVerb(resource, route.verb))
      throw ApiError.methodNotAllowed(resource.kind, route.verb);
    const answer = await handlers[route.verb](this.#parts, { request, route, resource });
    const { warning } = resource.kind;
    return warning === undefined ? answer : withWarning(answer, warning);
  }
}

export function hasSubresource(resource: Resource, subresource: string): boolean {
  if (subresource === 'status') return resource.kind.hasStatus;
  return subresource === 'finalize' && resource.name === 'namespaces';
}

/** Namespaces go one by one, by name: a whole cluster is not emptied by one slip. */
export function hasVerb(resource: Resource, verb: Verb): boolean {
  return verb !== 'deletecollection' || resource.name !== 'namespaces';
}

/** Every answer about a kind on its way out says so. */
function withWarning<A extends Answer | StreamAnswer>(answer: A, warning: string): A {
  const others = [answer.headers?.['warning'] ?? []].flat();
  return { ...answer, headers: { ...answer.headers, warning: [...warningValues([warning]), ...others] } };
}

/** Objects of a namespaced kind are only reached through their namespace; lists and watches may span all. */
function placed({ kind }: Resource, { namespace, name, verb }: ResourceRoute): boolean {
  if (!kind.namespaced) return namespace === '';
  return namespace !== '' || (name === '' && verb !== 'create');
}

function verbFits({ verb, name, subresource }: ResourceRoute): boolean {
  if (subresource !== '') return subresourceVerbs.has(verb);
  if (verb === 'create') return name === '';
  return name !== '' || (verb !== 'update' && verb !== 'patch');
}
