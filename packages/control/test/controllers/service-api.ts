/** The true service in one process: memory store, watch cache, registry and admission, under the controllers' joint. */

import type { Kind, KubernetesObject } from '@outrigger/core/api';
import { kinds } from '@outrigger/core/api';
import type { FakeClock } from '@outrigger/core/clock';
import { seededRandom } from '@outrigger/core/clock';
import { silentLogger } from '@outrigger/core/log';
import { writeChain } from '../../src/admission.ts';
import { ServiceAllocator } from '../../src/allocate/index.ts';
import { Cache } from '../../src/cache/cache.ts';
import type { ChangeHandler, ControllerApi } from '../../src/controllers/api.ts';
import { decodeObject } from '../../src/registry/codec.ts';
import { controllerApi } from '../../src/registry/controller-api.ts';
import { Registry } from '../../src/registry/registry.ts';
import type { Resource } from '../../src/registry/resource.ts';
import { defineResource, pathOf } from '../../src/registry/resource.ts';
import { seedNamespaces } from '../../src/registry/seed.ts';
import { openMemoryStore } from '../../src/store/index.ts';
import type { Store } from '../../src/store/index.ts';
import type { LabApi, Write } from './lab-api.ts';

export class ServiceApi implements LabApi {
  readonly writes: Write[] = [];
  onWrite: (write: Write) => void = () => {};
  readonly turns = 12;
  readonly #store: Store;
  readonly #cache: Cache;
  readonly #registry: Registry;
  readonly #resources: readonly Resource[];
  readonly #api: ControllerApi;

  private constructor(store: Store, cache: Cache, registry: Registry, resources: readonly Resource[]) {
    this.#store = store;
    this.#cache = cache;
    this.#registry = registry;
    this.#resources = resources;
    this.#api = controllerApi({ cache, registry, resources, log: silentLogger() });
  }

  static async open(clock: FakeClock): Promise<ServiceApi> {
    const random = seededRandom(17);
    const store = openMemoryStore({ clock });
    const resources = kinds.map((kind) => defineResource(kind));
    const namespaces = resources.find(({ name }) => name === 'namespaces');
    if (namespaces === undefined) throw new Error('namespaces are not served');
    const allocator = new ServiceAllocator({ random });
    const limits = { historyFloor: 100, historyCeiling: 1_000, historyBytes: 1_048_576, historyMs: 60_000 };
    const cache = await Cache.open(
      { store, resources, clock, limits, replayRevisions: 0 },
      { allocations: allocator },
    );
    await seedNamespaces(namespaces, { cache, store, random }, clock.wall());
    const admit = writeChain({ cache, namespaces, validation: {}, allocator, maxObjects: 100_000 });
    const registry = new Registry({ store, cache, clock, random, admit, maxObjectBytes: 1_048_576 });
    return new ServiceApi(store, cache, registry, resources);
  }

  subscribe<T extends KubernetesObject>(kind: Kind<T>, handler: ChangeHandler<T>): () => void {
    return this.#api.subscribe(kind, handler);
  }

  create<T extends KubernetesObject>(kind: Kind<T>, object: T): Promise<T> {
    return this.#write('create', kind, object, () => this.#api.create(kind, object));
  }

  update<T extends KubernetesObject>(kind: Kind<T>, object: T): Promise<T> {
    return this.#write('update', kind, object, () => this.#api.update(kind, object));
  }

  updateStatus<T extends KubernetesObject>(kind: Kind<T>, object: T): Promise<T> {
    return this.#write('updateStatus', kind, object, () => this.#api.updateStatus(kind, object));
  }

  delete<T extends KubernetesObject>(kind: Kind<T>, object: T): Promise<void> {
    return this.#write('delete', kind, object, () => this.#api.delete(kind, object));
  }

  async deleteGracefully<T extends KubernetesObject>(
    kind: Kind<T>,
    object: T,
    seconds: number,
  ): Promise<void> {
    const { namespace = '', name = '', uid } = object.metadata;
    const options = { dryRun: false, gracePeriodSeconds: seconds, uid, resourceVersion: undefined };
    await this.#registry.delete(this.#resourceOf(kind), pathOf(namespace, name), options);
  }

  list<T extends KubernetesObject>(kind: Kind<T>): T[] {
    const entries = this.#cache.of(this.#resourceOf(kind)).walk({ namespace: '', name: undefined });
    return [...entries].map(({ value, revision }) => decodeObject<T>(value, revision));
  }

  find<T extends KubernetesObject>(kind: Kind<T>, namespace: string, name: string): T | undefined {
    const resource = this.#resourceOf(kind);
    const entry = this.#cache.of(resource).get(kind.namespaced ? pathOf(namespace, name) : name);
    return entry === undefined ? undefined : decodeObject<T>(entry.value, entry.revision);
  }

  async close(): Promise<void> {
    await this.#cache.close();
    await this.#store.close();
  }

  async #write<R>(
    verb: Write['verb'],
    kind: Kind<never> | Kind,
    object: KubernetesObject,
    run: () => Promise<R>,
  ): Promise<R> {
    const { name = '', generateName = '' } = object.metadata;
    const write = { verb, kind: kind.kind, name: name === '' ? generateName : name };
    this.onWrite(write);
    const result = await run();
    this.writes.push(write);
    return result;
  }

  #resourceOf(kind: Kind<never> | Kind): Resource {
    const found = this.#resources.find((resource) => resource.kind === kind);
    if (found === undefined) throw new Error(`${kind.kind} is not served`);
    return found;
  }
}
