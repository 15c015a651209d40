/** Memory: values of a MiB stream through, and ten thousand clients sit idle. */

import { join } from 'node:path';
import { median, residentMiB } from '../harness/measure.ts';
import { loadCpu, startPinned } from '../harness/mesh.ts';
import { benchmark, requestsFor } from '../harness/redis-load.ts';
import type { Work } from '../harness/redis-load.ts';
import { startAmbassador, startRedisServer } from '../harness/redis.ts';
import type { BenchContext, Row } from '../harness/suite.ts';

/** What was allocated in passing is collected after so long. */
const settleMs = 2000;
const idleCount = 10_000;
/** Each run starts an ambassador and connects all clients anew. */
const idleRuns = 3;

export async function megabyteValues(context: BenchContext): Promise<Row[]> {
  const direct = await startRedisServer(context);
  const outrigger = await startAmbassador(context, { primary: direct });
  const { pid } = outrigger.process;
  const memory: number[] = [];
  const rates: Row[] = [];
  for (const command of ['set', 'get'] as const) {
    const work: Work = { command, clients: 4, pipeline: 1, valueBytes: 2 ** 20 };
    const ours: number[] = [];
    const peer: number[] = [];
    const [requests, requestsDirect] = [outrigger, direct].map((subject) =>
      requestsFor(subject, work, context.seconds),
    );
    for (let run = 1; run <= context.runs; run++) {
      context.progress(`${command} of 1 MiB, run ${run} of ${context.runs}`);
      ours.push(benchmark(outrigger, direct, work, requests ?? 0).perSecond);
      memory.push(residentMiB(pid));
      peer.push(benchmark(direct, direct, work, requestsDirect ?? 0).perSecond);
    }
    rates.push({
      work: `Redis ${command.toUpperCase()}, 4 clients, 1 MiB values`,
      figure: 'rate',
      ours: median(ours),
      peer: { name: 'direct', value: median(peer) },
      reach: { atLeast: 0.8 },
      unit: '/s',
    });
  }
  return [...rates, ...flatMemory(memory)];
}

/** Gigabytes have passed by the first figure already; from then on memory must not grow. */
function flatMemory(memory: readonly number[]): Row[] {
  const work = 'Redis, 1 MiB values';
  return [
    { work, figure: 'RSS, highest of all runs', ours: Math.max(...memory), reach: {}, unit: 'MiB' },
    {
      work,
      figure: 'RSS growth, first run to last',
      ours: (memory.at(-1) ?? 0) - (memory[0] ?? 0),
      reach: { atMost: 10 },
      unit: 'MiB',
    },
  ];
}

export async function idleClients(context: BenchContext): Promise<Row[]> {
  const primary = await startRedisServer(context);
  const kibEach: number[] = [];
  const connected: number[] = [];
  for (let run = 1; run <= Math.min(context.runs, idleRuns); run++) {
    context.progress(`${idleCount} idle clients, run ${run}`);
    const outrigger = await startAmbassador(context, { primary });
    // A few come and go first, so that compiled code is not charged to the clients.
    await (await connectIdle(context, outrigger.port, 100)).process.stop();
    await settle();
    const before = residentMiB(outrigger.process.pid);
    const idle = await connectIdle(context, outrigger.port, idleCount);
    await settle();
    kibEach.push(((residentMiB(outrigger.process.pid) - before) * 1024) / idle.connected);
    connected.push(idle.connected);
    await idle.process.stop();
    await outrigger.process.stop();
  }
  const work = `Redis, ${idleCount.toLocaleString('en')} idle clients after one command each`;
  return [
    {
      work,
      figure: 'connected and answered',
      ours: Math.min(...connected),
      reach: { atLeast: idleCount },
      unit: 'clients',
    },
    { work, figure: 'RSS per client', ours: median(kibEach), reach: { atMost: 12 }, unit: 'KiB' },
  ];
}

interface Idle {
  readonly process: Awaited<ReturnType<typeof startPinned>>;
  readonly connected: number;
}

async function connectIdle(context: BenchContext, port: number, count: number): Promise<Idle> {
  const program = join(import.meta.dirname, '../load/redis-idle.ts');
  const running = await startPinned(context, loadCpu, process.execPath, [program, `${port}`, `${count}`]);
  const [, connected] = await running.matched(/^connected (\d+)$/m, 120_000);
  return { process: running, connected: Number(connected) };
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, settleMs));
}
