/** What the Endpoints object of a Service should be, against what it is. Pure. */

import type { Endpoints, EndpointSubset, Service } from '@outrigger/core/api';
import { equalJson, isHeadless } from '@outrigger/core/api';
import {
  endpointsManagedByLabel,
  endpointsManager,
  headlessLabel,
  overCapacityAnnotation,
  triggerTimeAnnotation,
} from '../names.ts';
import type { PodRecord } from '../pod-record.ts';
import { subsetsOf } from './subsets.ts';
import { truncateSubsets } from './truncate.ts';

export interface EndpointsOptions {
  readonly maxEndpointsAddresses: number;
  readonly triggerTime: string | undefined;
}

/** The object to write; undefined when the existing one says it all. */
export function reconcileEndpoints(
  service: Service,
  pods: readonly PodRecord[],
  existing: Endpoints | undefined,
  { maxEndpointsAddresses, triggerTime }: EndpointsOptions,
): Endpoints | undefined {
  const { subsets, truncated } = truncateSubsets(subsetsOf(service, pods), maxEndpointsAddresses);
  const labels = labelsOf(service);
  const { [triggerTimeAnnotation]: _time, ...annotations } = existing?.metadata.annotations ?? {};
  const wanted = withCapacity(annotations, truncated);
  if (
    existing !== undefined &&
    equalJson(plain(existing.subsets ?? []), plain(subsets)) &&
    equalJson(existing.metadata.labels ?? {}, labels) &&
    equalJson(annotations, wanted)
  ) {
    return undefined;
  }
  const { name = '', namespace = '' } = service.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      ...(existing?.metadata ?? { name, namespace }),
      labels,
      annotations: {
        ...wanted,
        ...(triggerTime === undefined ? {} : { [triggerTimeAnnotation]: triggerTime }),
      },
    },
    subsets,
  };
}

export function addressCount({ subsets }: Endpoints): number {
  return (subsets ?? []).reduce(
    (sum, { addresses, notReadyAddresses }) =>
      sum + (addresses?.length ?? 0) + (notReadyAddresses?.length ?? 0),
    0,
  );
}

function labelsOf(service: Service): Record<string, string> {
  const { [headlessLabel]: _headless, ...labels } = service.metadata.labels ?? {};
  return {
    ...labels,
    ...(isHeadless(service.spec) ? { [headlessLabel]: '' } : {}),
    [endpointsManagedByLabel]: endpointsManager,
  };
}

function withCapacity(annotations: Record<string, string>, truncated: boolean): Record<string, string> {
  const { [overCapacityAnnotation]: _over, ...rest } = annotations;
  return truncated ? { ...rest, [overCapacityAnnotation]: 'truncated' } : rest;
}

/** Without the revisions of pods, which other writers of Endpoints put in and which change for nothing. */
function plain(subsets: readonly EndpointSubset[]): unknown {
  const strip = (addresses: EndpointSubset['addresses']): unknown =>
    addresses?.map(({ targetRef, ...address }) => ({
      ...address,
      targetRef: targetRef === undefined ? undefined : { ...targetRef, resourceVersion: undefined },
    }));
  return subsets.map(({ addresses, notReadyAddresses, ports }) => ({
    addresses: strip(addresses),
    notReadyAddresses: strip(notReadyAddresses),
    ports,
  }));
}
