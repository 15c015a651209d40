/**
 * Keeps the Endpoints object of every Service with a selector, for readers that do not know slices. Hand-written ones of
 * Services without a selector are left alone; those of Services that are gone are removed.
 */

import type { Endpoints } from '@outrigger/core/api';
import { endpointsKind } from '@outrigger/core/api';
import type { ControllerApi } from '../api.ts';
import { Expectations } from '../expectations.ts';
import type { ObjectKey } from '../keys.ts';
import { keyOf, revisionOf } from '../keys.ts';
import { leaderAnnotation } from '../names.ts';
import type { ControllerOptions } from '../options.ts';
import type { WorkQueue } from '../queue.ts';
import { hasSelectedEndpoints } from '../slices/controller.ts';
import { TriggerTimes } from '../slices/trigger-time.ts';
import type { ControllerDeps } from '../sync-loop.ts';
import { syncQueue } from '../sync-loop.ts';
import type { World } from '../world.ts';
import { Writer } from '../writer.ts';
import { addressCount, reconcileEndpoints } from './reconcile.ts';

export interface EndpointsController {
  readonly queue: WorkQueue;
  /** To be called when the world is complete: what lost its Service while nobody looked is removed. */
  removeOrphans(): void;
}

export function endpointsController(
  api: ControllerApi,
  world: World,
  deps: ControllerDeps,
  options: ControllerOptions,
): EndpointsController {
  const { clock, observer } = deps;
  const expectations = new Expectations(clock, options.staleCacheMs);
  const triggers = new TriggerTimes(clock.wall());
  /** Endpoints whose Service is known to have gone. Others without one may be waiting for theirs to be created. */
  const orphans = new Set<ObjectKey>();
  const writer = new Writer({
    api,
    kind: endpointsKind,
    controller: 'endpoints',
    expectations,
    observer,
    shown: (key) => world.endpoints(key),
  });

  const removeOrphan = async (key: ObjectKey): Promise<number> => {
    const endpoints = world.endpoints(key);
    if (orphans.has(key) && endpoints !== undefined && !isLock(endpoints))
      await writer.delete(key, endpoints);
    orphans.delete(key);
    return 0;
  };

  const sync = async (key: ObjectKey): Promise<number> => {
    const service = world.service(key);
    if (service === undefined) return removeOrphan(key);
    if (!hasSelectedEndpoints(service) || service.metadata.deletionTimestamp !== undefined) return 0;
    const pods = world.podsOf(service);
    const existing = world.endpoints(key);
    const trigger = triggers.look(service, pods, existing !== undefined);
    const { maxEndpointsAddresses, restPerSliceMs, restPerAddressMs } = options;
    const wanted = reconcileEndpoints(service, pods, existing, {
      maxEndpointsAddresses,
      triggerTime: trigger.time,
    });
    if (wanted === undefined) {
      trigger.commit();
      return 0;
    }
    if (existing === undefined) await writer.create(key, wanted);
    else await writer.update(key, wanted);
    trigger.commit();
    return restPerSliceMs + addressCount(wanted) * restPerAddressMs;
  };

  const queue = syncQueue({ name: 'endpoints', deps, options, expectations, sync });
  const orphaned = (key: ObjectKey): void => {
    orphans.add(key);
    triggers.forget(key);
    queue.add(key);
  };
  world.listen({
    serviceChanged: (key) => {
      orphans.delete(key);
      queue.add(key);
    },
    serviceDeleted: orphaned,
    podsChanged: (key) => queue.add(key),
    endpointsChanged: (key, now) => {
      if (now === undefined) expectations.gone(key);
      else expectations.seen(key, revisionOf(now));
      queue.add(key);
    },
  });
  const removeOrphans = (): void => {
    for (const endpoints of world.allEndpoints()) {
      if (world.service(keyOf(endpoints)) === undefined) orphaned(keyOf(endpoints));
    }
  };
  return { queue, removeOrphans };
}

/** Old programs elect their leader through an Endpoints object, which has no Service. */
function isLock({ metadata }: Endpoints): boolean {
  return metadata.annotations?.[leaderAnnotation] !== undefined;
}
