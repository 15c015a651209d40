/** What a Service holds, as keys, and what giving some of it back takes. */

import type { Service, ServiceSpec } from '@outrigger/core/api';
import { canonicalIP, isHeadless, needsClusterIP } from '@outrigger/core/api';
import type { Compare, Key, Operation } from '../store/store.ts';
import type { Owner } from './keys.ts';
import { allocationKey } from './keys.ts';
import type { AllocationState } from './state.ts';

export function ownerOf({ metadata }: Service): Owner {
  return { service: `${metadata.namespace ?? ''}/${metadata.name ?? ''}`, uid: metadata.uid ?? '' };
}

/** The keys of everything a Service holds. */
export function valuesOf(spec: ServiceSpec): Set<Key> {
  const keys = new Set<Key>();
  if (needsClusterIP(spec) && !isHeadless(spec)) {
    for (const ip of spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP])) {
      keys.add(addressKey(ip));
    }
  }
  for (const { protocol, nodePort = 0 } of spec.ports ?? []) {
    if (nodePort !== 0) keys.add(allocationKey(`nodeports/${protocol}`, String(nodePort)));
  }
  const check = spec.healthCheckNodePort ?? 0;
  if (check !== 0) keys.add(allocationKey('nodeports/TCP', String(check)));
  return keys;
}

/** One key however the address is written. */
export function addressKey(ip: string): Key {
  return allocationKey('clusterips', canonicalIP(ip) ?? ip);
}

/** What gives back those of `keys` that the owner truly holds. */
export function releases(
  state: AllocationState,
  owner: Owner,
  keys: Iterable<Key>,
): { compare: Compare[]; operations: Operation[] } {
  const compare: Compare[] = [];
  const operations: Operation[] = [];
  for (const key of keys) {
    const held = state.held(key);
    // A value that somebody else holds was never ours, whatever the Service says.
    if (held?.service !== owner.service) continue;
    compare.push({ key, modRevision: held.modRevision });
    operations.push({ type: 'delete', key });
  }
  return { compare, operations };
}
