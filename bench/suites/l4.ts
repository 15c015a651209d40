/** The TCP relay against HAProxy `mode tcp`: keep-alive requests, a connection per request, bulk. */

import { cpuSeconds, median, residentMiB } from '../harness/measure.ts';
import {
  create,
  service,
  servicesPath,
  slice,
  slicesPath,
  startControl,
  startRole,
  loadCpu,
  subjectCpu,
} from '../harness/mesh.ts';
import { load, startHaproxy, startNginx } from '../harness/peers.ts';
import type { Load } from '../harness/peers.ts';
import type { BenchContext, Row, Suite } from '../harness/suite.ts';

interface Subject {
  readonly name: 'outrigger' | 'haproxy';
  readonly pid: number;
  readonly port: number;
}

interface Sample {
  readonly cpuMicrosPerRequest: number;
  readonly cpuMicrosPerMiB: number;
  readonly requestsPerSecond: number;
  readonly mibPerSecond: number;
  readonly residentMiB: number;
  readonly errors: number;
}

export const l4: Suite = {
  name: 'l4',
  needs: ['nginx', 'haproxy', 'wrk'],
  run: async (context) => {
    const subjects = await startSubjects(context);
    const rows = [...keepAlive(context, subjects), ...perRequest(context, subjects)];
    // Fresh processes: the memory of bulk is to be that of bulk alone.
    return [...rows, ...bulk(context, await startSubjects(context))];
  },
};

async function startSubjects(context: BenchContext): Promise<[Subject, Subject]> {
  const backend = await startNginx(context);
  const control = await startControl(context, loadCpu);
  const api = control.addresses['api'] ?? '';
  await create(api, servicesPath, service('web'));
  await create(api, slicesPath, slice('web-1', 'web', ['127.0.0.1'], backend.port));
  const proxy = await startRole(context, subjectCpu, 'proxy', [
    ...['--control', `http://${api}`, '--publish', 'default/web:http=127.0.0.1:0'],
    ...['--admin', '127.0.0.1:0', '--log-level', 'warn'],
  ]);
  const haproxy = await startHaproxy(context, backend.port);
  const port = Number(proxy.addresses['default/web:http']?.split(':').at(-1));
  return [
    { name: 'outrigger', pid: proxy.process.pid, port },
    { name: 'haproxy', pid: haproxy.process.pid, port: haproxy.port },
  ];
}

function keepAlive(context: BenchContext, subjects: readonly Subject[]): Row[] {
  const [ours, peer] = interleave(context, 'keep-alive', subjects, (subject) =>
    load(`http://127.0.0.1:${subject.port}/`, 64, context.seconds),
  );
  const work = 'L4, 64 keep-alive HTTP connections';
  return [
    row(work, 'CPU per request', 'µs', 'cpuMicrosPerRequest', ours, peer, { atMost: 1.4 }, true),
    row(work, 'rate', '/s', 'requestsPerSecond', ours, peer, { atLeast: 0.8 }, true),
  ];
}

function perRequest(context: BenchContext, subjects: readonly Subject[]): Row[] {
  const [ours, peer] = interleave(context, 'connection per request', subjects, (subject) =>
    load(`http://127.0.0.1:${subject.port}/`, 64, context.seconds, true),
  );
  const work = 'L4, new connection per request';
  return [
    row(work, 'CPU per request', 'µs', 'cpuMicrosPerRequest', ours, peer, { atMost: 2.2 }),
    row(work, 'rate', '/s', 'requestsPerSecond', ours, peer, { atLeast: 0.5 }),
  ];
}

/** Rate and memory while 16 MiB answers stream over 4 connections; over a GiB moves in each run. */
function bulk(context: BenchContext, subjects: readonly Subject[]): Row[] {
  const [ours, peer] = interleave(context, 'bulk', subjects, (subject) =>
    load(`http://127.0.0.1:${subject.port}/bulk`, 4, context.seconds),
  );
  const memory = ours.map((sample) => sample.residentMiB);
  const work = 'L4, bulk (16 MiB answers)';
  return [
    row(work, 'rate', 'MiB/s', 'mibPerSecond', ours, peer, { atLeast: 0.95 }),
    row(work, 'CPU per MiB', 'µs', 'cpuMicrosPerMiB', ours, peer, { atMost: 1.2 }),
    {
      work,
      figure: 'RSS, highest of all runs',
      ours: Math.max(...memory),
      reach: { atMost: 135 },
      unit: 'MiB',
    },
    {
      work,
      figure: 'RSS growth, first run to last',
      ours: (memory.at(-1) ?? 0) - (memory[0] ?? 0),
      reach: { atMost: 10 },
      unit: 'MiB',
    },
  ];
}

/** Runs of each subject in turn, after one unmeasured round that warms caches and compilers. */
function interleave(
  context: BenchContext,
  what: string,
  subjects: readonly Subject[],
  drive: (subject: Subject) => Load,
): [Sample[], Sample[]] {
  const samples: Record<Subject['name'], Sample[]> = { outrigger: [], haproxy: [] };
  for (let run = 0; run <= context.runs; run++) {
    for (const subject of subjects) {
      context.progress(`${what}: ${subject.name}, run ${run} of ${context.runs}`);
      const sample = measure(subject, drive);
      if (sample.errors > 0) throw new Error(`${what}: ${subject.name} had ${sample.errors} failed requests`);
      if (run > 0) samples[subject.name].push(sample);
    }
  }
  return [samples.outrigger, samples.haproxy];
}

function measure(subject: Subject, drive: (subject: Subject) => Load): Sample {
  const before = cpuSeconds(subject.pid);
  const { requests, perSecond, bytes, errors } = drive(subject);
  const micros = (cpuSeconds(subject.pid) - before) * 1e6;
  const mib = bytes / 2 ** 20;
  return {
    cpuMicrosPerRequest: micros / requests,
    cpuMicrosPerMiB: micros / mib,
    requestsPerSecond: perSecond,
    mibPerSecond: (mib / requests) * perSecond,
    residentMiB: residentMiB(subject.pid),
    errors,
  };
}

function row(
  work: string,
  figure: string,
  unit: string,
  field: keyof Sample,
  ours: readonly Sample[],
  peer: readonly Sample[],
  reach: Row['reach'],
  gate = false,
): Row {
  const middle = (samples: readonly Sample[]): number => median(samples.map((sample) => sample[field]));
  return {
    work,
    figure,
    unit,
    ours: middle(ours),
    peer: { name: 'HAProxy', value: middle(peer) },
    reach,
    gate,
  };
}
