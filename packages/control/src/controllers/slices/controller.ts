/** Keeps the EndpointSlices of every Service with a selector. */

import type { Service } from '@outrigger/core/api';
import { endpointSliceKind } from '@outrigger/core/api';
import type { ControllerApi } from '../api.ts';
import { Expectations } from '../expectations.ts';
import type { ObjectKey } from '../keys.ts';
import { sliceManager } from '../names.ts';
import type { ControllerOptions } from '../options.ts';
import type { WorkQueue } from '../queue.ts';
import type { ControllerDeps } from '../sync-loop.ts';
import { syncQueue } from '../sync-loop.ts';
import type { World } from '../world.ts';
import { Writer } from '../writer.ts';
import { applyPlan } from './apply.ts';
import { ownSliceChanged } from './own.ts';
import { reconcileSlices } from './reconcile.ts';
import { TriggerTimes } from './trigger-time.ts';

/** The queue is to be started when the world is complete, and to be closed. */
export function sliceController(
  api: ControllerApi,
  world: World,
  deps: ControllerDeps,
  options: ControllerOptions,
): WorkQueue {
  const { clock, observer } = deps;
  const expectations = new Expectations(clock, options.staleCacheMs);
  const triggers = new TriggerTimes(clock.wall());
  const writer = new Writer({
    api,
    kind: endpointSliceKind,
    controller: 'endpointslice',
    expectations,
    observer,
    shown: (key) => world.slice(key),
  });

  const sync = async (key: ObjectKey): Promise<number> => {
    const service = world.service(key);
    // Of a Service that is gone, the slices go with their owner: see gc.
    if (service === undefined || !hasSelectedEndpoints(service)) return 0;
    const pods = world.podsOf(service);
    const existing = world.slicesOf(key, sliceManager);
    const trigger = triggers.look(service, pods, existing.length > 0);
    const plan = reconcileSlices(service, pods, existing, {
      maxEndpointsPerSlice: options.maxEndpointsPerSlice,
      zoneOf: (node) => world.zoneOf(node),
      triggerTime: trigger.time,
    });
    const written = await applyPlan(writer, key, plan, existing);
    trigger.commit();
    return written * options.restPerSliceMs;
  };

  const queue = syncQueue({ name: 'endpointslice', deps, options, expectations, sync });
  world.listen({
    serviceChanged: (key) => queue.add(key),
    serviceDeleted: (key) => triggers.forget(key),
    podsChanged: (key) => queue.add(key),
    sliceChanged: ownSliceChanged(sliceManager, expectations, queue),
  });
  return queue;
}

/** Services without a selector, and those that only stand for a name elsewhere, get their endpoints from others. */
export function hasSelectedEndpoints({ spec }: Service): boolean {
  return spec.type !== 'ExternalName' && Object.keys(spec.selector ?? {}).length > 0;
}
