/** What a controller may use of the service: the watch cache to be told, the registry to act. Never the store. */

import type { Kind, KubernetesObject } from '@outrigger/core/api';

export interface ChangeHandler<T> {
  /** Created or changed; `old` is the state before, as far as the cache had one. */
  put(object: T, old: T | undefined): void;
  deleted(object: T): void;
  /** Called once: everything that existed at subscription has been handed over. */
  synced?(): void;
}

export interface ControllerApi {
  /** Hands over the current objects, then every change in order. Returns the unsubscriber. */
  subscribe<T extends KubernetesObject>(kind: Kind<T>, handler: ChangeHandler<T>): () => void;
  /** Writes reject with `ApiError`; a conflict means: look again at the next change. All carry resourceVersion checks. */
  create<T extends KubernetesObject>(kind: Kind<T>, object: T): Promise<T>;
  /** `metadata.resourceVersion` of the object decides whether the write is still wanted. */
  update<T extends KubernetesObject>(kind: Kind<T>, object: T): Promise<T>;
  updateStatus<T extends KubernetesObject>(kind: Kind<T>, object: T): Promise<T>;
  /** Removes it now: a pod gets no grace. What finalizers hold is only marked. */
  delete<T extends KubernetesObject>(kind: Kind<T>, object: T): Promise<void>;
}
