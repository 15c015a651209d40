/**
 * What stands between a request and its effect, in order, first line first. Requests pass the first list whatever they
 * ask for; writes pass the second too, wherever they come from. A gate lets pass by returning and refuses by throwing an
 * ApiError.
 */

import type { ValidationOptions } from '@outrigger/core/api';
import {
  ApiError,
  applyDefaults as applyKindDefaults,
  namespaceKind,
  validateObject,
} from '@outrigger/core/api';
import type { ServiceAllocator } from './allocate/index.ts';
import { allocateServices, completeServices } from './allocate/index.ts';
import type { Cache } from './cache/cache.ts';
import { contentsFinalizer } from './registry/deletion.ts';
import type { Resource } from './registry/resource.ts';
import type { Write } from './registry/write.ts';
import type { ApiRequest, Peer } from './handlers/http.ts';
import type { Route } from './handlers/route.ts';

/** Who asks. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

/** What authorization decides on: who wants to do what to which resource or path. */
export interface Attributes {
  readonly user: User;
  readonly route: Route;
}

export interface RequestGates {
  /** Throws 403 for what no program of ours would send. */
  readonly guard: (request: ApiRequest) => void;
  /** Throws 401. */
  readonly authenticate: (peer: Peer) => User;
  /** Throws 403. */
  readonly authorize: (attributes: Attributes) => void;
}

export function admitRequest(gates: RequestGates, request: ApiRequest, route: Route): User {
  gates.guard(request);
  const user = gates.authenticate(request.peer);
  gates.authorize({ user, route });
  return user;
}

export type Gate = (write: Write) => void | Promise<void>;

export interface WriteParts {
  readonly cache: Cache;
  readonly namespaces: Resource;
  readonly validation: ValidationOptions;
  /** Cluster IPs and node ports, reserved in the write's own transaction. */
  readonly allocator: ServiceAllocator;
  /** Objects of one resource at most; further ones are refused with 403. */
  readonly maxObjects: number;
}

export function writeChain(parts: WriteParts): (write: Write) => Promise<void> {
  const gates: readonly Gate[] = [
    keepFirstNamespaces,
    namespaceIsThere(parts.cache, parts.namespaces),
    applyDefaults,
    completeServices(parts.allocator.families),
    validate(parts.validation),
    allocateServices(parts.allocator),
    quota(parts.cache, parts.maxObjects),
  ];
  return async (write) => {
    for (const gate of gates) {
      const waiting = gate(write);
      if (waiting !== undefined) await waiting;
    }
  };
}

/** Clients count on them, and kube-system's uid is the identity of the store. */
const keptNamespaces: ReadonlySet<string> = new Set(['default', 'kube-public', 'kube-system']);

function keepFirstNamespaces({ operation, resource, object }: Write): void {
  const { name = '' } = object.metadata;
  if (operation === 'delete' && resource.kind.kind === namespaceKind.kind && keptNamespaces.has(name))
    throw ApiError.forbidden(resource.kind, name, 'this namespace may not be deleted');
}

/**
 * Nothing is created in a namespace that is missing or going away. The transaction compares the namespace's revision,
 * so that once it is terminating, what is in it can only become less.
 */
function namespaceIsThere(cache: Cache, namespaces: Resource): Gate {
  return ({ operation, resource, object, compare }) => {
    const { name = '', namespace = '' } = object.metadata;
    if (operation !== 'create' || !resource.kind.namespaced || namespace === '') return;
    const entry = cache.of(namespaces).get(namespace);
    if (entry === undefined) throw ApiError.notFound(namespaceKind, namespace);
    if (entry.fields['status.phase'] === 'Terminating')
      throw ApiError.namespaceTerminating(resource.kind, name, namespace);
    compare.push({ key: namespaces.prefix + namespace, modRevision: entry.revision });
  };
}

/** Lets selectors find a namespace by its name; the server keeps it. */
const namespaceNameLabel = 'kubernetes.io/metadata.name';

function applyDefaults({ operation, resource, object }: Write): void {
  if (operation === 'delete') return;
  applyKindDefaults(resource.kind, object);
  if (operation === 'create' && resource.kind.kind === namespaceKind.kind) {
    Object.assign(object, { spec: { finalizers: [contentsFinalizer] }, status: { phase: 'Active' } });
  }
  if (resource.kind.kind === namespaceKind.kind) {
    object.metadata.labels = { ...object.metadata.labels, [namespaceNameLabel]: object.metadata.name ?? '' };
  }
}

function validate(options: ValidationOptions): Gate {
  return ({ operation, resource, object, old }) => {
    if (operation === 'delete') return;
    const problems = validateObject(resource.kind, object, old, options);
    if (problems.length > 0) throw ApiError.invalid(resource.kind, object.metadata.name ?? '', problems);
  };
}

function quota(cache: Cache, maxObjects: number): Gate {
  return ({ operation, resource, object }) => {
    if (operation !== 'create' || cache.of(resource).size < maxObjects) return;
    const why = `there are ${cache.of(resource).size} already, and the limit is ${maxObjects}`;
    throw ApiError.forbidden(resource.kind, object.metadata.name ?? '', why);
  };
}
