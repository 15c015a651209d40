/** What controllers get: the cache to be told, the registry to act. Their writes pass the same admission as everyone's. */

import type { Kind, KubernetesObject } from '@outrigger/core/api';
import { ApiError } from '@outrigger/core/api';
import type { Logger } from '@outrigger/core/log';
import type { Cache } from '../cache/cache.ts';
import type { Entry } from '../cache/entry.ts';
import type { ChangeHandler, ControllerApi } from '../controllers/api.ts';
import { decodeObject } from './codec.ts';
import type { Registry } from './registry.ts';
import type { Resource } from './resource.ts';
import { pathOf } from './resource.ts';

export interface ControllerApiParts {
  readonly cache: Cache;
  readonly registry: Registry;
  readonly resources: readonly Resource[];
  readonly log: Logger;
}

export function controllerApi(parts: ControllerApiParts): ControllerApi {
  const { registry } = parts;
  const resourceOf = (kind: Kind): Resource => {
    const found = parts.resources.find((resource) => resource.kind === kind);
    if (found === undefined) throw new TypeError(`${kind.kind} is not served`);
    return found;
  };
  const write = async <T extends KubernetesObject>(
    kind: Kind<T>,
    object: T,
    subresource: '' | 'status',
  ): Promise<T> => {
    requireRevision(kind, object);
    const change = (): KubernetesObject => structuredClone(object);
    const options = { dryRun: false, subresource };
    const { value, revision } = await registry.update(resourceOf(kind), placeOf(object), change, options);
    return decodeObject<T>(value, revision);
  };
  return {
    subscribe: (kind, handler) => subscribe(parts, resourceOf(kind), handler),
    create: async (kind, object) => {
      const { value, revision } = await registry.create(resourceOf(kind), () => structuredClone(object));
      return decodeObject(value, revision);
    },
    update: (kind, object) => write(kind, object, ''),
    updateStatus: (kind, object) => write(kind, object, 'status'),
    delete: async (kind, object) => {
      const { uid, resourceVersion } = requireRevision(kind, object).metadata;
      const options = { dryRun: false, gracePeriodSeconds: 0, uid, resourceVersion };
      await registry.delete(resourceOf(kind), placeOf(object), options);
    },
  };
}

/** Everything that is, then every change, in order and from the same turn on, so that nothing falls between. */
function subscribe(
  { cache, log }: ControllerApiParts,
  resource: Resource,
  handler: ChangeHandler<KubernetesObject>,
): () => void {
  const objects = cache.of(resource);
  const guarded = (call: () => void): void => {
    try {
      call();
    } catch (error) {
      log.error('a controller failed on a change; it acts again on the next', {
        resource: resource.name,
        error,
      });
    }
  };
  const stop = objects.listen(({ type, entry, previous }) =>
    guarded(() => {
      if (type === 'delete') handler.deleted(decoded(entry));
      else handler.put(decoded(entry), previous === undefined ? undefined : decoded(previous));
    }),
  );
  for (const entry of objects.walk({ namespace: '', name: undefined })) {
    guarded(() => handler.put(decoded(entry), undefined));
  }
  guarded(() => handler.synced?.());
  return stop;
}

function decoded(entry: Entry): KubernetesObject {
  return decodeObject(entry.value, entry.revision);
}

/** Controllers act on a state they saw: a write without its revision would act on one they did not. */
function requireRevision<T extends KubernetesObject>(kind: Kind<T>, object: T): T {
  if (object.metadata.resourceVersion !== undefined && object.metadata.resourceVersion !== '') return object;
  throw ApiError.badRequest(
    `${kind.kind} ${object.metadata.name ?? ''}: a controller's write needs a resourceVersion`,
  );
}

function placeOf({ metadata }: KubernetesObject): string {
  return pathOf(metadata.namespace ?? '', metadata.name ?? '');
}
