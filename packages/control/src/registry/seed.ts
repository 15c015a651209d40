/** What exists from the start: the namespaces every client expects, kube-system carrying the identity of the store. */

import type { Random } from '@outrigger/core/clock';
import { formatTime } from '@outrigger/core/api';
import type { KubernetesObject } from '@outrigger/core/api';
import type { Cache } from '../cache/cache.ts';
import type { Store } from '../store/store.ts';
import { decodeObject, encodeObject } from './codec.ts';
import { contentsFinalizer } from './deletion.ts';
import { uuid } from './names.ts';
import type { Resource } from './resource.ts';

const names: readonly string[] = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];
/** Its uid tells clients which history they look at: a restored or emptied store has another. */
const identityNamespace = 'kube-system';

export async function seedNamespaces(
  namespaces: Resource,
  { cache, store, random }: { readonly cache: Cache; readonly store: Store; readonly random: Random },
  nowMs: number,
): Promise<void> {
  await cache.caughtUp();
  for (const name of names) {
    const entry = cache.of(namespaces).get(name);
    const uid = name === identityNamespace ? store.epoch : uuid(random);
    const object = entry === undefined ? fresh(name, uid, nowMs) : decodeObject(entry.value, entry.revision);
    if (entry !== undefined && (name !== identityNamespace || object.metadata.uid === uid)) continue;
    object.metadata.uid = uid;
    const key = namespaces.prefix + name;
    const value = encodeObject(namespaces, object);
    // Nobody else writes yet; should the comparison fail all the same, the namespace is there, which is what is wanted.
    await store.txn([{ key, modRevision: entry?.revision ?? 0 }], [{ type: 'put', key, value }]);
  }
  await cache.caughtUp();
}

function fresh(name: string, uid: string, nowMs: number): KubernetesObject {
  return {
    metadata: {
      name,
      uid,
      creationTimestamp: formatTime(nowMs),
      labels: { 'kubernetes.io/metadata.name': name },
    },
    spec: { finalizers: [contentsFinalizer] },
    status: { phase: 'Active' },
  } as KubernetesObject;
}
