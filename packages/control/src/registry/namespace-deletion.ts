/**
 * Deleting a namespace: its contents first, then itself. Nothing can be created in it once it is terminating, so its
 * contents only become less; what finalizers or a grace period hold is waited for.
 */

import type { Namespace } from '@outrigger/core/api';
import { ApiError } from '@outrigger/core/api';
import type { Clock } from '@outrigger/core/clock';
import { Dirty } from '@outrigger/core/lifecycle';
import type { Logger } from '@outrigger/core/log';
import type { Cache } from '../cache/cache.ts';
import { contentsFinalizer } from './deletion.ts';
import type { Registry } from './registry.ts';
import type { Resource } from './resource.ts';

export interface NamespaceDeletionParts {
  readonly cache: Cache;
  readonly registry: Registry;
  readonly resources: readonly Resource[];
  readonly namespaces: Resource;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Objects deleted at a time: they share commits. */
const atATime = 32;
const phase = 'status.phase';
const everything = {
  dryRun: false,
  gracePeriodSeconds: undefined,
  uid: undefined,
  resourceVersion: undefined,
};

/** Returns what stops it. */
export function deleteNamespaces(parts: NamespaceDeletionParts): () => void {
  const { cache, resources, namespaces, clock, log } = parts;
  const dirty = new Dirty({
    clock,
    run: () => deleteTerminating(parts),
    onError: (error) => log.warn('deleting a namespace failed; it is tried again', { error }),
  });
  const isTerminating = (namespace: string): boolean =>
    cache.of(namespaces).get(namespace)?.fields[phase] === 'Terminating';
  const stops = resources.map((resource) =>
    cache.of(resource).listen(({ type, entry }) => {
      if (
        resource === namespaces
          ? type === 'put' && entry.fields[phase] === 'Terminating'
          : isTerminating(entry.namespace)
      ) {
        dirty.mark();
      }
    }),
  );
  dirty.mark();
  return () => {
    for (const stop of stops) stop();
    dirty.close();
  };
}

async function deleteTerminating(parts: NamespaceDeletionParts): Promise<void> {
  for (const name of terminatingNames(parts)) {
    if ((await deleteContents(parts, name)) === 0) await finalize(parts, name);
  }
}

function terminatingNames({ cache, namespaces }: NamespaceDeletionParts): string[] {
  const entries = [...cache.of(namespaces).walk({ namespace: '', name: undefined })];
  return entries.filter(({ fields }) => fields[phase] === 'Terminating').map(({ name }) => name);
}

/** How many objects are left, held by something. */
async function deleteContents(
  { cache, registry, resources }: NamespaceDeletionParts,
  namespace: string,
): Promise<number> {
  let held = 0;
  for (const resource of resources) {
    if (!resource.kind.namespaced) continue;
    const entries = [...cache.of(resource).walk({ namespace, name: undefined })];
    for (let i = 0; i < entries.length; i += atATime) {
      const results = await Promise.all(
        entries
          .slice(i, i + atATime)
          .map((entry) => unlessGone(registry.delete(resource, entry.path, everything))),
      );
      held += results.filter((result) => result?.gone === false).length;
    }
  }
  return held;
}

async function finalize({ registry, namespaces }: NamespaceDeletionParts, namespace: string): Promise<void> {
  const release = (old: object): Namespace => {
    const object = old as Namespace;
    const finalizers = (object.spec.finalizers ?? []).filter((name) => name !== contentsFinalizer);
    return { ...object, spec: { ...object.spec, finalizers } };
  };
  await unlessGone(
    registry.update(namespaces, namespace, release, { dryRun: false, subresource: 'finalize' }),
  );
}

async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ApiError && error.reason === 'NotFound') return undefined;
    throw error;
  }
}
