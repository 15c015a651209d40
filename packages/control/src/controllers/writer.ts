/** Writes of one controller: each is remembered until the cache shows it, and counted. */

import type { Kind, KubernetesObject } from '@outrigger/core/api';
import type { ControllerApi } from './api.ts';
import type { Expectations } from './expectations.ts';
import type { ObjectKey } from './keys.ts';
import { keyOf, revisionOf } from './keys.ts';
import type { ControllerName, ControllerObserver, Verb } from './observer.ts';
import { isNamespaceTerminating } from './sync-loop.ts';

export interface WriterOptions<T extends KubernetesObject> {
  readonly api: ControllerApi;
  readonly kind: Kind<T>;
  readonly controller: ControllerName;
  readonly expectations: Expectations;
  readonly observer: ControllerObserver;
  /** The object as the cache shows it. */
  readonly shown: (key: ObjectKey) => T | undefined;
}

export class Writer<T extends KubernetesObject> {
  readonly #options: WriterOptions<T>;

  constructor(options: WriterOptions<T>) {
    this.#options = options;
  }

  /** `work` is the key of the sync that must see this write before it may run again. */
  async create(work: string, object: T): Promise<void> {
    const { api, kind } = this.#options;
    try {
      this.#wrote(work, await api.create(kind, object), 'create');
    } catch (error) {
      if (!isNamespaceTerminating(error)) throw error;
    }
  }

  async update(work: string, object: T): Promise<void> {
    const { api, kind } = this.#options;
    this.#wrote(work, await api.update(kind, object), 'update');
  }

  async updateStatus(work: string, object: T): Promise<void> {
    const { api, kind } = this.#options;
    this.#wrote(work, await api.updateStatus(kind, object), 'update');
  }

  async delete(work: string, object: T): Promise<void> {
    const { api, kind, controller, expectations, observer } = this.#options;
    await api.delete(kind, object);
    observer.wrote(controller, 'delete', kind.kind);
    expectations.removed(work, keyOf(object), this.#shownRevision(keyOf(object)));
  }

  #wrote(work: string, written: T, verb: Verb): void {
    const { kind, controller, expectations, observer } = this.#options;
    const key = keyOf(written);
    observer.wrote(controller, verb, kind.kind);
    expectations.wrote(work, key, revisionOf(written), this.#shownRevision(key));
  }

  #shownRevision(key: ObjectKey): number | undefined {
    const shown = this.#options.shown(key);
    return shown === undefined ? undefined : revisionOf(shown);
  }
}

/** Runs writes side by side, a bounded number at a time, all of them even if some fail; then throws the first failure. */
export async function writeAll(writes: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (let from = 0; from < writes.length; from += parallelWrites) {
    const batch = writes.slice(from, from + parallelWrites).map((write) => write());
    for (const result of await Promise.allSettled(batch)) {
      if (result.status === 'rejected') failures.push(result.reason);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** Enough for the store to commit them together, and few enough not to crowd out everyone else's writes. */
const parallelWrites = 16;
