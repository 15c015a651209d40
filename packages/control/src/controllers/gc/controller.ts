/**
 * Removes what belonged to something that is gone. An object goes when all of its owners are known to be absent, by UID:
 * an owner of the same name is another one. Owners of kinds that are not watched here count as present.
 *
 * An owner that was seen to go is absent at once. One that was never seen may only not have arrived yet, and counts as
 * absent after `unknownOwnerMs`.
 */

import type { Kind, KubernetesObject, OwnerReference } from '@outrigger/core/api';
import {
  apiVersionOf,
  endpointsKind,
  endpointSliceKind,
  leaseKind,
  podKind,
  serviceKind,
} from '@outrigger/core/api';
import type { ControllerApi } from '../api.ts';
import { Expectations } from '../expectations.ts';
import type { Informers } from '../informers.ts';
import { keyOf } from '../keys.ts';
import type { ControllerOptions } from '../options.ts';
import type { WorkQueue } from '../queue.ts';
import type { ControllerDeps } from '../sync-loop.ts';
import { syncQueue } from '../sync-loop.ts';

/** Kinds that own or are owned in Outrigger. */
const watched: readonly Kind[] = [serviceKind, endpointsKind, podKind, leaseKind, endpointSliceKind];

interface Dependent {
  readonly kind: Kind;
  readonly object: KubernetesObject;
}

export function garbageCollector(
  api: ControllerApi,
  informers: Informers,
  deps: ControllerDeps,
  options: ControllerOptions,
): WorkQueue {
  const expectations = new Expectations(deps.clock, options.staleCacheMs);
  const present = new Set<string>();
  const dependents = new Map<string, Dependent>();
  const byOwner = new Map<string, Set<string>>();

  const isAbsent = (owner: OwnerReference): boolean => isWatched(owner) && !present.has(owner.uid);

  const sync = async (uid: string): Promise<number> => {
    const dependent = dependents.get(uid);
    if (dependent === undefined) return 0;
    const { kind, object } = dependent;
    if (!(object.metadata.ownerReferences ?? []).every(isAbsent)) return 0;
    await api.delete(kind, object);
    deps.observer.wrote('gc', 'delete', kind.kind);
    deps.log.debug('removed with its owner', { kind: kind.kind, object: keyOf(object) });
    return 0;
  };
  const queue = syncQueue({ name: 'gc', deps, options, expectations, sync });

  const put = (kind: Kind, object: KubernetesObject): void => {
    const { uid = '', ownerReferences = [], deletionTimestamp } = object.metadata;
    present.add(uid);
    forget(uid);
    // What is being deleted already waits for someone else than us.
    if (ownerReferences.length === 0 || deletionTimestamp !== undefined) return;
    dependents.set(uid, { kind, object });
    for (const owner of ownerReferences)
      byOwner.set(owner.uid, (byOwner.get(owner.uid) ?? new Set()).add(uid));
    if (ownerReferences.every(isAbsent)) queue.addAfter(uid, options.unknownOwnerMs);
  };
  const forget = (uid: string): void => {
    for (const owner of dependents.get(uid)?.object.metadata.ownerReferences ?? []) {
      const owned = byOwner.get(owner.uid);
      owned?.delete(uid);
      if (owned?.size === 0) byOwner.delete(owner.uid);
    }
    dependents.delete(uid);
  };
  const deleted = ({ metadata: { uid = '' } }: KubernetesObject): void => {
    present.delete(uid);
    forget(uid);
    for (const dependent of byOwner.get(uid) ?? []) queue.add(dependent);
  };
  for (const kind of watched) informers.watch(kind, { put: (object) => put(kind, object), deleted });
  return queue;
}

function isWatched({ apiVersion, kind }: OwnerReference): boolean {
  return watched.some((candidate) => candidate.kind === kind && apiVersionOf(candidate) === apiVersion);
}
