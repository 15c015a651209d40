/** Mirrors hand-written Endpoints of Services without a selector into slices. Never the other way round. */

import { endpointSliceKind } from '@outrigger/core/api';
import type { ControllerApi } from '../api.ts';
import { Expectations } from '../expectations.ts';
import type { ObjectKey } from '../keys.ts';
import { mirrorManager, triggerTimeAnnotation } from '../names.ts';
import type { ControllerOptions } from '../options.ts';
import type { WorkQueue } from '../queue.ts';
import { applyPlan } from '../slices/apply.ts';
import type { ControllerDeps } from '../sync-loop.ts';
import { syncQueue } from '../sync-loop.ts';
import type { World } from '../world.ts';
import { Writer } from '../writer.ts';
import { ownSliceChanged } from '../slices/own.ts';
import { reconcileMirror } from './reconcile.ts';

export function mirrorController(
  api: ControllerApi,
  world: World,
  deps: ControllerDeps,
  options: ControllerOptions,
): WorkQueue {
  const { clock, observer } = deps;
  const expectations = new Expectations(clock, options.staleCacheMs);
  const writer = new Writer({
    api,
    kind: endpointSliceKind,
    controller: 'mirror',
    expectations,
    observer,
    shown: (key) => world.slice(key),
  });

  const sync = async (key: ObjectKey): Promise<number> => {
    const endpoints = world.endpoints(key);
    const existing = world.slicesOf(key, mirrorManager);
    const { maxEndpointsPerSlice, maxMirroredPerSubset, restPerSliceMs } = options;
    const plan = reconcileMirror(world.service(key), endpoints, existing, {
      maxEndpointsPerSlice,
      maxMirroredPerSubset,
      // Whoever wrote the Endpoints knows when their change was made.
      triggerTime: endpoints?.metadata.annotations?.[triggerTimeAnnotation],
    });
    return (await applyPlan(writer, key, plan, existing)) * restPerSliceMs;
  };

  const queue = syncQueue({ name: 'mirror', deps, options, expectations, sync });
  world.listen({
    serviceChanged: (key) => queue.add(key),
    serviceDeleted: (key) => queue.add(key),
    endpointsChanged: (key) => queue.add(key),
    sliceChanged: ownSliceChanged(mirrorManager, expectations, queue),
  });
  return queue;
}
