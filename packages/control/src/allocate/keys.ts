/** Allocations as keys of the store: one key per value in use, so that taking one twice fails in the transaction. */

import type { Protocol } from '@outrigger/core/api';
import type { Key } from '../store/store.ts';

export type PoolName = 'clusterips' | `nodeports/${Protocol}`;

/** Everything below is allocations; nothing else is. */
export const allocationsPrefix = '/registry/allocations/';

/** `/registry/allocations/clusterips/10.96.0.7`, `/registry/allocations/nodeports/TCP/30001`. */
export function allocationKey(pool: PoolName, value: string): Key {
  return `${allocationsPrefix}${pool}/${value}`;
}

export function splitAllocationKey(key: Key): { readonly pool: string; readonly value: string } | undefined {
  if (!key.startsWith(allocationsPrefix)) return undefined;
  const slash = key.lastIndexOf('/');
  return { pool: key.slice(allocationsPrefix.length, slash), value: key.slice(slash + 1) };
}

/** Who holds a value. */
export interface Owner {
  /** `namespace/name` of the Service. */
  readonly service: string;
  readonly uid: string;
}

export function encodeOwner(owner: Owner): Uint8Array {
  return Buffer.from(JSON.stringify({ service: owner.service, uid: owner.uid }));
}

/** A value that cannot be read belongs to nobody known: the value stays taken until a repair frees it. */
export function decodeOwner(value: Uint8Array): Owner {
  try {
    const { service, uid } = JSON.parse(Buffer.from(value).toString()) as Partial<Record<string, unknown>>;
    return { service: typeof service === 'string' ? service : '', uid: typeof uid === 'string' ? uid : '' };
  } catch {
    return { service: '', uid: '' };
  }
}
