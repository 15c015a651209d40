/** The shell of every controller: a queue whose runs wait for the cache, are timed, counted, and logged when they fail. */

import { ApiError } from '@outrigger/core/api';
import type { Clock, Random } from '@outrigger/core/clock';
import type { Logger } from '@outrigger/core/log';
import type { Expectations } from './expectations.ts';
import type { ControllerName, ControllerObserver } from './observer.ts';
import type { ControllerOptions } from './options.ts';
import { WorkQueue } from './queue.ts';

export interface ControllerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly observer: ControllerObserver;
}

export interface SyncLoop {
  readonly name: ControllerName;
  readonly deps: ControllerDeps;
  readonly options: ControllerOptions;
  readonly expectations: Expectations;
  /** Brings one key to its desired state; answers for how many ms the key shall rest. */
  readonly sync: (key: string) => Promise<number>;
}

export function syncQueue({ name, deps, options, expectations, sync }: SyncLoop): WorkQueue {
  const { clock, random, log, observer } = deps;
  const { concurrency, retryBaseMs, retryMaxMs, staleCacheMs } = options;
  const queue = new WorkQueue({
    clock,
    random,
    concurrency,
    retryBaseMs,
    retryMaxMs,
    run: async (key) => {
      if (expectations.pending(key)) {
        // The event that is waited for adds the key again; this is for the one that never comes.
        observer.waited(name);
        queue.addAfter(key, staleCacheMs);
        return 0;
      }
      const start = clock.now();
      const rest = await sync(key);
      observer.synced(name, clock.now() - start);
      return rest;
    },
    onError: (key, error) => {
      const conflict = isConflict(error);
      observer.failed(name, conflict ? 'conflict' : 'error');
      const fields = { controller: name, key, error };
      if (conflict) log.debug('someone was faster; looking again', fields);
      else log.warn('a sync failed and will be tried again', fields);
    },
  });
  observer.depth(name, () => queue.depth);
  return queue;
}

/** The object is not what the cache showed: changed, gone, or there already. The next event tells. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && (error.httpStatus === 409 || error.httpStatus === 404);
}

/** Nothing can be created any more where everything is about to be removed. */
export function isNamespaceTerminating(error: unknown): boolean {
  return error instanceof ApiError && error.causes.some(({ reason }) => reason === 'NamespaceTerminating');
}
