/** Rates and CPU per command by redis-benchmark: the ambassador, nutcracker and Redis itself in turn. */

import { median } from '../harness/measure.ts';
import { benchmark, requestsFor } from '../harness/redis-load.ts';
import type { Sample, Work } from '../harness/redis-load.ts';
import type { Subject, SubjectName } from '../harness/redis.ts';
import type { BenchContext, Row } from '../harness/suite.ts';

export type Trio = Readonly<Record<SubjectName, Subject>>;
/** Medians of the runs. */
export type Rates = Readonly<Record<SubjectName, Sample>>;

const names = ['outrigger', 'nutcracker', 'direct'] as const;
const smallValue = 64;

export function measureRates(
  context: BenchContext,
  trio: Trio,
  command: Work['command'],
  pipeline: number,
  valueBytes = smallValue,
): Rates {
  const work: Work = { command, pipeline, valueBytes, clients: 50 };
  const samples = { outrigger: [] as Sample[], nutcracker: [] as Sample[], direct: [] as Sample[] };
  // What GET finds. The same key for all, since redis-benchmark uses one.
  benchmark(trio.direct, trio.direct, { ...work, command: 'set', pipeline: 1 }, 2000);
  const requests = names.map((name) => requestsFor(trio[name], work, context.seconds));
  for (let run = 1; run <= context.runs; run++) {
    for (const [i, name] of names.entries()) {
      context.progress(`${command}, -P ${pipeline}, ${valueBytes} B: ${name}, run ${run} of ${context.runs}`);
      samples[name].push(benchmark(trio[name], trio.direct, work, requests[i] ?? 0));
    }
  }
  const { outrigger, nutcracker, direct } = samples;
  return { outrigger: middle(outrigger), nutcracker: middle(nutcracker), direct: middle(direct) };
}

function middle(samples: readonly Sample[]): Sample {
  return {
    perSecond: median(samples.map(({ perSecond }) => perSecond)),
    cpuMicros: median(samples.map(({ cpuMicros }) => cpuMicros)),
    serverMicros: median(samples.map(({ serverMicros }) => serverMicros)),
  };
}

/** Unpipelined clients: where one system call per client and command is the price, and joining them the gift. */
export function plainRows(command: string, rates: Rates): Row[] {
  const work = `Redis ${command}, 50 clients, -P 1`;
  const server = 'CPU of Redis per command';
  return [
    rate(work, rates, 'nutcracker', { atLeast: 1 }, true),
    rate(work, rates, 'direct', { atLeast: 0.75 }, true),
    cpu(work, rates, { atMost: 12 }, true),
    cpuAgainstPeer(work, rates),
    {
      work,
      figure: server,
      ours: rates.outrigger.serverMicros,
      reach: { atMost: 2.5 },
      unit: 'µs',
    },
    {
      work,
      figure: server,
      ours: rates.outrigger.serverMicros,
      peer: { name: 'direct', value: rates.direct.serverMicros },
      reach: {},
      unit: 'µs',
    },
  ];
}

export function pipelinedRows(work: string, rates: Rates, timesPeer: number): Row[] {
  return [
    rate(`Redis ${work}`, rates, 'nutcracker', { atLeast: timesPeer }, true),
    rate(`Redis ${work}`, rates, 'direct', {}),
    cpu(`Redis ${work}`, rates, { atMost: 1.5 }, true),
    cpuAgainstPeer(`Redis ${work}`, rates),
    perCpuSecond(`Redis ${work}`, rates),
  ];
}

export function valueRows(command: string, rates: Rates): Row[] {
  const work = `Redis ${command}, 50 clients, 16 KiB values`;
  return [rate(work, rates, 'nutcracker', { atLeast: 0.9 }), cpuAgainstPeer(work, rates)];
}

function rate(
  work: string,
  rates: Rates,
  peer: 'nutcracker' | 'direct',
  reach: Row['reach'],
  gate = false,
): Row {
  const value = rates[peer].perSecond;
  return {
    work,
    figure: 'rate',
    ours: rates.outrigger.perSecond,
    peer: { name: peer, value },
    reach,
    unit: '/s',
    gate,
  };
}

function cpu(work: string, rates: Rates, reach: Row['reach'], gate: boolean): Row {
  return { work, figure: 'CPU per command', ours: rates.outrigger.cpuMicros, reach, unit: 'µs', gate };
}

function cpuAgainstPeer(work: string, rates: Rates): Row {
  const peer = { name: 'nutcracker', value: rates.nutcracker.cpuMicros };
  return { work, figure: 'CPU per command', ours: rates.outrigger.cpuMicros, peer, reach: {}, unit: 'µs' };
}

/** What the proxy could do where load and Redis did not share a CPU, and so were not what the rate is limited by. */
function perCpuSecond(work: string, { outrigger, nutcracker }: Rates): Row {
  const peer = { name: 'nutcracker', value: 1e6 / nutcracker.cpuMicros };
  const figure = 'commands per second of its CPU time';
  return { work, figure, ours: 1e6 / outrigger.cpuMicros, peer, reach: {}, unit: '/s' };
}
