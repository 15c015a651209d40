/**
 * Removals that deserve distrust wait.
 *
 * A control service that lost its state, or whose endpoints have not reported yet after its restart, answers a list in
 * which most endpoints of a Service are missing though they serve. Applying that list at once turns an outage of the
 * control service into one of the traffic. So after a gap additions apply at once, but when more than half of a group's
 * ready members would go (any, when another cluster or an earlier revision answers) they stay for a while, in which
 * dials and probes judge them. What is still missing then goes.
 *
 * Members live inside records: an EndpointSlice holds up to a hundred endpoints, and a removal may be a slice gone or a
 * slice put with fewer. So the receiver gets, instead of the record the server sent, one that retains the members that
 * wait. Records whose object is itself the member (a Service) are their own only member.
 *
 * Pure: batches and times in, batches out.
 */

import type { Changes, Doubt, Held } from '../reflector/types.ts';

export interface HoldRule<R> {
  /** What "more than half" is counted over: the Service's key. */
  groupOf(record: R): string;
  /** Keys, unique in the group, of the members whose loss counts: ready endpoints. */
  readyIn(record: R): Iterable<string>;
  /** Keys of all members that the record says anything of; a waiting one that comes up here waits no more. */
  knownIn(record: R): Iterable<string>;
  /** `after` with the members `keep` as they are in `before`; `after` undefined: nothing but these. */
  retain(before: R, after: R | undefined, keep: ReadonlySet<string>): R;
}

export interface HeldGroup {
  readonly resource?: string;
  readonly group: string;
  readonly members: readonly string[];
  readonly doubt: Doubt;
  /** Monotonic ms at which they go. */
  readonly until: number;
}

/** Records that are members themselves. */
export function wholeRecords<R>(keyOf: (record: R) => string): HoldRule<R> {
  const self = (record: R): string[] => [keyOf(record)];
  return { groupOf: keyOf, readyIn: self, knownIn: self, retain: (before) => before };
}

/** The rule itself: do the removals that lead from `before` to `after` wait? Empty: they do not. */
export function removalsToHold(
  before: ReadonlySet<string>,
  after: ReadonlySet<string>,
  doubt: Doubt | undefined,
): ReadonlySet<string> {
  if (doubt === undefined) return new Set();
  const lost = new Set([...before].filter((member) => !after.has(member)));
  return doubt !== 'broken-watch' || lost.size * 2 > before.size ? lost : new Set();
}

interface Overlay<R> {
  readonly before: Held<R>;
  readonly group: string;
  readonly doubt: Doubt;
  readonly until: number;
  readonly keep: Set<string>;
}

export class ShrinkHold<R> {
  readonly #rule: HoldRule<R>;
  readonly #holdMs: number;
  /** As the server says. */
  readonly #true = new Map<string, Held<R>>();
  /** By key of the record whose members wait. */
  readonly #overlays = new Map<string, Overlay<R>>();
  #revision = '';
  #identity: string | undefined;

  /** `holdMs` 0 applies everything at once. Longer bridges longer restarts of the control service, and keeps dead endpoints longer. */
  constructor(rule: HoldRule<R>, holdMs: number) {
    this.#rule = rule;
    this.#holdMs = holdMs;
  }

  /** What the receiver is to be told instead of `changes`. */
  apply(changes: Changes<R>, now: number): Changes<R> {
    this.#revision = changes.revision;
    this.#identity = changes.identity;
    const touched = new Set<string>();
    if (changes.doubt !== undefined && this.#holdMs > 0) this.#hold(changes, changes.doubt, now);
    for (const held of changes.put) this.#true.set(held.key, held);
    for (const { key } of changes.delete) this.#true.delete(key);
    if (this.#overlays.size > 0) this.#settle(changes, touched);
    if (this.#overlays.size === 0 && touched.size === 0) return changes;
    return this.#overlaid(changes, touched);
  }

  /** The removals whose time has come. */
  expire(now: number): Changes<R> | undefined {
    const put: Held<R>[] = [];
    const gone: Held<R>[] = [];
    for (const [key, overlay] of this.#overlays) {
      if (overlay.until > now) continue;
      this.#overlays.delete(key);
      const held = this.#true.get(key);
      if (held === undefined) gone.push(overlay.before);
      else put.push(held);
    }
    if (put.length + gone.length === 0) return undefined;
    return {
      put,
      delete: gone,
      revision: this.#revision,
      cause: 'shrink-hold',
      doubt: undefined,
      identity: this.#identity,
    };
  }

  /** When `expire` has something next. */
  next(): number | undefined {
    let next: number | undefined;
    for (const { until } of this.#overlays.values()) next = Math.min(next ?? until, until);
    return next;
  }

  waiting(): HeldGroup[] {
    const groups = new Map<string, HeldGroup>();
    for (const { group, doubt, until, keep } of this.#overlays.values()) {
      const known = groups.get(group);
      groups.set(group, { group, doubt, until, members: [...(known?.members ?? []), ...keep] });
    }
    return [...groups.values()];
  }

  /** Members waiting. */
  get size(): number {
    let size = 0;
    for (const { keep } of this.#overlays.values()) size += keep.size;
    return size;
  }

  #hold(changes: Changes<R>, doubt: Doubt, now: number): void {
    const next = new Map(changes.put.map((held) => [held.key, held]));
    const gone = new Set(changes.delete.map(({ key }) => key));
    const changed = [...next.keys(), ...gone].flatMap((key) => this.#true.get(key) ?? []);
    const groups = new Set(changed.map(({ record }) => this.#rule.groupOf(record)));
    const kept = [...this.#true.values()].filter(({ key }) => !gone.has(key) && !next.has(key));
    const before = this.#readyOf(groups, this.#true.values());
    const after = this.#readyOf(groups, [...kept, ...changes.put]);
    for (const old of changed) {
      const group = this.#rule.groupOf(old.record);
      const lost = removalsToHold(before.get(group) ?? new Set(), after.get(group) ?? new Set(), doubt);
      const keep = common(this.#rule.readyIn(old.record), lost);
      if (keep.size > 0) this.#overlay(old, group, keep, doubt, now + this.#holdMs);
    }
  }

  #readyOf(groups: ReadonlySet<string>, records: Iterable<Held<R>>): Map<string, Set<string>> {
    const ready = new Map<string, Set<string>>();
    for (const { record } of records) {
      const group = this.#rule.groupOf(record);
      if (!groups.has(group)) continue;
      const members = ready.get(group) ?? new Set();
      for (const member of this.#rule.readyIn(record)) members.add(member);
      ready.set(group, members);
    }
    return ready;
  }

  /** Members of the record that wait already go on waiting with the new ones. */
  #overlay(old: Held<R>, group: string, keep: Set<string>, doubt: Doubt, until: number): void {
    const known = this.#overlays.get(old.key);
    const before =
      known === undefined
        ? old
        : { ...old, record: this.#rule.retain(known.before.record, old.record, known.keep) };
    this.#overlays.set(old.key, { before, group, doubt, until, keep: union(keep, known?.keep) });
  }

  /**
   * Members that a record speaks of again wait no more, whichever record that is. A distrusted list is believed only
   * where it says that they are ready.
   */
  #settle(changes: Changes<R>, touched: Set<string>): void {
    const known = new Map<string, Set<string>>();
    const groups = new Set([...this.#overlays.values()].map(({ group }) => group));
    for (const { record } of changes.put) {
      const group = this.#rule.groupOf(record);
      if (!groups.has(group)) continue;
      const members = changes.doubt === undefined ? this.#rule.knownIn(record) : this.#rule.readyIn(record);
      known.set(group, union(members, known.get(group)));
    }
    for (const [key, { group, keep }] of this.#overlays) {
      const back = common(keep, known.get(group) ?? new Set());
      if (back.size === 0) continue;
      for (const member of back) keep.delete(member);
      touched.add(key);
    }
  }

  /** `changes` as seen through the overlays, with the records whose overlay changed. */
  #overlaid(changes: Changes<R>, touched: ReadonlySet<string>): Changes<R> {
    const put: Held<R>[] = [];
    const gone: Held<R>[] = [];
    const see = (key: string, old: Held<R> | undefined): void => {
      const seen = this.#seen(key);
      if (seen !== undefined) put.push(seen);
      else if (old !== undefined) gone.push(old);
    };
    const named = new Set<string>();
    for (const { key } of changes.put) {
      named.add(key);
      see(key, undefined);
    }
    for (const held of changes.delete) {
      named.add(held.key);
      see(held.key, held);
    }
    for (const key of touched) if (!named.has(key)) see(key, this.#overlays.get(key)?.before);
    for (const [key, { keep }] of this.#overlays) if (keep.size === 0) this.#overlays.delete(key);
    return { ...changes, put, delete: gone };
  }

  #seen(key: string): Held<R> | undefined {
    const held = this.#true.get(key);
    const overlay = this.#overlays.get(key);
    if (overlay === undefined || overlay.keep.size === 0) return held;
    const record = this.#rule.retain(overlay.before.record, held?.record, overlay.keep);
    return { ...(held ?? overlay.before), record };
  }
}

function common(some: Iterable<string>, others: ReadonlySet<string>): Set<string> {
  return new Set([...some].filter((member) => others.has(member)));
}

function union(some: Iterable<string>, others: Iterable<string> = []): Set<string> {
  return new Set([...some, ...others]);
}
