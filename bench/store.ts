/**
 * Durable writes into the store itself, without HTTP: 64 writers and one writer of 1 KiB values, each waiting for its
 * answer before it writes again. `node bench/store.ts [SECONDS] [DIR]` prints the figures.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '@outrigger/core/clock';
import { openMemoryStore, openSqliteStore } from '../packages/control/dist/store/index.js';
import type { SequencedStore, StoreLimits } from '../packages/control/dist/store/index.js';
import { median, quantile } from './harness/measure.ts';

export interface StoreFigures {
  readonly writesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** How late the main thread's event loop ran. */
  readonly loopDelayP99Ms: number;
  /** Average transactions in one commit. */
  readonly group: number;
  /** CPU of the whole process per write, both threads. */
  readonly cpuMicros: number;
}

export interface StoreBench {
  /** The figures that are promised: SQLite with every write on the disk when it is answered. */
  readonly writers64: StoreFigures;
  readonly writer1: StoreFigures;
  /** The same while history is full, so that every write also removes one. */
  readonly writers64Compacting: StoreFigures;
  /** Without a disk: what sequencing and answering cost by themselves. */
  readonly memory64: StoreFigures;
}

export interface StoreBenchOptions {
  /** For each figure. Default 2. */
  readonly seconds?: number;
  /** Where the databases are made; its disk is what is measured. Default: the current folder. */
  readonly parent?: string;
}

const valueBytes = 1024;

export async function benchStore(options: StoreBenchOptions = {}): Promise<StoreBench> {
  const { seconds = 2, parent = process.cwd() } = options;
  const sqlite = (writers: number, limits: Partial<StoreLimits> = {}): Promise<StoreFigures> =>
    withFolder(parent, async (dir) =>
      measure(await openSqliteStore({ dir, clock: systemClock(), limits }), writers, seconds),
    );
  return {
    writers64: await sqlite(64),
    writer1: await sqlite(1),
    writers64Compacting: await sqlite(64, { historyChanges: 5_000 }),
    memory64: await measure(openMemoryStore({ clock: systemClock() }), 64, seconds),
  };
}

async function measure(store: SequencedStore, writers: number, seconds: number): Promise<StoreFigures> {
  await write(store, writers, 0.3);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const { commits, txns } = store.stats;
  const cpu = process.cpuUsage();
  const started = performance.now();
  delay.enable();
  const latencies = await write(store, writers, seconds);
  const took = (performance.now() - started) / 1000;
  delay.disable();
  const { user, system } = process.cpuUsage(cpu);
  const group = (store.stats.txns - txns) / (store.stats.commits - commits);
  await store.close();
  return {
    writesPerSecond: latencies.length / took,
    p50Ms: median(latencies),
    p99Ms: quantile(latencies, 0.99),
    loopDelayP99Ms: delay.percentile(99) / 1e6,
    group,
    cpuMicros: (user + system) / latencies.length,
  };
}

/** Writers in turn over 1,000 keys; how long each write took. */
async function write(store: SequencedStore, writers: number, seconds: number): Promise<number[]> {
  const latencies: number[] = [];
  const until = performance.now() + seconds * 1000;
  let next = 0;
  await Promise.all(
    Array.from({ length: writers }, async () => {
      for (;;) {
        const begun = performance.now();
        if (begun >= until) return;
        const value = new Uint8Array(valueBytes).fill(next % 256);
        await store.txn([], [{ type: 'put', key: `/registry/configmaps/default/${next++ % 1_000}`, value }]);
        latencies.push(performance.now() - begun);
      }
    }),
  );
  return latencies;
}

async function withFolder<T>(parent: string, use: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(parent, '.bench-store-'));
  try {
    return await use(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

if (import.meta.main) {
  const [seconds, parent] = process.argv.slice(2);
  const figures = await benchStore({
    ...(seconds === undefined ? {} : { seconds: Number(seconds) }),
    ...(parent === undefined ? {} : { parent }),
  });
  console.table(
    Object.fromEntries(
      Object.entries(figures).map(([name, row]: [string, StoreFigures]) => [
        name,
        Object.fromEntries(Object.entries(row).map(([key, value]) => [key, Number(value.toPrecision(3))])),
      ]),
    ),
  );
}
