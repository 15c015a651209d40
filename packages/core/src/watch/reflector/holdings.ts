/**
 * What a reflector holds: the records of one resource and scope, the revision they are at, the cluster they are from.
 *
 * A batch counts as taken once the receiver has returned. If it throws, nothing here has changed, and the same changes
 * come again.
 */

import { failureOf } from './failure.ts';
import type { Failure } from './failure.ts';
import { difference, heldOf, keyOf, protocol, revisionOf, sharing } from './records.ts';
import type { Project } from './records.ts';
import { isOlder } from './revision.ts';
import type { ApiObject, Cause, Changes, Doubt, Held } from './types.ts';

export type Records<R> = Map<string, Held<R>>;

export class Holdings<R> {
  readonly #project: Project<R>;
  readonly #deliver: (changes: Changes<R>) => void;
  #held: Records<R> = new Map();
  #revision: string | undefined;
  #identity: string | undefined;
  /** Changes of the events at hand, not yet delivered; undefined: gone. */
  #pending = new Map<string, Held<R> | undefined>();
  #pendingRevision: string | undefined;

  constructor(project: Project<R>, deliver: (changes: Changes<R>) => void) {
    this.#project = project;
    this.#deliver = deliver;
  }

  get records(): ReadonlyMap<string, Held<R>> {
    return this.#held;
  }
  /** Undefined: nothing was ever listed or restored. */
  get revision(): string | undefined {
    return this.#revision;
  }
  get identity(): string | undefined {
    return this.#identity;
  }

  /** May throw what the receiver throws. */
  restore(held: readonly Held<R>[], revision: string, identity: string | undefined): void {
    this.#deliver({ put: held, delete: [], revision, cause: 'snapshot', doubt: undefined, identity });
    this.#held = new Map(held.map((each) => [each.key, each]));
    this.#revision = revision;
    this.#identity = identity;
  }

  /** Adds an object to a list that comes in, comparing it with what is held now, not in one pause at the end. */
  stage(staged: Records<R>, object: ApiObject): void {
    const held = heldOf(object, this.#project);
    if (held === undefined) staged.delete(keyOf(object));
    else staged.set(held.key, sharing(held, this.#held.get(held.key)));
  }

  /** A complete list takes the place of what was held. */
  replace(
    staged: Records<R>,
    revision: string,
    doubt: Doubt | undefined,
    identity: string | undefined,
  ): Failure | undefined {
    const first = this.#revision === undefined;
    const changes = difference(this.#held, staged);
    const failure = this.#hand(changes, revision, first ? 'list' : 'relist', doubt, identity);
    if (failure !== undefined) return failure;
    this.#held = staged;
    this.#revision = revision;
    return undefined;
  }

  /** An event, to be delivered with the next `flush`. Throws WATCH_PROTOCOL. */
  note(object: ApiObject, gone: boolean): void {
    const held = gone ? undefined : heldOf(object, this.#project);
    this.advance(revisionOf(object));
    this.#pending.set(keyOf(object), held);
  }

  /** Events come in order: an older revision means that another store answers than the one that was identified. */
  advance(revision: string): void {
    const last = this.#pendingRevision ?? this.#revision;
    if (isOlder(revision, last)) throw protocol(`a watch event has revision ${revision}, after ${last}`);
    this.#pendingRevision = revision;
  }

  /** Delivers what the events so far amount to. */
  flush(identity: string | undefined): Failure | undefined {
    const revision = this.#pendingRevision;
    if (revision === undefined) return undefined;
    const changes = this.#takePending();
    const failure = this.#hand(changes, revision, 'watch', undefined, identity);
    if (failure !== undefined) return failure;
    for (const held of changes.put) this.#held.set(held.key, held);
    for (const { key } of changes.delete) this.#held.delete(key);
    this.#revision = revision;
    return undefined;
  }

  #takePending(): { put: Held<R>[]; delete: Held<R>[] } {
    const put: Held<R>[] = [];
    const gone: Held<R>[] = [];
    for (const [key, held] of this.#pending) {
      const old = this.#held.get(key);
      if (held !== undefined) put.push(held);
      else if (old !== undefined) gone.push(old);
    }
    this.#pending = new Map();
    this.#pendingRevision = undefined;
    return { put, delete: gone };
  }

  #hand(
    changes: Pick<Changes<R>, 'put' | 'delete'>,
    revision: string,
    cause: Cause,
    doubt: Doubt | undefined,
    answering: string | undefined,
  ): Failure | undefined {
    const identity = answering ?? this.#identity;
    const nothing = changes.put.length === 0 && changes.delete.length === 0;
    try {
      // The first list is handed over even when it is empty: it says that there is nothing.
      if (!nothing || cause === 'list') this.#deliver({ ...changes, revision, cause, doubt, identity });
    } catch (error) {
      return { ...failureOf(error), reason: 'consumer' };
    }
    this.#identity = identity;
    return undefined;
  }
}
