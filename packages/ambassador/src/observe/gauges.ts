/** What is read from the engine's state when the page is scraped. What is counted as it happens: counters.ts. */

import type { CollectedSample, Metrics } from '@outrigger/core/metrics';
import { lagBytes, shardsOf } from './facts.ts';
import type { EngineState } from './facts.ts';
import { Held, namesOf } from './names.ts';

export function exposeEngine(metrics: Metrics, state: EngineState): void {
  const gauge = (
    name: string,
    help: string,
    labels: readonly string[],
    read: () => Iterable<CollectedSample>,
  ): void => metrics.collected('gauge', { name: `outrigger_ambassador_${name}`, help, labels }, read);

  gauge('sessions', 'Client connections.', [], () => [one(state.sessionCount())]);
  gauge('held_sessions', 'Sessions whose next command waits, and for what.', ['reason'], () => held(state));
  gauge(
    'buffered_bytes',
    'Bytes of commands and answers that wait; the limit is maxBufferedBytes.',
    [],
    () => [one(state.bufferedBytes())],
  );
  gauge(
    'upstream_connections',
    'Connections to servers: lines, shared by sessions; leases, lent to one session each; idle, waiting to be lent.',
    ['server', 'kind'],
    () => connections(state),
  );
  gauge('queued_commands', 'Commands sent to a server and not yet answered.', ['server'], () =>
    Array.from(state.connections(), ({ server, outstanding }) => ({ labels: [server], value: outstanding })),
  );
  gauge(
    'primary_known',
    '1 when the shard has a verified primary; 0 while one is being elected.',
    ['realm', 'shard'],
    () =>
      Array.from(shardsOf(state.realms()), ({ realm, shard }) => ({
        labels: [realm.name, shard.name],
        value: shard.primary === undefined ? 0 : 1,
      })),
  );
  gauge('server_up', '1 when the server takes what it is for: writes, or reads.', ['server', 'role'], () =>
    up(state),
  );
  gauge(
    'replica_lag_seconds',
    'Age of the newest state of the primary that the replica has proven to have.',
    ['server'],
    () => lag(state),
  );
  gauge('replica_lag_bytes', 'Replication stream that the replica has not told us to have.', ['server'], () =>
    bytesBehind(state),
  );
  gauge('limit', 'Limits and intervals in force, by name.', ['name'], () =>
    Object.entries(state.limits()).map(([name, value]) => ({ labels: [name], value: value as number })),
  );
}

function one(value: number): CollectedSample {
  return { labels: [], value };
}

function held(state: EngineState): CollectedSample[] {
  const counts = namesOf(Held).map((reason) => ({ labels: [reason], value: 0 }));
  for (const session of state.sessions()) {
    const count = session.held === undefined ? undefined : counts[session.held];
    if (count !== undefined) count.value += 1;
  }
  return counts;
}

function connections(state: EngineState): CollectedSample[] {
  return Array.from(state.connections()).flatMap(({ server, lines, leases, idle }) => [
    { labels: [server, 'line'], value: lines },
    { labels: [server, 'lease'], value: leases },
    { labels: [server, 'idle'], value: idle },
  ]);
}

/** A server may be in several realms, by prefix routes; a page must not show the same label set twice. */
class Samples {
  readonly #byLabels = new Map<string, CollectedSample>();

  add(value: number | undefined, ...labels: string[]): void {
    if (value !== undefined) this.#byLabels.set(labels.join(' '), { labels, value });
  }

  all(): Iterable<CollectedSample> {
    return this.#byLabels.values();
  }
}

function up(state: EngineState): Iterable<CollectedSample> {
  const samples = new Samples();
  for (const { shard } of shardsOf(state.realms())) {
    const primary = shard.primary?.name ?? shard.topology.primary.name;
    if (primary !== '') samples.add(shard.primary === undefined ? 0 : 1, primary, 'primary');
    for (const { name, eligible } of shard.topology.replicas) samples.add(eligible ? 1 : 0, name, 'replica');
  }
  return samples.all();
}

function lag(state: EngineState): Iterable<CollectedSample> {
  const samples = new Samples();
  for (const { shard } of shardsOf(state.realms())) {
    for (const replica of shard.topology.replicas) {
      const ms = shard.topology.lagMs(replica, state.nowMs());
      samples.add(ms === undefined ? undefined : ms / 1000, replica.name);
    }
  }
  return samples.all();
}

function bytesBehind(state: EngineState): Iterable<CollectedSample> {
  const samples = new Samples();
  for (const { shard } of shardsOf(state.realms())) {
    for (const { name } of shard.topology.replicas) samples.add(lagBytes(shard, name), name);
  }
  return samples.all();
}
