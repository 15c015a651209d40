/**
 * What a controller has written and not yet seen come back through the cache. Deciding from a cache that does not show
 * one's own last write means doing it twice: a second slice with the same endpoints, an update that can only conflict.
 */

import type { Clock } from '@outrigger/core/clock';
import type { ObjectKey } from './keys.ts';

interface Expected {
  /** The key of the work that waits for it. */
  readonly work: string;
  /** The least revision that shows the write; undefined where the object is to disappear. */
  readonly revision: number | undefined;
  readonly since: number;
}

export class Expectations {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #expected = new Map<ObjectKey, Expected>();
  readonly #byWork = new Map<string, Set<ObjectKey>>();

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** An object was created or updated. `shown` is the revision that the cache shows already, if any. */
  wrote(work: string, object: ObjectKey, revision: number, shown: number | undefined): void {
    if (shown !== undefined && shown >= revision) return;
    this.#expect(object, { work, revision, since: this.#clock.now() });
  }

  removed(work: string, object: ObjectKey, shown: number | undefined): void {
    if (shown === undefined) return;
    this.#expect(object, { work, revision: undefined, since: this.#clock.now() });
  }

  /** The cache shows an object at a revision. */
  seen(object: ObjectKey, revision: number): void {
    const expected = this.#expected.get(object);
    if (expected?.revision !== undefined && revision >= expected.revision) this.#forget(object, expected);
  }

  /** The cache shows that an object is gone, whoever removed it. */
  gone(object: ObjectKey): void {
    const expected = this.#expected.get(object);
    if (expected !== undefined) this.#forget(object, expected);
  }

  /** Whether work has to wait. What has been waited for too long is given up: an event may have been missed for good. */
  pending(work: string): boolean {
    const objects = this.#byWork.get(work);
    if (objects === undefined) return false;
    const oldest = this.#clock.now() - this.#timeoutMs;
    for (const object of objects) {
      const expected = this.#expected.get(object);
      if (expected !== undefined && expected.since <= oldest) this.#forget(object, expected);
    }
    return this.#byWork.has(work);
  }

  #expect(object: ObjectKey, expected: Expected): void {
    const before = this.#expected.get(object);
    if (before !== undefined) this.#forget(object, before);
    this.#expected.set(object, expected);
    const objects = this.#byWork.get(expected.work) ?? new Set();
    objects.add(object);
    this.#byWork.set(expected.work, objects);
  }

  #forget(object: ObjectKey, { work }: Expected): void {
    this.#expected.delete(object);
    const objects = this.#byWork.get(work);
    objects?.delete(object);
    if (objects?.size === 0) this.#byWork.delete(work);
  }
}
