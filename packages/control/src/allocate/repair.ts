/**
 * Compares allocations with Services, for the start. A Service and its allocations are written in one transaction, so
 * they can only part ways through a database restored or edited by hand: leaked values would stay taken for ever, and
 * values in use without an allocation could be given away a second time.
 */

import type { Service } from '@outrigger/core/api';
import type { Logger } from '@outrigger/core/log';
import type { Compare, Key, Operation, Store } from '../store/store.ts';
import { ownerOf, valuesOf } from './holdings.ts';
import type { Owner } from './keys.ts';
import { encodeOwner } from './keys.ts';
import type { AllocationState } from './state.ts';

export type Finding =
  /** No Service has this value: it is freed. */
  | { readonly type: 'leaked'; readonly key: Key; readonly owner: string }
  /** A Service has this value without holding it: it is claimed. */
  | { readonly type: 'unclaimed'; readonly key: Key; readonly owner: string }
  /** Two Services have this value: only a person can decide which of them changes. */
  | { readonly type: 'contested'; readonly key: Key; readonly owner: string; readonly other: string };

export interface Repair {
  readonly finding: Finding;
  /** Empty where nothing can be done. */
  readonly compare: readonly Compare[];
  readonly operations: readonly Operation[];
}

/** Everything that is wrong, each with what mends it. Pure. */
export function checkAllocations(services: Iterable<Service>, state: AllocationState): Repair[] {
  const repairs: Repair[] = [];
  const users = new Map<Key, Owner>();
  for (const service of services) {
    const owner = ownerOf(service);
    for (const key of valuesOf(service.spec)) {
      const other = users.get(key);
      if (other === undefined) users.set(key, owner);
      else repairs.push(contested(key, owner, other));
    }
  }
  for (const [key, owner] of users) if (state.held(key) === undefined) repairs.push(unclaimed(key, owner));
  for (const [key, held] of state.entries()) {
    const user = users.get(key);
    if (user === undefined) repairs.push(leaked(key, held.service, held.modRevision));
    else if (user.service !== held.service) repairs.push(reassigned(key, user, held.modRevision));
  }
  return repairs;
}

/** Mends what can be mended and logs each finding. A repair that others were faster than is left for the next start. */
export async function repairAllocations(
  store: Pick<Store, 'txn'>,
  services: Iterable<Service>,
  state: AllocationState,
  log: Logger,
): Promise<readonly Finding[]> {
  const repairs = checkAllocations(services, state);
  for (const { finding, compare, operations } of repairs) {
    const { type, key, owner } = finding;
    const done = operations.length > 0 && (await store.txn(compare, operations)).ok;
    log.warn('an allocation did not match its Service', {
      finding: type,
      key,
      owner,
      mended: done,
      ...(finding.type === 'contested'
        ? { other: finding.other, todo: 'change one of the two Services' }
        : {}),
    });
  }
  return repairs.map(({ finding }) => finding);
}

function leaked(key: Key, owner: string, modRevision: number): Repair {
  return {
    finding: { type: 'leaked', key, owner },
    compare: [{ key, modRevision }],
    operations: [{ type: 'delete', key }],
  };
}

function unclaimed(key: Key, owner: Owner): Repair {
  return {
    finding: { type: 'unclaimed', key, owner: owner.service },
    compare: [{ key, modRevision: 0 }],
    operations: [{ type: 'put', key, value: encodeOwner(owner) }],
  };
}

/** Held in the name of a Service that does not have it, had by one that does not hold it. */
function reassigned(key: Key, user: Owner, modRevision: number): Repair {
  return { ...unclaimed(key, user), compare: [{ key, modRevision }] };
}

function contested(key: Key, owner: Owner, other: Owner): Repair {
  return {
    finding: { type: 'contested', key, owner: owner.service, other: other.service },
    compare: [],
    operations: [],
  };
}
