/**
 * The fields of Kubernetes objects that the proxy reads, and no others.
 *
 * All optional and nullable on purpose: these arrive from any API server, and one odd object must cost its own Service at
 * most, never the daemon.
 */

type Maybe<T> = T | null | undefined;

export interface MetaFields {
  name?: Maybe<string>;
  namespace?: Maybe<string>;
  labels?: Maybe<Record<string, string>>;
  annotations?: Maybe<Record<string, string>>;
  creationTimestamp?: Maybe<string>;
  deletionTimestamp?: Maybe<string>;
}

export interface ServiceFields {
  metadata?: Maybe<MetaFields>;
  spec?: Maybe<{
    type?: Maybe<string>;
    clusterIP?: Maybe<string>;
    clusterIPs?: Maybe<string[]>;
    ipFamilies?: Maybe<string[]>;
    ports?: Maybe<
      {
        name?: Maybe<string>;
        protocol?: Maybe<string>;
        port?: Maybe<number>;
        nodePort?: Maybe<number>;
        appProtocol?: Maybe<string>;
      }[]
    >;
    externalIPs?: Maybe<string[]>;
    loadBalancerSourceRanges?: Maybe<string[]>;
    internalTrafficPolicy?: Maybe<string>;
    externalTrafficPolicy?: Maybe<string>;
    sessionAffinity?: Maybe<string>;
    sessionAffinityConfig?: Maybe<{ clientIP?: Maybe<{ timeoutSeconds?: Maybe<number> }> }>;
    healthCheckNodePort?: Maybe<number>;
  }>;
  status?: Maybe<{
    loadBalancer?: Maybe<{ ingress?: Maybe<{ ip?: Maybe<string>; ipMode?: Maybe<string> }[]> }>;
  }>;
}

export interface SliceFields {
  metadata?: Maybe<MetaFields>;
  addressType?: Maybe<string>;
  ports?: Maybe<{ name?: Maybe<string>; protocol?: Maybe<string>; port?: Maybe<number> }[]>;
  endpoints?: Maybe<SliceEndpointFields[]>;
}

export interface SliceEndpointFields {
  addresses?: Maybe<string[]>;
  conditions?: Maybe<{
    ready?: Maybe<boolean>;
    serving?: Maybe<boolean>;
    terminating?: Maybe<boolean>;
  }>;
  nodeName?: Maybe<string>;
  zone?: Maybe<string>;
  hints?: Maybe<{
    forZones?: Maybe<{ name?: Maybe<string> }[]>;
    forNodes?: Maybe<{ name?: Maybe<string> }[]>;
  }>;
  targetRef?: Maybe<{ kind?: Maybe<string>; name?: Maybe<string> }>;
}

export interface NodeFields {
  metadata?: Maybe<MetaFields>;
  spec?: Maybe<{
    podCIDR?: Maybe<string>;
    podCIDRs?: Maybe<string[]>;
    taints?: Maybe<{ key?: Maybe<string> }[]>;
  }>;
  status?: Maybe<{ addresses?: Maybe<{ type?: Maybe<string>; address?: Maybe<string> }[]> }>;
}

export interface PolicyFields {
  metadata?: Maybe<MetaFields>;
  spec?: Maybe<{
    targetRefs?: Maybe<
      { group?: Maybe<string>; kind?: Maybe<string>; name?: Maybe<string>; sectionName?: Maybe<string> }[]
    >;
    balancing?: Maybe<string>;
    connectTimeout?: Maybe<string>;
    idleTimeout?: Maybe<string>;
    connectionLimit?: Maybe<{ total?: Maybe<number>; perEndpoint?: Maybe<number> }>;
    ejection?: Maybe<{
      consecutiveFailures?: Maybe<number>;
      baseEjectionTime?: Maybe<string>;
      maxEjectionTime?: Maybe<string>;
      maxEjectionPercent?: Maybe<number>;
    }>;
  }>;
}
