/** Labels, annotations and names that controllers write or obey. */

export const serviceNameLabel = 'kubernetes.io/service-name';
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const headlessLabel = 'service.kubernetes.io/headless';
export const skipMirrorLabel = 'endpointslice.kubernetes.io/skip-mirror';
export const endpointsManagedByLabel = 'endpoints.kubernetes.io/managed-by';

export const sliceManager = 'endpointslice-controller.k8s.io';
export const mirrorManager = 'endpointslicemirroring-controller.k8s.io';
export const endpointsManager = 'endpoint-controller';

export const triggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';
export const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity';
export const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

export const zoneLabel = 'topology.kubernetes.io/zone';

/** `"true"` on a pod that `outrigger register` keeps alive by a Lease of the same name in the same namespace. */
export const registeredLabel = 'outrigger.dev/registered';

/** Reason of a Ready condition that was made False because the pod's Lease ran out. */
export const leaseExpiredReason = 'LeaseExpired';
