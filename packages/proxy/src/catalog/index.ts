/** The catalog: what the proxy remembers of Services, EndpointSlices, its Node and TrafficPolicies. */

export type {
  Balancing,
  Family,
  NodeRecord,
  ObjectKey,
  PolicyRecord,
  PolicySettings,
  Protocol,
  ServicePortRecord,
  ServiceRecord,
  SliceEndpointRecord,
  SlicePortRecord,
  SliceRecord,
  TrafficScope,
} from './records.ts';
export type { Endpoint } from './endpoint.ts';
