/** Whatever happens in whatever order: the promises of a balancer hold. SEED=… replays a failure. */

import { test } from 'tap';
import { seededRandom } from '@outrigger/core/clock';
import type { Random } from '@outrigger/core/clock';
import { Balancer, mayBeOut } from '../../src/balance/index.ts';
import type { EndpointState } from '../../src/balance/index.ts';
import type { Pool, TrafficSettings } from '../../src/plan/index.ts';
import { fakePool } from './pool.ts';

interface Open {
  readonly client: string;
  readonly state: EndpointState;
}

/** A balancer under random use, with its own simple books to compare with. */
class History {
  readonly #random: Random;
  readonly #balancer: Balancer;
  readonly #open: Open[] = [];
  #pool: Pool;
  #nowMs = 0;
  /** Where each client was last sent, and until when that binds. */
  readonly #homes = new Map<string, { readonly state: EndpointState; readonly untilMs: number }>();

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#pool = this.#randomPool();
    this.#balancer = new Balancer({ random: seededRandom(seed + 1), pool: this.#pool, nowMs: 0 });
  }

  /** Does one thing; answers the promise it broke, if any. */
  step(): string | undefined {
    this.#nowMs += this.#int(20_000);
    const act = this.#int(10);
    if (act === 0) return this.#update() ?? this.#check();
    if (act < 3) return this.#close() ?? this.#check();
    return this.#connect() ?? this.#check();
  }

  #connect(): string | undefined {
    const client = `c${this.#int(4)}`;
    const tried = new Set<EndpointState>();
    for (;;) {
      const picked = this.#balancer.pick(this.#nowMs, client, tried);
      if (typeof picked === 'string') return this.#refused(picked, tried);
      const problem = this.#wrongPick(picked, client, tried);
      if (problem !== undefined) return problem;
      this.#homes.set(client, { state: picked, untilMs: this.#nowMs + this.#pool.affinitySeconds * 1000 });
      if (this.#int(3) > 0) {
        this.#balancer.dialSucceeded(picked, this.#nowMs);
        this.#open.push({ client, state: picked });
        return undefined;
      }
      this.#balancer.dialFailed(picked, this.#nowMs, client);
      this.#homes.delete(client);
      this.#balancer.release(picked);
      tried.add(picked);
    }
  }

  #wrongPick(picked: EndpointState, client: string, tried: ReadonlySet<EndpointState>): string | undefined {
    const { settings, affinitySeconds, endpoints } = this.#pool;
    if (tried.has(picked)) return `${picked.key} was tried twice`;
    if (!endpoints.some((endpoint) => endpoint.key === picked.key)) return `${picked.key} is not in the plan`;
    const limit = settings.maxConnectionsPerEndpoint;
    if (limit > 0 && picked.active > limit) return `${picked.key} is over its limit`;
    const home = this.#homes.get(client);
    if (affinitySeconds === 0 || home === undefined || home.state === picked || home.untilMs <= this.#nowMs)
      return;
    const free = home.state.removed || home.state.ejectedUntilMs > this.#nowMs || tried.has(home.state);
    const full = limit > 0 && home.state.active >= limit;
    return free || full ? undefined : `${client} left ${home.state.key} without need`;
  }

  #refused(why: string, tried: ReadonlySet<EndpointState>): string | undefined {
    const { settings, endpoints } = this.#pool;
    const members = this.#balancer.states().filter((state) => !state.removed);
    const limit = settings.maxConnectionsPerEndpoint;
    const left = members.filter((state) => !tried.has(state) && (limit === 0 || state.active < limit));
    if (why === 'no-endpoints') return endpoints.length === 0 ? undefined : 'refused with endpoints';
    if (why === 'total-limit')
      return this.#open.length >= settings.maxConnections ? undefined : 'refused below the limit';
    return left.length === 0
      ? undefined
      : `refused (${why}) though ${left.map((state) => state.key).join(' ')} would do`;
  }

  #close(): string | undefined {
    const [closed] = this.#open.splice(this.#int(this.#open.length), 1);
    if (closed !== undefined) this.#balancer.release(closed.state);
    return undefined;
  }

  #update(): string | undefined {
    this.#pool = this.#randomPool();
    const draining = this.#balancer.update(this.#pool, this.#nowMs);
    for (const [client, home] of this.#homes) if (home.state.removed) this.#homes.delete(client);
    if (this.#pool.affinitySeconds === 0) this.#homes.clear();
    const idle = draining.find((state) => state.active === 0);
    return idle === undefined ? undefined : `${idle.key} is to drain without connections`;
  }

  #check(): string | undefined {
    const states = this.#balancer.states();
    const members = states.filter((state) => !state.removed);
    const out = members.filter((state) => state.ejectedUntilMs > this.#nowMs).length;
    if (members.length > 0 && out === members.length) return 'everything is ejected';
    const { maxEjectionPercent } = this.#pool.settings;
    if (out > mayBeOut(members.length, maxEjectionPercent)) return `${out} of ${members.length} are ejected`;
    if (this.#balancer.counters.active !== this.#open.length) return 'open connections are miscounted';
    for (const state of states) {
      const open = this.#open.filter((one) => one.state === state).length;
      if (state.active !== open) return `${state.key} counts ${state.active} of ${open} connections`;
    }
    const known = new Set(states.map((state) => state.key));
    return known.size === states.length ? undefined : 'an endpoint has two states';
  }

  #randomPool(): Pool {
    const names = ['a', 'b', 'c', 'd', 'e'].filter(() => this.#int(3) > 0).join(' ');
    const settings: Partial<TrafficSettings> = {
      balancing: this.#int(2) === 0 ? 'roundRobin' : 'leastConnections',
      consecutiveFailures: this.#int(4),
      maxEjectionPercent: [0, 34, 50, 100][this.#int(4)] ?? 50,
      maxConnectionsPerEndpoint: [0, 0, 3][this.#int(3)] ?? 0,
      maxConnections: [0, 8][this.#int(2)] ?? 0,
    };
    return fakePool(names, settings, [0, 60][this.#int(2)]);
  }

  #int(below: number): number {
    return Math.floor(this.#random.next() * below);
  }
}

test('every promise holds in random histories', (t) => {
  const base = Number(process.env['SEED'] ?? 4_711);
  for (let round = 0; round < 100; round++) {
    const history = new History(base + round);
    for (let step = 0; step < 150; step++) {
      const problem = history.step();
      if (problem !== undefined) {
        t.fail(`SEED=${base + round} step ${step}: ${problem}`);
        t.end();
        return;
      }
    }
  }
  t.pass(`100 histories of 150 steps from SEED=${base}`);
  t.end();
});
