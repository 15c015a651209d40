/**
 * Transactions decided one after another on top of the current state, before they are durable.
 *
 * One stage is one commit: what an earlier transaction of the group staged is what a later one compares with. Nothing
 * staged is visible to readers; the stage is applied once the disk has it, or thrown away whole.
 */

import type { Compare, Key, Operation, StoredValue } from './store.ts';
import type { Timeline } from './timeline.ts';
import { costOf, revisionOf, storedValue, versionId } from './version.ts';
import type { Version } from './version.ts';

export type Verdict =
  | { readonly type: 'write'; readonly revision: number }
  /** Nothing to write: no operations, or deletions of keys that do not exist. */
  | { readonly type: 'nothing'; readonly revision: number }
  | {
      readonly type: 'conflict';
      readonly failed: Compare;
      readonly found: StoredValue | undefined;
      /** The value found is itself only staged, so the answer is true only if this group becomes durable. */
      readonly uncertain: boolean;
    };

export class Stage {
  readonly #timeline: Timeline;
  readonly #staged = new Map<Key, Version>();
  readonly #revisions: Version[][] = [];
  readonly rows: Version[] = [];
  #bytes = 0;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The revision the store will be at when this stage is applied. */
  get revision(): number {
    return this.#timeline.revision + this.#revisions.length;
  }

  decide(compare: readonly Compare[], operations: readonly Operation[]): Verdict {
    for (const wanted of compare) {
      const head = this.#head(wanted.key);
      if ((head === undefined ? 0 : revisionOf(head)) !== wanted.modRevision)
        return this.#conflict(wanted, head);
    }
    const revision = this.revision + 1;
    const changes: Version[] = [];
    for (const operation of operations) {
      const change = changeOf(operation, this.#head(operation.key), revision, changes.length);
      if (change !== undefined) changes.push(change);
    }
    if (changes.length === 0) return { type: 'nothing', revision: this.revision };
    this.#take(changes);
    return { type: 'write', revision };
  }

  /** Makes everything staged visible. */
  apply(): void {
    for (const changes of this.#revisions) this.#timeline.apply(changes);
  }

  #head(key: Key): Version | undefined {
    const staged = this.#staged.get(key);
    if (staged === undefined) return this.#timeline.head(key);
    return staged.deleted ? undefined : staged;
  }

  #conflict(failed: Compare, head: Version | undefined): Verdict {
    const found = head?.value === undefined ? undefined : storedValue(head, head.value);
    return { type: 'conflict', failed, found, uncertain: this.#staged.has(failed.key) };
  }

  #take(changes: Version[]): void {
    this.#revisions.push(changes);
    for (const change of changes) {
      this.#staged.set(change.key, change);
      this.rows.push(change);
      this.#bytes += costOf(change);
    }
  }
}

function changeOf(
  operation: Operation,
  head: Version | undefined,
  revision: number,
  ordinal: number,
): Version | undefined {
  const { key } = operation;
  const id = versionId(revision, ordinal);
  if (operation.type === 'put') {
    const { value } = operation;
    const createRevision = head?.createRevision ?? revision;
    return { key, id, createRevision, deleted: false, size: value.byteLength, value, previous: undefined };
  }
  if (head === undefined) return undefined;
  const { createRevision } = head;
  return { key, id, createRevision, deleted: true, size: 0, value: undefined, previous: undefined };
}
