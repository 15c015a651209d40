/**
 * The generic registry: what writing an object means, whatever its kind. Each write reads the current state from the
 * cache, goes through admission, and becomes one store transaction that holds only if that state was still current;
 * when it was not, it is tried again from the new state, unless the client named the revision it meant.
 */

import type { Clock, Random } from '@outrigger/core/clock';
import type { KubernetesObject } from '@outrigger/core/api';
import { ApiError } from '@outrigger/core/api';
import type { Cache } from '../cache/cache.ts';
import type { Entry } from '../cache/entry.ts';
import type { Compare, Operation, Store } from '../store/store.ts';
import { decodeObject, encodeObject } from './codec.ts';
import { decideDeletion, isReleased } from './deletion.ts';
import {
  checkIdentity,
  countGeneration,
  mismatch,
  prepareCreate,
  prepareUpdate,
  unchanged,
} from './metadata.ts';
import { generateName, nameTries, uuid } from './names.ts';
import type { ObjectPath, Resource } from './resource.ts';
import { pathOf, splitPath } from './resource.ts';
import { Turns } from './turns.ts';
import type { Deleted, DeleteOptions, Stored, Subresource, Write, Written } from './write.ts';

export interface RegistryOptions {
  readonly store: Store;
  readonly cache: Cache;
  readonly clock: Clock;
  readonly random: Random;
  /** The gates every write passes: see admission.ts. */
  readonly admit: (write: Write) => Promise<void>;
  /** Encoded size of one object; patches can make more of one than a body could bring. */
  readonly maxObjectBytes: number;
}

export interface WriteOptions {
  readonly dryRun: boolean;
}

export interface UpdateOptions extends WriteOptions {
  readonly subresource?: Subresource;
}

/**
 * How often a creation is tried when others take its name, address or port first, or change its namespace: each time
 * someone else got through.
 */
const creationTries = 20;

/** How often a write is tried again when others change the same object meanwhile. */
const conflictTries = 5;

export class Registry {
  readonly #options: RegistryOptions;
  readonly #turns = new Turns();

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** The current object, as of now at the earliest. Throws 404. */
  async current(resource: Resource, path: ObjectPath): Promise<Entry> {
    await this.#options.cache.caughtUp();
    const entry = this.#options.cache.of(resource).get(path);
    if (entry === undefined) throw ApiError.notFound(resource.kind, splitPath(path).name);
    return entry;
  }

  /** `make` gives a fresh copy of what is asked for, as each try changes its copy. */
  async create(
    resource: Resource,
    make: () => KubernetesObject,
    options: WriteOptions = { dryRun: false },
  ): Promise<Written> {
    let namesTaken = 0;
    for (let attempt = 1; attempt <= creationTries; attempt++) {
      const { write, generated } = this.#creation(resource, make(), options);
      await this.#options.cache.caughtUp();
      const { name = '', namespace = '' } = write.object.metadata;
      const path = pathOf(namespace, name);
      await this.#options.admit(write);
      if (this.#options.cache.of(resource).get(path) !== undefined) {
        if (!generated) throw ApiError.alreadyExists(resource.kind, name);
        if (++namesTaken >= nameTries) throw ApiError.generatedNameTaken(resource.kind, name);
        continue;
      }
      const stored = await this.#put(write, resource.prefix + path, 0);
      if (stored !== undefined) return { ...stored, created: true };
    }
    throw ApiError.tooManyRequests(`too many others create ${resource.name} at the same time`, 1);
  }

  /** `change` turns the current state into the one asked for; it may be called several times. */
  async update(
    resource: Resource,
    path: ObjectPath,
    change: (old: KubernetesObject) => KubernetesObject,
    options: UpdateOptions = { dryRun: false },
  ): Promise<Written> {
    for (let attempt = 1; attempt <= conflictTries; attempt++) {
      const once = (): Promise<Written | undefined> => this.#tryUpdate(resource, path, change, options);
      const written = await this.#turns.run(resource.prefix + path, attempt > 1, once);
      if (written !== undefined) return written;
    }
    throw ApiError.conflict(resource.kind, splitPath(path).name);
  }

  async delete(resource: Resource, path: ObjectPath, options: DeleteOptions): Promise<Deleted> {
    const { name } = splitPath(path);
    for (let attempt = 1; attempt <= conflictTries; attempt++) {
      const entry = await this.current(resource, path);
      const old = decodeObject(entry.value, entry.revision);
      checkPreconditions(resource, old, options);
      const verdict = decideDeletion(old, options.gracePeriodSeconds, this.#options.clock.wall());
      const { uid } = old.metadata;
      if (verdict.type === 'held')
        return { value: entry.value, revision: entry.revision, gone: false, name, uid };
      const object = verdict.type === 'mark' ? verdict.object : old;
      const write: Write = deletion(resource, object, old, options.dryRun);
      await this.#options.admit(write);
      if (verdict.type === 'mark') {
        const stored = await this.#put(write, resource.prefix + path, entry.revision);
        if (stored !== undefined) return { ...stored, gone: false, name, uid };
      } else if (await this.#remove(write, resource.prefix + path, entry.revision)) {
        return { value: entry.value, revision: entry.revision, gone: true, name, uid };
      }
    }
    throw ApiError.conflict(resource.kind, name);
  }

  /** Undefined when the object had changed meanwhile. */
  async #tryUpdate(
    resource: Resource,
    path: ObjectPath,
    change: (old: KubernetesObject) => KubernetesObject,
    { subresource = '', dryRun }: UpdateOptions,
  ): Promise<Written | undefined> {
    const entry = await this.current(resource, path);
    const old = decodeObject(entry.value, entry.revision);
    const asked = change(old);
    checkIdentity(resource.kind, asked.metadata, old.metadata);
    const object = prepareUpdate(resource, asked, old, subresource);
    const write: Write = {
      operation: 'update',
      resource,
      subresource,
      object,
      old,
      dryRun,
      compare: [],
      operations: [],
    };
    await this.#options.admit(write);
    countGeneration(resource, object, old);
    const { value, revision: before } = entry;
    if (unchanged(object, old)) return { value, revision: before, created: false };
    if (isReleased(object)) {
      const removed = await this.#remove(write, resource.prefix + path, before);
      return removed
        ? { value: encodeObject(resource, object), revision: before, created: false }
        : undefined;
    }
    const stored = await this.#put(write, resource.prefix + path, before);
    return stored === undefined ? undefined : { ...stored, created: false };
  }

  #creation(
    resource: Resource,
    object: KubernetesObject,
    { dryRun }: WriteOptions,
  ): { write: Write; generated: boolean } {
    const { clock, random } = this.#options;
    const { name = '', generateName: prefix = '', resourceVersion = '' } = object.metadata;
    if (resourceVersion !== '')
      throw ApiError.badRequest('resourceVersion should not be set on objects to be created');
    const generated = name === '' && prefix !== '';
    if (generated) object.metadata.name = generateName(prefix, random);
    prepareCreate(resource, object, uuid(random), clock.wall());
    const write: Write = {
      operation: 'create',
      resource,
      subresource: '',
      object,
      old: undefined,
      dryRun,
      compare: [],
      operations: [],
    };
    return { write, generated };
  }

  /** Undefined when something compared had changed. A dry run keeps the revision that was. */
  async #put(write: Write, key: string, modRevision: number): Promise<Stored | undefined> {
    const value = encodeObject(write.resource, write.object);
    const { maxObjectBytes } = this.#options;
    if (value.length > maxObjectBytes) throw ApiError.tooLarge(`an object may have ${maxObjectBytes} bytes`);
    if (write.dryRun) return { value, revision: modRevision };
    const revision = await this.#commit(write, { key, modRevision }, { type: 'put', key, value });
    return revision === undefined ? undefined : { value, revision };
  }

  async #remove(write: Write, key: string, modRevision: number): Promise<boolean> {
    if (write.dryRun) return true;
    return (await this.#commit(write, { key, modRevision }, { type: 'delete', key })) !== undefined;
  }

  async #commit(write: Write, compare: Compare, operation: Operation): Promise<number | undefined> {
    const result = await this.#options.store.txn(
      [compare, ...write.compare],
      [operation, ...write.operations],
    );
    return result.ok ? result.revision : undefined;
  }
}

function checkPreconditions(resource: Resource, old: KubernetesObject, options: DeleteOptions): void {
  const { name = '', uid, resourceVersion } = old.metadata;
  if (options.uid !== undefined && options.uid !== uid) {
    throw ApiError.conflict(resource.kind, name, mismatch('UID', options.uid, uid));
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
    throw ApiError.conflict(
      resource.kind,
      name,
      mismatch('ResourceVersion', options.resourceVersion, resourceVersion),
    );
  }
}

function deletion(
  resource: Resource,
  object: KubernetesObject,
  old: KubernetesObject,
  dryRun: boolean,
): Write {
  return { operation: 'delete', resource, subresource: '', object, old, dryRun, compare: [], operations: [] };
}
