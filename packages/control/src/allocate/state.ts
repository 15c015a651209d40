/**
 * What is allocated, as far as the store's events have told: fed by them alone, so that it says the same after a restart
 * and on every server of one store.
 */

import type { IPFamily, Protocol } from '@outrigger/core/api';
import type { Key, StoredValue, StoreEvent } from '../store/store.ts';
import { Bitmap } from './bitmap.ts';
import type { Owner, PoolName } from './keys.ts';
import { decodeOwner, splitAllocationKey } from './keys.ts';
import type { AddressRange, Range } from './ranges.ts';

export interface Held extends Owner {
  readonly modRevision: number;
}

/** One range with what of it is in use. */
export interface Pool {
  readonly name: PoolName;
  readonly range: Range;
  readonly bits: Bitmap;
}

const protocols: readonly Protocol[] = ['TCP', 'UDP', 'SCTP'];

export class AllocationState {
  readonly #held = new Map<Key, Held>();
  readonly #addresses = new Map<IPFamily, Pool>();
  readonly #ports = new Map<Protocol, Pool>();

  constructor(addresses: readonly AddressRange[], ports: Range) {
    for (const range of addresses) {
      this.#addresses.set(range.family, { name: 'clusterips', range, bits: new Bitmap(range.end) });
    }
    for (const protocol of protocols) {
      this.#ports.set(protocol, { name: `nodeports/${protocol}`, range: ports, bits: new Bitmap(ports.end) });
    }
  }

  /** One value as it was when the feed began. */
  load(item: StoredValue): void {
    this.#put(item.key, item.value, item.modRevision);
  }

  apply(event: StoreEvent): void {
    if (event.type === 'put') this.#put(event.key, event.value, event.revision);
    else this.#delete(event.key);
  }

  held(key: Key): Held | undefined {
    return this.#held.get(key);
  }

  entries(): Iterable<readonly [Key, Held]> {
    return this.#held.entries();
  }

  addresses(family: IPFamily): Pool | undefined {
    return this.#addresses.get(family);
  }

  ports(protocol: Protocol): Pool {
    const pool = this.#ports.get(protocol);
    if (pool === undefined) throw new TypeError(`${protocol} is no protocol of node ports`);
    return pool;
  }

  *pools(): Generator<Pool> {
    yield* this.#addresses.values();
    yield* this.#ports.values();
  }

  #put(key: Key, value: Uint8Array, modRevision: number): void {
    this.#held.set(key, { ...decodeOwner(value), modRevision });
    this.#mark(key, (bits, index) => bits.add(index));
  }

  #delete(key: Key): void {
    this.#held.delete(key);
    this.#mark(key, (bits, index) => bits.remove(index));
  }

  /** Values outside the ranges (which another configuration may have had) are remembered without a bit. */
  #mark(key: Key, change: (bits: Bitmap, index: number) => void): void {
    const split = splitAllocationKey(key);
    for (const { name, range, bits } of this.pools()) {
      const index = split?.pool === name ? range.indexOf(split.value) : undefined;
      if (index !== undefined) change(bits, index);
    }
  }
}
