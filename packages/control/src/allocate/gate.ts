/** The allocator's two places in the admission chain: what a Service means before it is validated, what it gets after. */

import type { IPFamily, Service } from '@outrigger/core/api';
import {
  ApiError,
  defaultFamilies,
  pairClusterIPs,
  prepareServiceUpdate,
  serviceKind,
} from '@outrigger/core/api';
import { isReleased } from '../registry/deletion.ts';
import type { Write } from '../registry/write.ts';
import type { ServiceAllocator } from './allocator.ts';

/**
 * Goes behind the defaults and before validation: takes over what an update leaves unsaid, and decides the IP families.
 * Throws 422 for families the cluster does not have.
 */
export function completeServices(families: readonly IPFamily[]): (write: Write) => void {
  return (write) => {
    const service = serviceOf(write);
    if (service === undefined || write.operation === 'delete' || write.subresource !== '') return;
    if (write.old === undefined) pairClusterIPs(service);
    else prepareServiceUpdate(service, write.old as Service);
    const errors = defaultFamilies(service, families);
    if (errors.length > 0) throw ApiError.invalid(serviceKind, service.metadata.name ?? '', errors);
  };
}

/** Goes behind validation. Throws 422 for values that cannot be had, 500 when a range is full. */
export function allocateServices(allocator: ServiceAllocator): (write: Write) => void {
  return (write) => {
    const service = serviceOf(write);
    if (service === undefined || write.subresource !== '') return;
    if (isRemoval(write, service)) {
      const { compare, operations } = allocator.release(service);
      write.compare.push(...compare);
      write.operations.push(...operations);
      return;
    }
    if (write.operation === 'delete') return;
    const allocation = allocator.prepare(service, write.old as Service | undefined);
    switch (allocation.type) {
      case 'refused':
        throw ApiError.invalid(serviceKind, service.metadata.name ?? '', allocation.errors);
      case 'exhausted':
        throw ApiError.internal(new Error(allocation.message));
      case 'allocated':
        service.spec = allocation.service.spec;
        write.compare.push(...allocation.compare);
        write.operations.push(...allocation.operations);
    }
  };
}

function serviceOf({ resource, object }: Write): Service | undefined {
  return resource.kind.kind === serviceKind.kind && resource.kind.group === serviceKind.group
    ? (object as Service)
    : undefined;
}

/** A deletion that finalizers hold only marks the Service, which keeps what it has; losing the last one removes it. */
function isRemoval(write: Write, service: Service): boolean {
  const unmarked = service.metadata.deletionTimestamp === undefined;
  return isReleased(service) || (write.operation === 'delete' && unmarked);
}
