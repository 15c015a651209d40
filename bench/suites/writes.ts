/** Durable writes of 1 KiB: the store alone, through the API, and etcd 3.5 through its JSON gateway in the same run. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, tempDir, toolPath } from '../../test/harness/index.ts';
import { median } from '../harness/measure.ts';
import { loadCpu, loopDelayMs, startControl, startPinned, subjectCpu } from '../harness/mesh.ts';
import type { BenchContext, Row, Suite } from '../harness/suite.ts';
import { benchStore } from '../store.ts';
import type { StoreBench } from '../store.ts';

interface Written {
  readonly perSecond: number;
  readonly p50: number;
}

const load = join(import.meta.dirname, '../load/writers.ts');

export const writes: Suite = {
  name: 'writes',
  needs: ['etcd-3.5'],
  run: async (context) => {
    const store: StoreBench[] = [];
    for (let run = 1; run <= context.runs; run++) {
      context.progress(`store, run ${run} of ${context.runs}`);
      store.push(await benchStore({ seconds: 1 }));
    }
    return [...storeRows(store), ...(await throughTheApi(context))];
  },
};

function storeRows(store: readonly StoreBench[]): Row[] {
  const middle = (read: (one: StoreBench) => number): number => median(store.map(read));
  const work = 'durable writes, 1 KiB, store';
  return [
    {
      work: `${work}, 64 writers`,
      figure: 'rate',
      ours: middle(({ writers64 }) => writers64.writesPerSecond),
      reach: { atLeast: 20_000 },
      unit: '/s',
      gate: true,
    },
    {
      work: `${work}, one writer`,
      figure: 'p50',
      ours: middle(({ writer1 }) => writer1.p50Ms),
      reach: { atMost: 1 },
      unit: 'ms',
      gate: true,
    },
    {
      work: `${work}, 64 writers`,
      figure: 'p99 delay of the main loop',
      ours: middle(({ writers64 }) => writers64.loopDelayP99Ms),
      reach: { atMost: 5 },
      unit: 'ms',
      gate: true,
    },
  ];
}

async function throughTheApi(context: BenchContext): Promise<Row[]> {
  const control = await startControl(context, subjectCpu, '--data', tempDir(context));
  const etcd = await startEtcd(context);
  const ours: Written[] = [];
  const delays: number[] = [];
  const single: number[] = [];
  const peer: Written[] = [];
  for (let run = 0; run <= context.runs; run++) {
    context.progress(`through the API and etcd, run ${run} of ${context.runs}`);
    await loopDelayMs(control);
    const own = await drive('api', control.addresses['api'] ?? '', 64, context.seconds);
    const delay = await loopDelayMs(control);
    const one = await drive('api', control.addresses['api'] ?? '', 1, context.seconds);
    const other = await drive('etcd', etcd, 64, context.seconds);
    // The first round warms compilers and caches.
    if (run === 0) continue;
    ours.push(own);
    delays.push(delay);
    single.push(one.p50);
    peer.push(other);
  }
  const rate = (samples: readonly Written[]): number => median(samples.map(({ perSecond }) => perSecond));
  const work = 'durable writes, 1 KiB, through the API, 64 writers';
  return [
    { work, figure: 'rate', ours: rate(ours), reach: { atLeast: 5000 }, unit: '/s', gate: true },
    {
      work,
      figure: 'rate',
      ours: rate(ours),
      peer: { name: 'etcd 3.5', value: rate(peer) },
      reach: { atLeast: 1 },
      unit: '/s',
      gate: true,
    },
    {
      work: 'durable writes, 1 KiB, through the API, one writer',
      figure: 'p50',
      ours: median(single),
      reach: { atMost: 1 },
      unit: 'ms',
      gate: true,
    },
    {
      work,
      figure: 'p99 delay of the main loop',
      ours: median(delays),
      reach: { atMost: 5 },
      unit: 'ms',
      gate: true,
    },
  ];
}

async function startEtcd(context: BenchContext): Promise<string> {
  const [client, peer] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${client}`;
  const args = [
    ...['--data-dir', tempDir(context), '--log-level', 'error'],
    ...['--listen-client-urls', url, '--advertise-client-urls', url],
    ...[
      '--listen-peer-urls',
      `http://127.0.0.1:${peer}`,
      '--initial-advertise-peer-urls',
      `http://127.0.0.1:${peer}`,
    ],
    ...['--initial-cluster', `default=http://127.0.0.1:${peer}`],
  ];
  await startPinned(context, subjectCpu, toolPath('etcd-3.5'), args, { port: client });
  return `127.0.0.1:${client}`;
}

async function drive(
  target: 'api' | 'etcd',
  address: string,
  writers: number,
  seconds: number,
): Promise<Written> {
  const args = [
    '-c',
    String(loadCpu),
    process.execPath,
    load,
    target,
    address,
    String(writers),
    String(seconds),
  ];
  const { stdout } = await promisify(execFile)('taskset', args);
  const { writes: count, p50 } = JSON.parse(stdout) as { writes: number; p50: number };
  return { perSecond: count / seconds, p50 };
}
