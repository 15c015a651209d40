/** Addresses and node ports of Services: allocated in the transaction that writes the Service. */

export type { AllocatorOptions, PoolUsage } from './allocator.ts';
export { ServiceAllocator } from './allocator.ts';
export type { Allocation } from './draft.ts';
export { allocateServices, completeServices } from './gate.ts';
export type { PoolName } from './keys.ts';
export { allocationKey, allocationsPrefix } from './keys.ts';
export type { Finding, Repair } from './repair.ts';
export { checkAllocations, repairAllocations } from './repair.ts';
