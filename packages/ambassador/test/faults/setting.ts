/** What fault tests stand on: an ambassador configured by its document alone, and the truth as the servers hold it. */

import { loadConfig } from '@outrigger/core/config';
import { eventually, testDeps } from '@outrigger/core/testing';
import type { TestDeps } from '@outrigger/core/testing';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ambassadorDaemon, start } from '../../src/index.ts';
import type { Redis, RunningProcess, Teardown } from '../../../../test/harness/index.ts';
import { startProcess, startRedis } from '../../../../test/harness/index.ts';
import type { Load } from './load.ts';
import { judge } from './checkers/verdict.ts';
import type { Verdict } from './checkers/verdict.ts';
import type { Outcome, Upheaval } from './history.ts';

export type Document = Readonly<Record<string, unknown>>;

export interface Ambassador {
  readonly port: number;
  readonly adminUrl: string;
  readonly deps: TestDeps;
  /** Sum of the series of a metric whose labels hold all of these. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

/** In this process. */
export async function startAmbassador(t: Teardown, document: Document): Promise<Ambassador> {
  const { schema, checks } = ambassadorDaemon;
  const source = {
    name: 'a test',
    document: { listen: '127.0.0.1:0', admin: '127.0.0.1:0', ...document },
  };
  const { values } = loadConfig({ schema, ...(checks && { checks }), args: [], environment: {}, source });
  const deps = testDeps();
  const daemon = await start(ambassadorDaemon.parse(values), deps);
  t.teardown(() => daemon.close());
  return {
    port: portOf(daemon.addresses['redis']),
    adminUrl: `http://${daemon.addresses['admin']}`,
    deps,
    metric: async (name, labels = {}) => sumOf(await deps.metrics.page(), name, labels),
  };
}

/** As a process of its own, so that its memory can be told from ours. */
export async function spawnAmbassador(
  t: Teardown,
  args: readonly string[],
): Promise<{ readonly port: number; readonly process: RunningProcess }> {
  const main = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url));
  const running = await startProcess(
    t,
    process.execPath,
    [
      ...['--conditions=@outrigger/source', main, 'ambassador'],
      ...['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', ...args],
    ],
    { ready: /"msg":"ready".*\n/, readyTimeoutMs: 20_000 },
  );
  const { addresses } = JSON.parse(running.stdout) as { addresses: Record<string, string> };
  return { port: portOf(addresses['redis']), process: running };
}

/** The highest resident memory of a process so far. */
export function peakMiB({ pid }: RunningProcess): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

/** A replica that has synced. */
export async function startReplica(t: Teardown, primary: Pick<Redis, 'port'> & Redis): Promise<Redis> {
  const replica = await startRedis(t, { replicaOf: primary });
  await following(replica);
  return replica;
}

export async function following(replica: Redis): Promise<void> {
  await eventually('the replica follows', async () =>
    (await replica.cli('INFO', 'replication')).includes('master_link_status:up'),
  );
}

/** What each list holds at the server, which must be the primary of them all. */
export async function outcomeAt(primary: Redis, keys: readonly string[]): Promise<Outcome> {
  const outcome = new Map<string, string[]>();
  for (const key of keys) {
    const text = await primary.cli('LRANGE', key, '0', '-1');
    outcome.set(key, text === '' ? [] : text.split('\n'));
  }
  return outcome;
}

/** Stops the load and holds what its clients were told against what the server has. */
export async function settle(
  load: Load,
  primary: Redis,
  upheavals: readonly Upheaval[] = [],
): Promise<Verdict> {
  const history = await load.stop();
  return judge(history, await outcomeAt(primary, load.keys), upheavals);
}

function portOf(address: string | undefined): number {
  return Number(address?.split(':').at(-1));
}

function sumOf(page: string, name: string, labels: Readonly<Record<string, string>>): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return page
    .split('\n')
    .filter((line) => line.startsWith(`outrigger_ambassador_${name}`))
    .filter((line) => /^[{ ]/.test(line.slice(`outrigger_ambassador_${name}`.length)))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
