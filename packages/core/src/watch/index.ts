/**
 * The list+watch client: connection, reflectors that never stop silently, fail-static holds and the snapshot.
 *
 * Daemons use `createSource`; the command line uses `resolveConnection` and `createApiClient` for single requests.
 */

export type { ControlConfig } from './config.ts';
export { controlConnectionChecks, controlConnectionFields, hasControl } from './config.ts';
export type { ConnectionDeps, ControlConnection } from './connection/connection.ts';
export { resolveConnection } from './connection/connection.ts';
export type { ApiClient, ApiRequest, ApiStream, ClientDeps, ClientOptions } from './transport/client.ts';
export { createApiClient } from './transport/client.ts';
export type { Query, ResourceRef, ResourceScope } from './transport/path.ts';
export { resourcePath } from './transport/path.ts';
export type { Cause, Changes, Doubt, Held } from './reflector/types.ts';
export type { ReflectorStatus, Scope } from './reflector/reflect.ts';
export type { HeldGroup, HoldRule } from './hold/shrink-hold.ts';
export { removalsToHold, ShrinkHold, wholeRecords } from './hold/shrink-hold.ts';
export type { ObjectRef } from './source/scopes.ts';
export { scopesOfNamespaces, scopesOfObjects, scopesOfSlices } from './source/scopes.ts';
export type { Watch, WatchSpec } from './source/watch-set.ts';
export type { Source, SourceOptions, SourceStatus } from './source/source.ts';
export { createSource } from './source/source.ts';
export type { ServiceEndpoint } from './services/endpoints.ts';
export type { EndpointWatch, WatchService } from './services/watch-services.ts';
export { watchServices } from './services/watch-services.ts';
