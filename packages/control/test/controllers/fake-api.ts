/**
 * The service as controllers see it, in memory: optimistic concurrency, generated names, status apart, finalizers and
 * grace, and a cache that may lag behind.
 */

import type { Kind, KubernetesObject } from '@outrigger/core/api';
import { ApiError, equalJson, formatTime } from '@outrigger/core/api';
import type { FakeClock } from '@outrigger/core/clock';
import type { ChangeHandler } from '../../src/controllers/api.ts';
import type { LabApi, Write } from './lab-api.ts';

interface Table {
  readonly objects: Map<string, KubernetesObject>;
  /** What subscribers have been told so far. */
  readonly shown: Map<string, KubernetesObject>;
  readonly handlers: Set<ChangeHandler<KubernetesObject>>;
}

export class FakeApi implements LabApi {
  readonly turns = 1;
  readonly writes: Write[] = [];
  onWrite: (write: Write) => void = () => {};
  readonly #clock: FakeClock;
  readonly #lagMs: () => number;
  readonly #tables = new Map<Kind, Table>();
  #revision = 0;
  #names = 0;
  /** Changes on their way to subscribers: one line, so that they stay in order. */
  #delivery: Promise<void> = Promise.resolve();

  /** `lagMs` is how much later than a write its event is shown. */
  constructor(clock: FakeClock, lagMs: () => number = () => 0) {
    this.#clock = clock;
    this.#lagMs = lagMs;
  }

  subscribe<T extends KubernetesObject>(kind: Kind<T>, handler: ChangeHandler<T>): () => void {
    const { handlers, shown } = this.#table(kind);
    const all = handler as unknown as ChangeHandler<KubernetesObject>;
    handlers.add(all);
    for (const object of shown.values()) all.put(structuredClone(object), undefined);
    all.synced?.();
    return () => void handlers.delete(all);
  }

  async create<T extends KubernetesObject>(kind: Kind<T>, object: T): Promise<T> {
    const metadata = { ...object.metadata };
    const prefix = metadata.generateName ?? '';
    if (metadata.name === undefined && prefix !== '')
      metadata.name = `${prefix}${(this.#names++).toString(36).padStart(5, '0')}`;
    const name = metadata.name ?? '';
    this.#before('create', kind, name);
    if (this.#table(kind).objects.has(place(metadata))) throw ApiError.alreadyExists(kind, name);
    metadata.uid = `uid-${this.#revision + 1}`;
    metadata.creationTimestamp = formatTime(this.#clock.wall());
    return this.#commit('create', kind, { ...object, metadata });
  }

  async update<T extends KubernetesObject>(kind: Kind<T>, object: T): Promise<T> {
    this.#before('update', kind, object.metadata.name ?? '');
    const old = this.#current(kind, object);
    const status = (old as { status?: unknown }).status;
    const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds } = old.metadata;
    const metadata = defined({
      ...object.metadata,
      uid,
      creationTimestamp,
      deletionTimestamp,
      deletionGracePeriodSeconds,
    });
    const next = { ...object, metadata, ...(status === undefined ? {} : { status }) } as T;
    if (metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0) {
      this.#remove(kind, old);
      return next;
    }
    return this.#commit('update', kind, next);
  }

  async updateStatus<T extends KubernetesObject>(kind: Kind<T>, object: T): Promise<T> {
    this.#before('updateStatus', kind, object.metadata.name ?? '');
    const old = this.#current(kind, object);
    return this.#commit('updateStatus', kind, {
      ...old,
      status: (object as { status?: unknown }).status,
    });
  }

  async delete<T extends KubernetesObject>(kind: Kind<T>, object: T): Promise<void> {
    this.#before('delete', kind, object.metadata.name ?? '');
    const old = this.#current(kind, object);
    if ((old.metadata.finalizers ?? []).length === 0) this.#remove(kind, old);
    else this.#mark(kind, old, 0);
  }

  async deleteGracefully<T extends KubernetesObject>(
    kind: Kind<T>,
    object: T,
    seconds: number,
  ): Promise<void> {
    this.#mark(kind, this.#current(kind, object), seconds);
  }

  list<T extends KubernetesObject>(kind: Kind<T>): T[] {
    return [...this.#table(kind).objects.values()] as T[];
  }

  find<T extends KubernetesObject>(kind: Kind<T>, namespace: string, name: string): T | undefined {
    const object =
      this.#table(kind).objects.get(place({ namespace, name })) ??
      this.#table(kind).objects.get(place({ name }));
    return structuredClone(object) as T | undefined;
  }

  async close(): Promise<void> {
    await this.#delivery;
  }

  #mark<T extends KubernetesObject>(kind: Kind<T>, old: T, seconds: number): void {
    const deletionTimestamp = formatTime(this.#clock.wall() + seconds * 1_000);
    const metadata = { ...old.metadata, deletionTimestamp, deletionGracePeriodSeconds: seconds };
    this.#commit('delete', kind, { ...old, metadata });
  }

  #before(verb: Write['verb'], kind: Kind<never> | Kind, name: string): void {
    this.onWrite({ verb, kind: kind.kind, name });
  }

  #current<T extends KubernetesObject>(kind: Kind<T>, object: T): T {
    const { name = '', resourceVersion } = object.metadata;
    const old = this.#table(kind).objects.get(place(object.metadata));
    if (old === undefined) throw ApiError.notFound(kind, name);
    if (resourceVersion === undefined)
      throw ApiError.badRequest('a write of a controller must carry a resourceVersion');
    if (old.metadata.resourceVersion !== resourceVersion) throw ApiError.conflict(kind, name);
    return old as T;
  }

  #commit<T extends KubernetesObject>(verb: Write['verb'], kind: Kind<T>, object: T): T {
    const table = this.#table(kind);
    const key = place(object.metadata);
    const old = table.objects.get(key);
    if (old !== undefined && equalJson(old, object)) return structuredClone(object);
    this.#revision += 1;
    const copy = structuredClone(object);
    const stored = { ...copy, metadata: { ...copy.metadata, resourceVersion: String(this.#revision) } };
    table.objects.set(key, stored);
    this.writes.push({ verb, kind: kind.kind, name: stored.metadata.name ?? '' });
    this.#deliver(() => {
      const shown = table.shown.get(key);
      table.shown.set(key, stored);
      for (const handler of table.handlers) handler.put(structuredClone(stored), shown);
    });
    return structuredClone(stored);
  }

  #remove<T extends KubernetesObject>(kind: Kind<T>, old: T): void {
    const table = this.#table(kind);
    const key = place(old.metadata);
    this.#revision += 1;
    table.objects.delete(key);
    this.writes.push({ verb: 'delete', kind: kind.kind, name: old.metadata.name ?? '' });
    this.#deliver(() => {
      table.shown.delete(key);
      for (const handler of table.handlers) handler.deleted(structuredClone(old));
    });
  }

  #deliver(change: () => void): void {
    const due = this.#clock.now() + this.#lagMs();
    this.#delivery = this.#delivery.then(async () => {
      if (due > this.#clock.now()) await this.#clock.sleep(due - this.#clock.now());
      change();
    });
  }

  #table(kind: Kind<never> | Kind): Table {
    const table = this.#tables.get(kind) ?? {
      objects: new Map(),
      shown: new Map(),
      handlers: new Set(),
    };
    this.#tables.set(kind, table);
    return table;
  }
}

function place({ namespace = '', name = '' }: KubernetesObject['metadata']): string {
  return `${namespace}/${name}`;
}

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as T;
}
