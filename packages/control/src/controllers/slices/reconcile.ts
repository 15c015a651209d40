/** What the slices of a Service should be, against what they are. Pure. */

import type { Endpoint, EndpointPort, EndpointSlice, IPFamily, Service } from '@outrigger/core/api';
import { isHeadless } from '@outrigger/core/api';
import { sliceManager } from '../names.ts';
import type { PodRecord } from '../pod-record.ts';
import { endpointOf, endpointPorts, isEndpoint, portNumbers } from './endpoint.ts';
import type { SliceTemplate } from './metadata.ts';
import type { Group, SlicePlan } from './pack.ts';
import { packSlices } from './pack.ts';

export interface ReconcileOptions {
  readonly maxEndpointsPerSlice: number;
  readonly zoneOf: (nodeName: string) => string | undefined;
  readonly triggerTime: string | undefined;
}

/** `pods` are those the Service selects; `existing` its slices that this controller manages. */
export function reconcileSlices(
  service: Service,
  pods: readonly PodRecord[],
  existing: readonly EndpointSlice[],
  options: ReconcileOptions,
): SlicePlan {
  const families = familiesOf(service);
  const template = templateOf(service, options.triggerTime);
  const plans = families.map((family) =>
    packSlices({
      addressType: family,
      existing: existing.filter(({ addressType }) => addressType === family),
      groups: groupsOf(service, pods, family, options),
      maxPerSlice: options.maxEndpointsPerSlice,
      placeholder: true,
      template,
    }),
  );
  const foreign = existing.filter(({ addressType }) => !families.some((family) => family === addressType));
  return {
    // Everything a Service owns goes with it, so nothing is added to one that is going.
    create: isDeleting(service) ? [] : plans.flatMap(({ create }) => create),
    update: plans.flatMap(({ update }) => update),
    delete: [...plans.flatMap(({ delete: gone }) => gone), ...foreign],
  };
}

/** Services written before families were decided have the first one. */
export function familiesOf({ spec }: Service): readonly IPFamily[] {
  return spec.ipFamilies === undefined || spec.ipFamilies.length === 0 ? ['IPv4'] : spec.ipFamilies;
}

/** Pods whose ports have the same numbers share slices; they differ only where a port is named. */
function groupsOf(
  service: Service,
  pods: readonly PodRecord[],
  family: IPFamily,
  { zoneOf }: ReconcileOptions,
): Group[] {
  const groups = new Map<
    string,
    { readonly ports: readonly EndpointPort[]; readonly endpoints: Endpoint[] }
  >();
  for (const pod of pods) {
    if (!isEndpoint(pod, family)) continue;
    const numbers = portNumbers(service, pod);
    const key = numbers.join();
    const group = groups.get(key) ?? { ports: endpointPorts(service, numbers), endpoints: [] };
    groups.set(key, group);
    const zone = pod.nodeName === undefined ? undefined : zoneOf(pod.nodeName);
    group.endpoints.push(endpointOf(service, pod, family, zone));
  }
  return [...groups.values()];
}

function templateOf(service: Service, triggerTime: string | undefined): SliceTemplate {
  const { name = '', namespace = '', uid = '' } = service.metadata;
  return {
    namespace,
    serviceName: name,
    manager: sliceManager,
    source: service,
    headless: isHeadless(service.spec),
    owner: { apiVersion: 'v1', kind: 'Service', name, uid, controller: true, blockOwnerDeletion: true },
    copyAnnotations: false,
    triggerTime,
  };
}

function isDeleting({ metadata }: Service): boolean {
  return metadata.deletionTimestamp !== undefined;
}
