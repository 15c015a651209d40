/** The service's own metrics, declared in one place; each part gets the few functions it calls. */

import type { Metrics } from '@outrigger/core/metrics';
import type { PoolUsage, ServiceAllocator } from './allocate/index.ts';
import type { Observation } from './handlers/api.ts';
import type { StoreObserver, StoreStats } from './store/index.ts';
import type { Store } from './store/store.ts';
import type { Cache } from './cache/cache.ts';
import type { WatchCounters } from './watch/hub.ts';

const prefix = 'outrigger_control_';

export interface Telemetry {
  readonly watch: WatchCounters;
  readonly store: StoreObserver;
  observe(observation: Observation): void;
  refused(kind: 'read' | 'write'): void;
}

export function createTelemetry(metrics: Metrics): Telemetry {
  return {
    ...requestMetrics(metrics),
    watch: watchMetrics(metrics),
    store: storeObserver(metrics),
  };
}

function requestMetrics(metrics: Metrics): Pick<Telemetry, 'observe' | 'refused'> {
  const total = metrics.counter({
    name: `${prefix}request_total`,
    help: 'Requests answered; watches when they began.',
    labels: ['verb', 'resource', 'code'],
    maxSeries: 2_000,
  });
  const duration = metrics.histogram({
    name: `${prefix}request_duration_seconds`,
    help: 'Time from the request to its answer; for watches, to the beginning of the stream.',
    labels: ['verb', 'resource'],
    maxSeries: 500,
  });
  const refused = metrics.counter({
    name: `${prefix}refused_total`,
    help: 'Requests refused because as many as allowed were being worked on.',
    labels: ['kind'],
  });
  return {
    observe: ({ verb, resource, code, seconds }) => {
      total.add(1, verb, resource, String(code));
      duration.observe(seconds, verb, resource);
    },
    refused: (kind) => refused.add(1, kind),
  };
}

function watchMetrics(metrics: Metrics): WatchCounters {
  const open = metrics.gauge({ name: `${prefix}watchers`, help: 'Watches open.', labels: ['resource'] });
  const ended = metrics.counter({
    name: `${prefix}watches_ended_total`,
    help: 'Watches ended, by reason; slow and stalled ones were cut off because their client did not read.',
    labels: ['reason'],
  });
  const sent = metrics.counter({
    name: `${prefix}watch_writes_total`,
    help: 'Writes to watchers, each with one event or with all that were at hand.',
  });
  const sentAt = sent.at();
  const { values } = metrics.cells;
  return {
    opened: (resource) => open.add(1, resource),
    closed: (resource, reason) => {
      open.add(-1, resource);
      ended.add(1, reason);
    },
    sent: (frames) => {
      values[sentAt] = (values[sentAt] ?? 0) + frames;
    },
  };
}

function storeObserver(metrics: Metrics): StoreObserver {
  const commit = metrics.histogram({
    name: `${prefix}store_commit_duration_seconds`,
    help: 'Time of one commit, from handing it to the disk until it is durable.',
  });
  const group = metrics.histogram({
    name: `${prefix}store_commit_transactions`,
    help: 'Transactions in one commit.',
    bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
  });
  const compaction = metrics.histogram({
    name: `${prefix}store_compaction_slice_duration_seconds`,
    help: 'Time of one slice of compaction.',
  });
  const wal = metrics.gauge({
    name: `${prefix}store_wal_bytes`,
    help: 'Size of the write-ahead log at the last checkpoint.',
  });
  const readOnly = metrics.gauge({
    name: `${prefix}store_read_only`,
    help: '1 while the store takes no writes, as on a full disk.',
  });
  return {
    commit: ({ durationMs, txns }) => {
      commit.observe(durationMs / 1000);
      group.observe(txns);
    },
    compaction: ({ durationMs }) => compaction.observe(durationMs / 1000),
    checkpoint: ({ walBytes }) => wal.set(walBytes),
    readOnly: (reason) => readOnly.set(reason === undefined ? 0 : 1),
  };
}

export interface Exposed {
  readonly cache: Cache;
  readonly store: Store & { readonly stats: StoreStats };
  readonly allocator: ServiceAllocator;
}

/** Sizes and positions, read when the page is. */
export function exposeState(metrics: Metrics, { cache, store, allocator }: Exposed): void {
  const gauge = (name: string, help: string, read: () => number): void =>
    metrics.collected('gauge', { name: prefix + name, help }, () => [{ labels: [], value: read() }]);
  gauge('cache_revision', 'Revision the watch cache has reached.', () => cache.revision);
  gauge('store_revision', 'Revision of the store.', () => store.status().revision);
  gauge('store_size_bytes', 'Size of the store.', () => store.status().sizeBytes);
  gauge('store_history_changes', 'Changes the store holds as history.', () => store.stats.historyChanges);
  gauge('store_pending_bytes', 'Bytes waiting to be written.', () => store.stats.pendingBytes);
  const perPool = (name: string, help: string, read: (pool: PoolUsage) => number): void =>
    metrics.collected('gauge', { name: prefix + name, help, labels: ['pool', 'range'] }, () =>
      allocator.usage().map((pool) => ({ labels: [pool.pool, pool.range], value: read(pool) })),
    );
  perPool('allocations', 'Cluster IPs and node ports in use.', ({ used }) => used);
  perPool('allocations_limit', 'Cluster IPs and node ports there are.', ({ size }) => size);
  const perResource = (name: string, help: string, read: (of: ReturnType<Cache['of']>) => number): void =>
    metrics.collected('gauge', { name: prefix + name, help, labels: ['resource'] }, () =>
      [...cache.all()].map((of) => ({ labels: [of.resource.name], value: read(of) })),
    );
  perResource('objects', 'Objects stored.', ({ size }) => size);
  perResource('history_events', 'Changes at hand for watches that resume.', ({ history }) => history.size);
  perResource('history_bytes', 'Bytes of those changes.', ({ history }) => history.bytes);
}
