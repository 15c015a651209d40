/** One subscription per kind, shared by all controllers: objects are handed over once, in order, to each in turn. */

import type { Kind, KubernetesObject } from '@outrigger/core/api';
import type { ChangeHandler, ControllerApi } from './api.ts';

interface Informer {
  readonly handlers: ChangeHandler<KubernetesObject>[];
  synced: boolean;
}

export class Informers {
  readonly #api: ControllerApi;
  readonly #informers = new Map<Kind, Informer>();
  readonly #stops: (() => void)[] = [];
  #onSynced: (() => void) | undefined;

  constructor(api: ControllerApi) {
    this.#api = api;
  }

  /** To be called before `start`. Handlers are called in the order in which they came. */
  watch<T extends KubernetesObject>(kind: Kind<T>, handler: ChangeHandler<T>): void {
    const informer = this.#informers.get(kind) ?? { handlers: [], synced: false };
    informer.handlers.push(handler);
    this.#informers.set(kind, informer);
  }

  /** Subscribes; calls back once, when everything that existed of every kind has been handed over. */
  start(onSynced: () => void): void {
    this.#onSynced = onSynced;
    for (const [kind, informer] of this.#informers) {
      const stop = this.#api.subscribe(kind, {
        put: (object, old) => {
          for (const handler of informer.handlers) handler.put(object, old);
        },
        deleted: (object) => {
          for (const handler of informer.handlers) handler.deleted(object);
        },
        synced: () => this.#synced(informer),
      });
      this.#stops.push(stop);
    }
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.#onSynced = undefined;
  }

  #synced(informer: Informer): void {
    informer.synced = true;
    for (const handler of informer.handlers) handler.synced?.();
    if (![...this.#informers.values()].every(({ synced }) => synced)) return;
    const onSynced = this.#onSynced;
    this.#onSynced = undefined;
    onSynced?.();
  }
}
