/** One decision: which values a Service keeps, takes and gives back. */

import type { FieldError, IPFamily, Protocol, Service } from '@outrigger/core/api';
import {
  canonicalIP,
  invalid,
  isHeadless,
  item,
  needsClusterIP,
  needsHealthCheck,
  needsNodePort,
} from '@outrigger/core/api';
import type { Random } from '@outrigger/core/clock';
import type { Compare, Key, Operation } from '../store/store.ts';
import { ownerOf, releases, valuesOf } from './holdings.ts';
import type { Owner, PoolName } from './keys.ts';
import { allocationKey, encodeOwner } from './keys.ts';
import type { AllocationState, Pool } from './state.ts';

export type Allocation =
  | {
      readonly type: 'allocated';
      /** The Service with its addresses and ports filled in. */
      readonly service: Service;
      readonly compare: readonly Compare[];
      readonly operations: readonly Operation[];
    }
  /** What was asked for cannot be had: 422. */
  | { readonly type: 'refused'; readonly errors: readonly FieldError[] }
  /** Nothing is left to give: 500 with this message, as Kubernetes answers. */
  | { readonly type: 'exhausted'; readonly message: string };

export function decideAllocation(
  state: AllocationState,
  random: Random,
  service: Service,
  old: Service | undefined,
): Allocation {
  return new Draft(state, random, service, old).decide();
}

/** A pool that had nothing left; ends a decision from inside. */
class Exhausted extends Error {}

/** One decision under way: what has been taken so far, and what is wrong. */
class Draft {
  readonly #state: AllocationState;
  readonly #random: Random;
  readonly #service: Service;
  readonly #owner: Owner;
  readonly #before: ReadonlySet<Key>;
  readonly #after = new Set<Key>();
  readonly #errors: FieldError[] = [];

  constructor(state: AllocationState, random: Random, service: Service, old: Service | undefined) {
    this.#state = state;
    this.#random = random;
    this.#service = { ...service, spec: structuredClone(service.spec) };
    this.#owner = ownerOf(service);
    this.#before = old === undefined ? new Set() : valuesOf(old.spec);
  }

  decide(): Allocation {
    try {
      this.#addresses();
      // What was asked for goes first, so that nothing chosen here takes it away.
      this.#givenPorts();
      if (this.#errors.length > 0) return { type: 'refused', errors: this.#errors };
      this.#chosenPorts();
    } catch (error) {
      if (error instanceof Exhausted) return { type: 'exhausted', message: error.message };
      throw error;
    }
    const gone = [...this.#before].filter((key) => !this.#after.has(key));
    const { compare, operations } = releases(this.#state, this.#owner, gone);
    for (const key of this.#after) {
      if (this.#state.held(key) !== undefined) continue;
      compare.push({ key, modRevision: 0 });
      operations.push({ type: 'put', key, value: encodeOwner(this.#owner) });
    }
    return { type: 'allocated', service: this.#service, compare, operations };
  }

  #addresses(): void {
    const { spec } = this.#service;
    if (!needsClusterIP(spec) || isHeadless(spec)) return;
    const asked = spec.clusterIPs ?? [];
    const ips = (spec.ipFamilies ?? []).map((family, index) => {
      const ip = asked[index] ?? '';
      return ip === '' ? this.#nextAddress(family) : this.#givenAddress(family, ip, asked);
    });
    spec.clusterIPs = ips;
    if (ips[0] !== undefined) spec.clusterIP = ips[0];
  }

  #givenAddress(family: IPFamily, ip: string, all: readonly string[]): string {
    const why = this.#take(this.#state.addresses(family), 'clusterips', canonicalIP(ip) ?? ip, {
      outside: (range) =>
        `the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${range}`,
      taken: 'provided IP is already allocated',
    });
    if (why !== undefined)
      this.#errors.push(invalid('spec.clusterIPs', all, `failed to allocate IP ${ip}: ${why}`));
    return ip;
  }

  #nextAddress(family: IPFamily): string {
    const pool = this.#state.addresses(family);
    if (pool === undefined)
      throw new Exhausted(`failed to allocate a serviceIP: no ${family} range is configured`);
    const own = this.#isApiService() ? pool.range.reserved : undefined;
    if (own !== undefined && this.#isFree(pool, own))
      return this.#keep('clusterips', pool.range.valueAt(own));
    return this.#next(pool, 'a serviceIP', 'delete Services, or start with a larger --service-cidr');
  }

  #givenPorts(): void {
    const { spec } = this.#service;
    if (spec.type !== 'NodePort' && spec.type !== 'LoadBalancer') return;
    for (const [index, { protocol, nodePort = 0 }] of (spec.ports ?? []).entries()) {
      if (nodePort !== 0) this.#givenPort(protocol, nodePort, `${item('spec.ports', index)}.nodePort`);
    }
    const check = needsHealthCheck(spec) ? (spec.healthCheckNodePort ?? 0) : 0;
    if (check !== 0) this.#givenPort('TCP', check, 'spec.healthCheckNodePort');
  }

  #chosenPorts(): void {
    const { spec } = this.#service;
    const ports = needsNodePort(spec) ? (spec.ports ?? []) : [];
    for (const port of ports) {
      if ((port.nodePort ?? 0) !== 0) continue;
      // One port in two protocols, as DNS has, is reached under one number where that can be had.
      const twin = ports.find((other) => other.port === port.port && (other.nodePort ?? 0) !== 0)?.nodePort;
      port.nodePort = this.#sameNumber(port.protocol, twin) ?? this.#nextPort(port.protocol, 'a nodePort');
    }
    if (needsHealthCheck(spec) && (spec.healthCheckNodePort ?? 0) === 0) {
      spec.healthCheckNodePort = this.#nextPort('TCP', 'a HealthCheck NodePort');
    }
  }

  #givenPort(protocol: Protocol, port: number, field: string): void {
    const why = this.#take(this.#state.ports(protocol), `nodeports/${protocol}`, String(port), {
      outside: (range) => `provided port is not in the valid range. The range of valid ports is ${range}`,
      taken: 'provided port is already allocated',
    });
    if (why !== undefined) this.#errors.push(invalid(field, port, why));
  }

  #sameNumber(protocol: Protocol, port: number | undefined): number | undefined {
    const pool = this.#state.ports(protocol);
    const index = port === undefined ? undefined : pool.range.indexOf(String(port));
    if (index === undefined || !this.#isFree(pool, index)) return undefined;
    return Number(this.#keep(`nodeports/${protocol}`, String(port)));
  }

  #nextPort(protocol: Protocol, what: string): number {
    const pool = this.#state.ports(protocol);
    return Number(this.#next(pool, what, 'delete Services, or start with a larger --node-port-range'));
  }

  /** Takes a value that was asked for; answers why it cannot be had. */
  #take(
    pool: Pool | undefined,
    name: PoolName,
    value: string,
    texts: { readonly outside: (range: string) => string; readonly taken: string },
  ): string | undefined {
    const key = allocationKey(name, value);
    if (this.#before.has(key) && !this.#after.has(key)) {
      // The Service has it already, though a changed configuration may have moved the range away from it.
      this.#after.add(key);
      return undefined;
    }
    const index = pool?.range.indexOf(value);
    if (pool === undefined || index === undefined || index < pool.range.first || index >= pool.range.end) {
      return texts.outside(pool?.range.text ?? 'none');
    }
    const reserved = index === pool.range.reserved && !this.#isApiService();
    if (reserved || !this.#isFree(pool, index)) return texts.taken;
    this.#after.add(key);
    return undefined;
  }

  #next(pool: Pool, what: string, hint: string): string {
    const { range, name, bits } = pool;
    // What this very Service has just taken is not in the pool yet.
    const except = (index: number): boolean => index === range.reserved || !this.#isFree(pool, index);
    const free =
      bits.pick(range.band, range.end, this.#random, except) ??
      bits.pick(range.first, range.band, this.#random, except);
    if (free === undefined) {
      throw new Exhausted(
        `failed to allocate ${what}: range is full: ${range.text} has nothing left; ${hint}`,
      );
    }
    return this.#keep(name, range.valueAt(free));
  }

  #isFree(pool: Pool, index: number): boolean {
    return !pool.bits.has(index) && !this.#after.has(allocationKey(pool.name, pool.range.valueAt(index)));
  }

  #keep(name: PoolName, value: string): string {
    this.#after.add(allocationKey(name, value));
    return value;
  }

  #isApiService(): boolean {
    return this.#owner.service === 'default/kubernetes';
  }
}
