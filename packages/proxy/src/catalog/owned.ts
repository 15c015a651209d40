/** The records of one kind that belong to Services, found by their own key and by Service. */

import type { ObjectKey } from './records.ts';

export class Owned<T> {
  readonly #servicesOf: (record: T) => readonly ObjectKey[];
  readonly #equal: (a: T, b: T) => boolean;
  readonly #records = new Map<ObjectKey, T>();
  readonly #byService = new Map<ObjectKey, Map<ObjectKey, T>>();

  constructor(servicesOf: (record: T) => readonly ObjectKey[], equal: (a: T, b: T) => boolean) {
    this.#servicesOf = servicesOf;
    this.#equal = equal;
  }

  /** Puts or (undefined) removes a record. Answers the Services this concerns: those it belonged and now belongs to. */
  set(key: ObjectKey, record: T | undefined): Iterable<ObjectKey> {
    const old = this.#records.get(key);
    const before = old === undefined ? [] : this.#servicesOf(old);
    const after = record === undefined ? [] : this.#servicesOf(record);
    for (const service of before) this.#unlink(service, key);
    if (record === undefined) this.#records.delete(key);
    else this.#records.set(key, record);
    for (const service of after) this.#link(service, key, record as T);
    if (old !== undefined && record !== undefined && this.#equal(old, record)) return [];
    return [...before, ...after];
  }

  /** Sorted by key, so that what is made of them does not depend on the order of arrival. */
  of(service: ObjectKey): readonly T[] {
    const members = this.#byService.get(service);
    if (members === undefined) return [];
    if (members.size === 1) return [...members.values()];
    return [...members].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, record]) => record);
  }

  #link(service: ObjectKey, key: ObjectKey, record: T): void {
    const members = this.#byService.get(service);
    if (members === undefined) this.#byService.set(service, new Map([[key, record]]));
    else members.set(key, record);
  }

  #unlink(service: ObjectKey, key: ObjectKey): void {
    const members = this.#byService.get(service);
    members?.delete(key);
    if (members?.size === 0) this.#byService.delete(service);
  }
}
