/** Watchers who want the same objects in the same form: what they get is encoded and framed once. */

import type { Entry } from '../cache/entry.ts';
import type { CacheEvent } from '../cache/history.ts';
import type { Frame } from './frame.ts';
import { entryLine, frameOf } from './frame.ts';
import type { Outcome } from './selection.ts';
import { outcomeOf } from './selection.ts';
import type { Watcher, WatchSpec } from './watcher.ts';

interface Pending {
  readonly revision: number;
  readonly outcome: Outcome;
  readonly line: Buffer;
}

/** Lines already made for one event, by form and type: groups that differ only in selection share them. */
export type LineCache = Map<string, Buffer>;

export class Group {
  readonly watchers = new Set<Watcher>();
  readonly #spec: Pick<WatchSpec, 'selection' | 'represent'>;
  #pending: Pending[] = [];
  #shared: Frame | undefined;

  constructor(spec: Pick<WatchSpec, 'selection' | 'represent'>) {
    this.#spec = spec;
  }

  get waiting(): boolean {
    return this.#pending.length > 0;
  }

  take(event: CacheEvent, lines: LineCache): void {
    const { represent, selection } = this.#spec;
    const outcome = outcomeOf(event, selection);
    if (outcome === undefined) return;
    const key = represent.id + outcome.type;
    let line = lines.get(key);
    if (line === undefined) {
      line = entryLine(outcome.type, represent, outcome.entry, false);
      lines.set(key, line);
    }
    this.#pending.push({ revision: event.revision, outcome, line });
  }

  /** What a watcher is told of the round from one revision to another; undefined when it knows all of it. */
  frameFor(watcher: Watcher, from: number): Frame | undefined {
    if (watcher.position <= from && !(watcher.fresh && this.#spec.represent.firstDiffers)) {
      this.#shared ??= frameOf(this.#pending.map(({ line }) => line));
      return this.#shared;
    }
    const news = this.#pending.filter(({ revision }) => revision > watcher.position);
    if (news.length === 0) return undefined;
    return frameOf(news.map((pending, i) => (i === 0 ? this.#firstLine(pending, watcher) : pending.line)));
  }

  settle(): void {
    this.#pending = [];
    this.#shared = undefined;
  }

  #firstLine(pending: Pending, watcher: Watcher): Buffer {
    const { represent } = this.#spec;
    if (!watcher.fresh || !represent.firstDiffers) return pending.line;
    return entryLine(pending.outcome.type, represent, pending.outcome.entry, true);
  }
}

/** The groups of one resource, found by what an event touches: its path, its namespace, everything. */
export class Channel {
  readonly #scopes = new Map<string, Map<string, Group>>();
  #watchers = 0;

  get watchers(): number {
    return this.#watchers;
  }

  add(watcher: Watcher): void {
    const { scope, group } = idsOf(watcher.spec);
    let groups = this.#scopes.get(scope);
    if (groups === undefined) this.#scopes.set(scope, (groups = new Map()));
    let home = groups.get(group);
    if (home === undefined) groups.set(group, (home = new Group(watcher.spec)));
    home.watchers.add(watcher);
    this.#watchers++;
  }

  remove(watcher: Watcher): void {
    const { scope, group } = idsOf(watcher.spec);
    const groups = this.#scopes.get(scope);
    const home = groups?.get(group);
    if (groups === undefined || home === undefined || !home.watchers.delete(watcher)) return;
    this.#watchers--;
    if (home.watchers.size === 0) groups.delete(group);
    if (groups.size === 0) this.#scopes.delete(scope);
  }

  *groups(): Generator<Group> {
    for (const groups of this.#scopes.values()) yield* groups.values();
  }

  /** Groups whose scope holds the object. */
  *touchedBy(entry: Entry): Generator<Group> {
    yield* this.#scopes.get('')?.values() ?? [];
    if (entry.namespace !== '') yield* this.#scopes.get(`${entry.namespace}/`)?.values() ?? [];
    yield* this.#scopes.get(entry.path)?.values() ?? [];
  }
}

function idsOf(spec: WatchSpec): { scope: string; group: string } {
  const { namespace, name } = spec.scope;
  const prefix = namespace === '' ? '' : `${namespace}/`;
  const placed = name !== undefined && (namespace !== '' || !spec.resource.kind.namespaced);
  return { scope: placed ? prefix + name : prefix, group: `${spec.represent.id} ${spec.selection.id}` };
}
