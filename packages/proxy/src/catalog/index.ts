/** The catalog: what the proxy remembers of Services, EndpointSlices, its Node and TrafficPolicies. */

export type {
  Balancing,
  Family,
  NodeRecord,
  ObjectKey,
  PolicyRecord,
  PolicySettings,
  PolicyTarget,
  Protocol,
  ServicePortRecord,
  ServiceRecord,
  SliceEndpointRecord,
  SlicePortRecord,
  SliceRecord,
  TrafficScope,
} from './records.ts';
export type { Endpoint } from './endpoint.ts';
export type { CatalogChange, ServiceView } from './catalog.ts';
export { Catalog } from './catalog.ts';
export { joinEndpoints } from './endpoints.ts';
export type { Ip } from './ip.ts';
export { addressMatcher, canonicalCidr, canonicalIp, endpointKey, familyOf } from './ip.ts';
export type { NodeFields, PolicyFields, ServiceFields, SliceFields } from './objects.ts';
export { projectNode } from './project-node.ts';
export { projectPolicy } from './project-policy.ts';
export { projectService } from './project-service.ts';
export { projectSlice } from './project-slice.ts';
