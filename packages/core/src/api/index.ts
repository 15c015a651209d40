/** The API: kinds as data, their TypeScript types, defaulting, validation, selectors and Status errors. */

export type {
  AnySchema,
  BooleanSchema,
  Column,
  Common,
  FieldError,
  FieldErrorReason,
  IntegerSchema,
  IntOrStringSchema,
  Kind,
  KubernetesObject,
  ListSchema,
  MapSchema,
  NumberSchema,
  ObjectSchema,
  Schema,
  StringSchema,
  ValidationOptions,
} from './schema.ts';
export type { FieldSchemas, Infer, ObjectOf, Typed } from './build.ts';
export {
  any,
  boolean,
  describe,
  integer,
  intOrString,
  keyedList,
  list,
  map,
  number,
  object,
  string,
} from './build.ts';

export type { Condition, ObjectMeta, ObjectReference, OwnerReference } from './kinds/meta.ts';
export type { ConfigMap } from './kinds/configmap.ts';
export type { Endpoints, EndpointAddress, EndpointsPort, EndpointSubset } from './kinds/endpoints.ts';
export type { Endpoint, EndpointConditions, EndpointPort, EndpointSlice } from './kinds/endpointslice.ts';
export type { Event, EventSource } from './kinds/event.ts';
export type { Lease, LeaseSpec } from './kinds/lease.ts';
export type { MetricsAdapter, MetricsAdapterSpec } from './kinds/metricsadapter.ts';
export type { LogRule, MetricsSource, RelabelRule, SourceHttp } from './kinds/metrics-sources.ts';
export type { Namespace } from './kinds/namespace.ts';
export type { Node, NodeAddress } from './kinds/node.ts';
export type { Container, ContainerPort, ContainerStatus, Probe } from './kinds/container.ts';
export type { Pod, PodCondition, PodSpec, PodStatus } from './kinds/pod.ts';
export type { RedisAmbassador, RedisAmbassadorSpec, RedisRoute, RedisUser } from './kinds/redisambassador.ts';
export type { RedisLimits } from './kinds/redis-limits.ts';
export type { Protocol, Service, ServicePort, ServiceSpec, ServiceStatus } from './kinds/service.ts';
export type { TargetRef, TrafficPolicy, TrafficPolicySpec } from './kinds/trafficpolicy.ts';
export type { SecretSource } from './kinds/daemon.ts';
export { daemonFields, secretSource } from './kinds/daemon.ts';
export { configMapKind } from './kinds/configmap.ts';
export { endpointsKind } from './kinds/endpoints.ts';
export { endpointSliceKind } from './kinds/endpointslice.ts';
export { eventKind } from './kinds/event.ts';
export { leaseKind } from './kinds/lease.ts';
export { metricsAdapterKind, metricsAdapterSpec } from './kinds/metricsadapter.ts';
export { sourceKinds } from './kinds/metrics-sources.ts';
export { namespaceKind } from './kinds/namespace.ts';
export { nodeKind } from './kinds/node.ts';
export { probe as probeSchema } from './kinds/container.ts';
export { podKind } from './kinds/pod.ts';
export { redisAmbassadorKind, redisAmbassadorSpec } from './kinds/redisambassador.ts';
export { redisLimits } from './kinds/redis-limits.ts';
export { serviceKind } from './kinds/service.ts';
export { trafficPolicyKind, trafficPolicySpec } from './kinds/trafficpolicy.ts';
export { apiVersionOf, kindFor, kindOf, kinds, ownGroup, qualifiedResource } from './kinds/index.ts';

export { durationMs, formatDuration, humanDuration, parseDuration } from './duration.ts';
export { formatSize, parseSize, sizeBytes } from './size.ts';
export { formatMicroTime, formatTime, parseTime } from './time.ts';
export type { SyntaxCheck } from './names.ts';
export {
  configKey,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  httpPath,
  labelValue,
  pathSegmentName,
  portName,
  portNumber,
  qualifiedName,
} from './names.ts';

export type { KindName, ResourceName, Status, StatusCause, StatusDetails } from './status.ts';
export { ApiError, deletedStatus } from './status.ts';
export { applyDefaults, applySchemaDefaults, defaultsOf, prune } from './defaults.ts';
export { canonicalJson, equalJson } from './equal.ts';
export type { CIDR, IPFamily } from './ip.ts';
export {
  canonicalIP,
  cidrContains,
  cidrProblems,
  formatIP,
  ipFamily,
  ipProblems,
  parseCIDR,
  parseIP,
  specialIPProblems,
} from './ip.ts';
export type { ParsedJson } from './json.ts';
export { duplicateFields, parseJson } from './json.ts';
export {
  maxAnnotationBytes,
  validateAnnotations,
  validateFinalizers,
  validateLabels,
  validateMetadata,
  validateMetadataUpdate,
} from './metadata.ts';
export {
  child,
  duplicate,
  fieldImmutable,
  forbidden,
  invalid,
  invalidBy,
  item,
  notSupported,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from './problems.ts';
export type { Structure } from './structure.ts';
export { checkStructure, maxProblems, typeErrors } from './structure.ts';
export { validateObject } from './validate.ts';
export { maxAddressesPerEndpoint, maxEndpointsPerSlice, maxPortsPerSlice } from './rules/endpoints.ts';
export { maxConfigMapBytes } from './rules/small.ts';
export { defaultAffinitySeconds } from './rules/service-defaults.ts';
export { maxAffinitySeconds } from './rules/service.ts';
export { validateProbe } from './rules/pod.ts';
export { validateMetricsAdapterSpec, validateTrafficPolicySpec } from './rules/own.ts';
export { splitServers, validateRedisAmbassadorSpec } from './rules/redis-ambassador.ts';
export { validateSecretSource } from './rules/own-fields.ts';
export { defaultFamilies } from './rules/service-defaults.ts';
export {
  isHeadless,
  needsClusterIP,
  needsExternalPolicy,
  needsHealthCheck,
  needsNodePort,
} from './rules/service-shape.ts';
export { pairClusterIPs, prepareServiceUpdate } from './rules/service-update.ts';
export type { Labels, LabelSelectorObject, Operator, Requirement } from './select/labels.ts';
export { LabelSelector, parseLabelSelector, selectorOfLabels, selectorOfObject } from './select/labels.ts';
export type { FieldRequirement, SelectableValues } from './select/fields.ts';
export { FieldSelector, parseFieldSelector, selectableValues } from './select/fields.ts';
export type { Dialect, Json, OpenAPISchema } from './openapi.ts';
export { componentName, kindOpenAPI, listOpenAPI, toOpenAPI } from './openapi.ts';
export { customResourceDefinition } from './crd.ts';
