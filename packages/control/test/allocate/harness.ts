/** Services written through the true gates into a store of the true kind, with a registry just large enough for it. */

import type { KubernetesObject, Service, ServiceSpec } from '@outrigger/core/api';
import { applyDefaults, serviceKind, validateObject } from '@outrigger/core/api';
import { FakeClock, seededRandom } from '@outrigger/core/clock';
import { ServiceAllocator, allocateServices, completeServices } from '../../src/allocate/index.ts';
import type { AllocatorOptions } from '../../src/allocate/index.ts';
import { allocationsPrefix } from '../../src/allocate/keys.ts';
import { defineResource } from '../../src/registry/resource.ts';
import type { Write } from '../../src/registry/write.ts';
import { openMemoryStore } from '../../src/store/index.ts';
import type { Compare, Operation, Store } from '../../src/store/index.ts';

export class Cluster {
  readonly store: Store = openMemoryStore({ clock: new FakeClock() });
  readonly allocator: ServiceAllocator;
  readonly services = new Map<string, Service>();
  readonly #resource = defineResource(serviceKind);
  readonly #abort = new AbortController();
  #uid = 0;
  #fed = 0;

  constructor(options: Partial<AllocatorOptions> = {}) {
    this.allocator = new ServiceAllocator({ random: seededRandom(3), ...options });
  }

  async create(
    name: string,
    spec: Partial<ServiceSpec> = {},
    options: { dryRun?: boolean } = {},
  ): Promise<Service> {
    const write = this.#write(
      'create',
      serviceObject(name, spec, `uid-${this.#uid++}`),
      undefined,
      options.dryRun,
    );
    await this.#run(write);
    return write.object as Service;
  }

  /** A PUT of the whole spec. */
  async update(name: string, spec: Partial<ServiceSpec>): Promise<Service> {
    const old = this.get(name);
    const write = this.#write('update', { ...serviceObject(name, spec, ''), metadata: old.metadata }, old);
    await this.#run(write);
    return write.object as Service;
  }

  async delete(name: string): Promise<void> {
    const old = this.get(name);
    await this.#run(this.#write('delete', old, old));
  }

  get(name: string): Service {
    const service = this.services.get(name);
    if (service === undefined) throw new Error(`there is no Service ${name}`);
    return service;
  }

  /** `clusterips/10.96.0.7 → namespace/name` of everything in the store. */
  async allocations(): Promise<Record<string, string>> {
    const { items } = await this.store.range(allocationsPrefix);
    return Object.fromEntries(
      items.map(({ key, value }) => {
        const { service } = JSON.parse(Buffer.from(value).toString()) as { service: string };
        return [key.slice(allocationsPrefix.length), service];
      }),
    );
  }

  /** Decides without writing: what a slower writer would send. */
  decide(
    name: string,
    spec: Partial<ServiceSpec>,
  ): { compare: readonly Compare[]; operations: readonly Operation[] } {
    const write = this.#write('create', serviceObject(name, spec, 'racer'), undefined);
    this.admit(write);
    return write;
  }

  admit(write: Write): void {
    const service = write.object as Service;
    if (write.operation !== 'delete') {
      applyDefaults(serviceKind, service);
      completeServices(this.allocator.families)(write);
      const problems = validateObject(serviceKind, service, write.old as Service | undefined, {});
      if (problems.length > 0)
        throw new Error(problems.map(({ field, message }) => `${field}: ${message}`).join('; '));
    }
    allocateServices(this.allocator)(write);
  }

  /** Brings the allocator to where the store is, by the store's events. */
  async feed(): Promise<void> {
    const { revision } = this.store.status();
    if (revision <= this.#fed) return;
    for await (const batches of this.store.watch(this.#fed, this.#abort.signal)) {
      for (const batch of batches) {
        for (const event of batch.events)
          if (event.key.startsWith(allocationsPrefix)) this.allocator.apply(event);
        this.#fed = batch.revision;
      }
      if (this.#fed >= revision) return;
    }
  }

  #write(
    operation: Write['operation'],
    object: KubernetesObject,
    old: KubernetesObject | undefined,
    dryRun = false,
  ): Write {
    return {
      operation,
      resource: this.#resource,
      subresource: '',
      object,
      old,
      dryRun,
      compare: [],
      operations: [],
    };
  }

  async #run(write: Write): Promise<void> {
    this.admit(write);
    if (write.dryRun) return;
    const name = write.object.metadata.name ?? '';
    const key = `/registry/services/${name}`;
    const own: Operation =
      write.operation === 'delete' ? { type: 'delete', key } : { type: 'put', key, value: Buffer.from('{}') };
    const result = await this.store.txn(write.compare, [own, ...write.operations]);
    if (!result.ok) throw new Error(`conflict on ${result.failed.key}`);
    if (write.operation === 'delete') this.services.delete(name);
    else this.services.set(name, write.object as Service);
    await this.feed();
  }
}

export function serviceObject(name: string, spec: Partial<ServiceSpec>, uid: string): Service {
  const [namespace = 'default', short = name] = name.includes('/') ? name.split('/') : ['default', name];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: short, namespace, uid },
    spec: { ports: [{ port: 80, protocol: 'TCP' }], ...structuredClone(spec) } as ServiceSpec,
  };
}
