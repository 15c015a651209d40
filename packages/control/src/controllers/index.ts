/** The controllers: endpoints in all their forms, the end of pods, and the removal of what belonged to the gone. */

import type { ControllerApi } from './api.ts';
import { endpointsController } from './endpoints/controller.ts';
import { garbageCollector } from './gc/controller.ts';
import { Informers } from './informers.ts';
import { PodLifecycle } from './lifecycle/controller.ts';
import { mirrorController } from './mirror/controller.ts';
import type { ControllerOptions } from './options.ts';
import { defaultControllerOptions } from './options.ts';
import { sliceController } from './slices/controller.ts';
import type { ControllerDeps } from './sync-loop.ts';
import { World } from './world.ts';

export type { ChangeHandler, ControllerApi } from './api.ts';
export type { ControllerName, ControllerObserver, Verb } from './observer.ts';
export { metricsObserver, silentObserver } from './observer.ts';
export type { ControllerOptions } from './options.ts';
export { defaultControllerOptions } from './options.ts';
export type { ControllerDeps } from './sync-loop.ts';
export { leaseExpiredReason, registeredLabel } from './names.ts';

export interface Controllers {
  /** Resolves when everything that existed has been taken in and the first syncs have begun. */
  readonly started: Promise<void>;
  /** Stops taking changes in; resolves when writes under way have ended. */
  close(): Promise<void>;
}

/** Nothing is written before all kinds have been handed over: an absent pod must be absent, not late. */
export function startControllers(
  api: ControllerApi,
  deps: ControllerDeps,
  overrides: Partial<ControllerOptions> = {},
): Controllers {
  const options = { ...defaultControllerOptions, ...overrides };
  const informers = new Informers(api);
  // The world's indexes come first: whoever is told of a change finds it there.
  const world = new World(informers, options);
  const slices = sliceController(api, world, deps, options);
  const endpoints = endpointsController(api, world, deps, options);
  const mirror = mirrorController(api, world, deps, options);
  const lifecycle = new PodLifecycle(api, informers, world, deps, options);
  const gc = garbageCollector(api, informers, deps, options);
  const queues = [slices, endpoints.queue, mirror, gc];
  const started = new Promise<void>((resolve) => {
    informers.start(() => {
      endpoints.removeOrphans();
      for (const queue of queues) queue.start();
      lifecycle.start();
      resolve();
    });
  });
  const close = async (): Promise<void> => {
    informers.stop();
    await Promise.all([...queues.map((queue) => queue.close()), lifecycle.close()]);
  };
  return { started, close };
}
