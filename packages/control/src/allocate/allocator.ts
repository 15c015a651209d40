/**
 * Gives Services their addresses and node ports. Deciding changes nothing: the answer is comparisons and operations for
 * the transaction that writes the Service, so that both happen or neither, and a dry run simply does not run them. Two
 * writers who chose the same value collide in the store; the loser asks again.
 */

import type { IPFamily, Service } from '@outrigger/core/api';
import type { Random } from '@outrigger/core/clock';
import type { Compare, Operation, StoredValue, StoreEvent } from '../store/store.ts';
import type { Allocation } from './draft.ts';
import { decideAllocation } from './draft.ts';
import { ownerOf, releases, valuesOf } from './holdings.ts';
import type { PoolName } from './keys.ts';
import { addressRange, portRange } from './ranges.ts';
import { AllocationState } from './state.ts';

export interface AllocatorOptions {
  /** One CIDR, or one of each family; the first family is the default of new Services. Default `10.96.0.0/16`. */
  readonly serviceCIDRs?: readonly string[];
  /** Default `30000-32767`. */
  readonly nodePortRange?: string;
  readonly random: Random;
}

export interface PoolUsage {
  readonly pool: PoolName;
  readonly range: string;
  readonly used: number;
  readonly size: number;
}

export class ServiceAllocator {
  readonly state: AllocationState;
  /** The families Services can have, the default first. */
  readonly families: readonly IPFamily[];
  readonly #random: Random;

  /** Throws ALLOCATE_CIDR_INVALID, ALLOCATE_PORT_RANGE_INVALID. */
  constructor(options: AllocatorOptions) {
    const { serviceCIDRs = ['10.96.0.0/16'], nodePortRange = '30000-32767', random } = options;
    const addresses = serviceCIDRs.map(addressRange);
    this.state = new AllocationState(addresses, portRange(nodePortRange));
    this.families = addresses.map(({ family }) => family);
    this.#random = random;
  }

  /** To be fed with every value and event below `allocationsPrefix`. */
  load(item: StoredValue): void {
    this.state.load(item);
  }

  apply(event: StoreEvent): void {
    this.state.apply(event);
  }

  /** What writing `service` over `old` takes and gives back. Its families have been decided (`defaultFamilies`). */
  prepare(service: Service, old: Service | undefined): Allocation {
    return decideAllocation(this.state, this.#random, service, old);
  }

  /** What removing a Service gives back. */
  release(service: Service): {
    readonly compare: readonly Compare[];
    readonly operations: readonly Operation[];
  } {
    return releases(this.state, ownerOf(service), valuesOf(service.spec));
  }

  usage(): PoolUsage[] {
    return [...this.state.pools()].map(({ name, range, bits }) => ({
      pool: name,
      range: range.text,
      used: bits.used,
      size: range.end - range.first,
    }));
  }
}
