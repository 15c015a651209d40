/** What the ambassador counts. Hot paths add to cells whose indexes are fixed here, at start. */

import type { Metrics } from '@outrigger/core/metrics';
import type { CommandClass } from '../commands/commands.ts';
import type { AmbassadorLimits } from '../daemon/limits.ts';
import type { Topology } from '../topology/topology.ts';

export type Route = 'primary' | 'replica' | 'splice';
export type HoldReason = 'order' | 'backpressure' | 'limit' | 'connect' | 'proof';
/** A connection that failed to open, was lost while open, or broke the protocol. */
export type LostWhen = 'opening' | 'open' | 'breached';

const classes = ['read', 'write', 'other', 'splice'] as const;
const routes = ['primary', 'replica', 'splice'] as const;

export class SessionCounters {
  readonly #cells: Float64Array;
  readonly #commands = new Map<string, number>();
  readonly #held;
  readonly #lost;
  readonly #repeated;
  readonly #refused;
  readonly #seconds;
  readonly #series;

  constructor(metrics: Metrics) {
    this.#cells = metrics.cells.values;
    const commands = metrics.counter({
      name: 'outrigger_ambassador_commands_total',
      help: 'Commands by what they are (read, write, other) and where they went. A splice counts the command that began it; what follows in that session is not looked at.',
      labels: ['class', 'route'],
    });
    for (const kind of classes) {
      for (const route of routes) {
        const possible =
          (kind === 'splice') === (route === 'splice') && (kind === 'read' || route !== 'replica');
        if (possible) this.#commands.set(`${kind} ${route}`, commands.at(kind, route));
      }
    }
    this.#held = metrics.counter({
      name: 'outrigger_ambassador_held_total',
      help: 'Commands that had to wait before they were sent: for answers from another server (order), for a replica to prove it has what the session has seen (proof), for a connection, or at a limit.',
      labels: ['reason'],
    });
    this.#lost = metrics.counter({
      name: 'outrigger_ambassador_upstream_errors_total',
      help: 'Connections of sessions to servers that failed while opening, were lost while open, or broke the protocol.',
      labels: ['role', 'when'],
    });
    this.#repeated = metrics.counter({
      name: 'outrigger_ambassador_repeated_reads_total',
      help: 'Reads sent again because their replica failed before it answered.',
    });
    this.#refused = metrics.counter({
      name: 'outrigger_ambassador_refused_total',
      help: 'Commands answered with an error of the ambassador because no server could take them.',
    });
    this.#seconds = metrics.histogram({
      name: 'outrigger_ambassador_reply_seconds',
      help: 'From sending a command to its answer.',
      labels: ['role'],
      smallest: 0.000_02,
      largest: 60,
    });
    this.#series = { primary: this.#seconds.at('primary'), replica: this.#seconds.at('replica') };
  }

  /** Hot. */
  command(kind: CommandClass, route: Route): void {
    const cell = this.#commands.get(kind === 'read' ? readKeys[route] : (otherKeys[kind] ?? '')) as number;
    this.#cells[cell] = (this.#cells[cell] as number) + 1;
  }

  /** Hot. */
  answered(role: 'primary' | 'replica', seconds: number): void {
    this.#seconds.record(this.#series[role], seconds);
  }

  held(reason: HoldReason): void {
    this.#held.add(1, reason);
  }

  serverLost(role: string, when: LostWhen): void {
    this.#lost.add(1, role, when);
  }

  repeated(count: number): void {
    this.#repeated.add(count);
  }

  refused(): void {
    this.#refused.add(1);
  }
}

/** Ready-made keys, so that counting a command makes no string. */
const readKeys: Readonly<Record<Route, string>> = {
  primary: 'read primary',
  replica: 'read replica',
  splice: 'splice splice',
};
const otherKeys: Readonly<Record<string, string>> = {
  write: 'write primary',
  other: 'other primary',
  naming: 'other primary',
  splice: 'splice splice',
};

/** What is read from the daemon's state when the page is scraped. */
export interface AmbassadorState {
  readonly sessions: number;
  readonly spliced: number;
  readonly upstreams: (role: 'primary' | 'replica') => number;
  readonly topology: Topology;
  readonly limits: AmbassadorLimits;
  readonly nowMs: () => number;
}

export function exposeState(metrics: Metrics, state: AmbassadorState): void {
  const gauge = (name: string, help: string, labels: readonly string[], read: () => Iterable<Sample>): void =>
    metrics.collected('gauge', { name: `outrigger_ambassador_${name}`, help, labels }, read);
  gauge('sessions', 'Client connections.', [], () => [{ labels: [], value: state.sessions }]);
  gauge('spliced_sessions', 'Client connections joined to the primary without routing.', [], () => [
    { labels: [], value: state.spliced },
  ]);
  gauge(
    'upstream_connections',
    'Connections of sessions to servers; at most one per role and session.',
    ['role'],
    () => (['primary', 'replica'] as const).map((role) => ({ labels: [role], value: state.upstreams(role) })),
  );
  gauge('limit', 'Limits and intervals in force, by name.', ['name'], () =>
    Object.entries(state.limits).map(([name, value]) => ({ labels: [name], value: value as number })),
  );
  gauge(
    'server_up',
    '1 when the server takes what it is meant for: writes, or reads.',
    ['server', 'role'],
    () => {
      const { primary, replicas } = state.topology;
      const up = [{ labels: [primary.name, 'primary'], value: primary.why === '' ? 1 : 0 }];
      for (const { name, eligible } of replicas)
        up.push({ labels: [name, 'replica'], value: eligible ? 1 : 0 });
      return up;
    },
  );
  gauge(
    'replica_lag_seconds',
    'Age of the newest state of the primary that the replica has proven to have.',
    ['server'],
    () => {
      const lags: Sample[] = [];
      for (const replica of state.topology.replicas) {
        const lag = state.topology.lagMs(replica, state.nowMs());
        if (lag !== undefined) lags.push({ labels: [replica.name], value: lag / 1000 });
      }
      return lags;
    },
  );
}

interface Sample {
  readonly labels: readonly string[];
  readonly value: number;
}
