/**
 * The state machine behind one Service port: which endpoint the next connection goes to.
 *
 * Pure: time comes in with every call, randomness with the constructor. What happens to a connection:
 *
 *     affinity → (member not ejected, not full, not tried) → *ejected fallback* → refusal
 *
 * *Ejected fallback*: when every healthy member has been tried or is full, an ejected one is better than nothing.
 */

import type { Random } from '@outrigger/core/clock';
import type { Pool } from '../plan/types.ts';
import { AffinityTable } from './affinity.ts';
import { enforceFloor, judgeFailure, judgeSuccess } from './ejection.ts';
import { Entry } from './entry.ts';
import { leastBusy, nextUsable, usable } from './picker.ts';
import type { Conditions } from './picker.ts';
import type { BalanceCounters, EndpointState, PickResult } from './types.ts';

export interface BalancerOptions {
  readonly random: Random;
  readonly pool: Pool;
  readonly nowMs: number;
  /** Clients remembered for session affinity. Default MAX_AFFINITY_CLIENTS. */
  readonly maxAffinityClients?: number;
}

export class Balancer {
  readonly #random: Random;
  readonly #affinity: AffinityTable;
  /** Members and, until their connections have ended, those that left. */
  readonly #entries = new Map<string, Entry>();
  /** In the plan's order (by key). */
  #members: Entry[] = [];
  #pool: Pool;
  /** Round-robin's next position. */
  #cursor = 0;
  #active = 0;
  #ejections = 0;
  #ejectionsWithheld = 0;
  /** Filled anew for each pick instead of allocated. */
  readonly #conditions: Conditions = { nowMs: 0, maxPerEndpoint: 0, tried: undefined, ejectedToo: false };

  constructor({ random, pool, nowMs, maxAffinityClients }: BalancerOptions) {
    this.#random = random;
    this.#affinity = new AffinityTable(maxAffinityClients);
    this.#pool = pool;
    this.update(pool, nowMs);
    // Every proxy starts elsewhere: a fleet started together must not send its first connections to one endpoint.
    this.#cursor = Math.floor(random.next() * Math.max(1, this.#members.length));
  }

  /**
   * Takes over a new plan. States are kept by key, so counts, affinity and ejections survive. Answers the endpoints
   * that left with connections still open, for draining.
   */
  update(pool: Pool, nowMs: number): readonly EndpointState[] {
    const next = this.#members[this.#cursor]?.key;
    this.#pool = pool;
    const members = pool.endpoints.map((endpoint) => this.#member(endpoint));
    const kept = new Set(members);
    const left = this.#members.filter((entry) => !kept.has(entry));
    for (const entry of left) {
      entry.removed = true;
      if (entry.active === 0) this.#entries.delete(entry.key);
    }
    this.#members = members;
    this.#cursor = this.#positionAt(next);
    if (pool.affinitySeconds === 0) this.#affinity.clear();
    enforceFloor(members, pool.settings.maxEjectionPercent, nowMs);
    return left.filter((entry) => entry.active > 0);
  }

  /**
   * Chooses and reserves: `release` must follow exactly once. A string says why there is nobody. `tried`: endpoints
   * that already failed for this connection; none of them is chosen again.
   */
  pick(nowMs: number, clientIp: string, tried?: ReadonlySet<EndpointState>): PickResult {
    const { settings, affinitySeconds } = this.#pool;
    if (this.#members.length === 0) return 'no-endpoints';
    if (settings.maxConnections > 0 && this.#active >= settings.maxConnections) return 'total-limit';
    const conditions = this.#conditions;
    conditions.nowMs = nowMs;
    conditions.maxPerEndpoint = settings.maxConnectionsPerEndpoint;
    conditions.tried = tried;
    conditions.ejectedToo = false;
    const entry = this.#faithful(clientIp) ?? this.#choose() ?? this.#chooseEjected();
    conditions.tried = undefined;
    if (entry === undefined) return this.#whyNobody(tried);
    if (affinitySeconds > 0) this.#affinity.remember(clientIp, entry, nowMs + affinitySeconds * 1000);
    entry.active++;
    entry.picked++;
    this.#active++;
    return entry;
  }

  /** The dial reached the endpoint: its failures in a row are over. */
  dialSucceeded(state: EndpointState, nowMs: number): void {
    judgeSuccess(state as Entry, nowMs);
  }

  /** Counts towards ejection and frees the client from it. True when this failure ejected the endpoint. */
  dialFailed(state: EndpointState, nowMs: number, clientIp: string): boolean {
    const entry = state as Entry;
    this.#affinity.forget(clientIp, entry);
    const judgement = judgeFailure(entry, this.#members, this.#pool.settings, nowMs, this.#random);
    if (judgement === 'ejected') this.#ejections++;
    if (judgement === 'withheld') this.#ejectionsWithheld++;
    return judgement === 'ejected';
  }

  /** The connection, or the dial that did not become one, has ended. */
  release(state: EndpointState): void {
    const entry = state as Entry;
    if (entry.active === 0) throw new Error(`endpoint ${entry.key} was released more often than picked`);
    entry.active--;
    this.#active--;
    if (entry.removed && entry.active === 0 && this.#entries.get(entry.key) === entry)
      this.#entries.delete(entry.key);
  }

  /** Members in the plan's order, then those that left but still have connections. */
  states(): readonly EndpointState[] {
    return [...this.#members, ...[...this.#entries.values()].filter((entry) => entry.removed)];
  }

  get pool(): Pool {
    return this.#pool;
  }

  get counters(): BalanceCounters {
    return {
      active: this.#active,
      ejections: this.#ejections,
      ejectionsWithheld: this.#ejectionsWithheld,
      affinityEntries: this.#affinity.size,
      affinityEvictions: this.#affinity.evictions,
    };
  }

  #member(endpoint: Pool['endpoints'][number]): Entry {
    const known = this.#entries.get(endpoint.key);
    if (known === undefined) {
      const entry = new Entry(endpoint);
      this.#entries.set(endpoint.key, entry);
      return entry;
    }
    known.endpoint = endpoint;
    if (known.removed) known.revive();
    return known;
  }

  #faithful(clientIp: string): Entry | undefined {
    if (this.#pool.affinitySeconds === 0) return undefined;
    const entry = this.#affinity.find(clientIp, this.#conditions.nowMs);
    return entry !== undefined && usable(entry, this.#conditions) ? entry : undefined;
  }

  #choose(): Entry | undefined {
    const members = this.#members;
    if (this.#pool.settings.balancing === 'leastConnections') {
      return leastBusy(members, this.#random, this.#conditions);
    }
    const position = nextUsable(members, this.#cursor, this.#conditions);
    if (position === -1) return undefined;
    this.#cursor = (position + 1) % members.length;
    return members[position];
  }

  #chooseEjected(): Entry | undefined {
    this.#conditions.ejectedToo = true;
    return this.#choose();
  }

  #whyNobody(tried: ReadonlySet<EndpointState> | undefined): PickResult {
    return this.#members.every((entry) => tried?.has(entry) === true) ? 'all-tried' : 'endpoint-limit';
  }

  /** Where round-robin goes on after an update: at the endpoint that was next, or the one that took its place. */
  #positionAt(key: string | undefined): number {
    if (key === undefined) return 0;
    const position = this.#members.findIndex((entry) => entry.key >= key);
    return position === -1 ? 0 : position;
  }
}
