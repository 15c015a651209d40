/** Watch fan-out: what one event delivered to one of 1,000 watchers costs the control service. */

import { join } from 'node:path';
import { cpuSeconds, median, residentMiB } from '../harness/measure.ts';
import {
  create,
  loadCpu,
  service,
  servicesPath,
  startControl,
  startPinned,
  subjectCpu,
} from '../harness/mesh.ts';
import type { BenchContext, Row, Suite } from '../harness/suite.ts';

const watchers = 1_000;
/** A real kube-apiserver (Go) in the same arrangement on the same kind of machine: 26.5 µs. */
const mostMicrosPerEvent = 10;
const eventsPerSecondOfRun = 30;

interface Answer {
  readonly delivered: number;
  readonly bytesPerEvent: number;
  readonly p50: number;
  readonly p99: number;
}

interface Sample extends Answer {
  readonly microsPerEvent: number;
}

export const fanout: Suite = {
  name: 'fanout',
  needs: [],
  run: async (context) => {
    const samples = await fanOut(context);
    const work = `watch fan-out, ${watchers} watchers, ${Math.round(samples.at(-1)?.bytesPerEvent ?? 0)} B events`;
    const middle = (field: keyof Sample): number => median(samples.map((sample) => sample[field]));
    const rows: Row[] = [
      {
        work,
        figure: 'CPU per delivered event',
        ours: middle('microsPerEvent'),
        reach: { atMost: mostMicrosPerEvent },
        unit: 'µs',
        gate: true,
      },
      {
        work,
        figure: 'write until the last watcher has it, p50',
        ours: middle('p50'),
        reach: {},
        unit: 'ms',
      },
      {
        work,
        figure: 'write until the last watcher has it, p99',
        ours: middle('p99'),
        reach: {},
        unit: 'ms',
      },
    ];
    return rows;
  },
};

/** One unmeasured run, then the measured ones, against the same watches. */
export async function fanOut(context: BenchContext): Promise<Sample[]> {
  const control = await startControl(context, subjectCpu);
  const api = control.addresses['api'] ?? '';
  await create(api, servicesPath, service('fanout'));
  const script = join(import.meta.dirname, '../load/fanout-client.ts');
  const args = [script, api, String(watchers), String(context.seconds * eventsPerSecondOfRun)];
  const client = await startPinned(context, loadCpu, process.execPath, args, /^ready$/m);
  const samples: Sample[] = [];
  for (let run = 0; run <= context.runs; run++) {
    context.progress(`run ${run} of ${context.runs}, RSS ${residentMiB(control.process.pid).toFixed(0)} MiB`);
    const before = cpuSeconds(control.process.pid);
    client.signal('SIGUSR2');
    const [line] = await client.matched(new RegExp(`(?:^\\{.*\\}\\n[^]*){${run}}^(\\{.*\\})$`, 'm'), 120_000);
    const answer = JSON.parse(line.trim().split('\n').at(-1) ?? '{}') as Answer;
    const micros = (cpuSeconds(control.process.pid) - before) * 1e6;
    if (run > 0) samples.push({ ...answer, microsPerEvent: micros / answer.delivered });
  }
  return samples;
}
