/** Start to ready, idle memory and `--help`, compiled, on one CPU. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { median, residentMiB } from '../harness/measure.ts';
import {
  create,
  service,
  servicesPath,
  startControl,
  startRole,
  loadCpu,
  subjectCpu,
} from '../harness/mesh.ts';
import type { BenchContext, Row, Suite } from '../harness/suite.ts';

const main = join(import.meta.dirname, '../../packages/cli/dist/main.js');

export const startup: Suite = {
  name: 'startup',
  needs: [],
  run: async (context) => {
    const control = await startControl(context, loadCpu);
    const api = control.addresses['api'] ?? '';
    await create(api, servicesPath, service('web'));
    const quiet = ['--admin', '127.0.0.1:0', '--log-level', 'warn'];
    const roles: Record<string, string[]> = {
      proxy: ['--control', `http://${api}`, '--publish', 'default/web:http=127.0.0.1:0', ...quiet],
      ambassador: ['--listen', '127.0.0.1:0', '--primary', '127.0.0.1:1', ...quiet],
      adapter: ['--listen', '127.0.0.1:0', '--statsd-udp', '127.0.0.1:0', '--statsd-tcp', '', ...quiet],
      control: ['--listen', '127.0.0.1:0', '--memory', '--log-level', 'warn'],
    };
    const rows: Row[] = [];
    for (const [role, args] of Object.entries(roles)) rows.push(...(await startOf(context, role, args)));
    return [...rows, help(context)];
  },
};

/** What a start allocated is collected, and deferred work is done, this long after it. */
const settleMs = 2000;

async function startOf(context: BenchContext, role: string, args: readonly string[]): Promise<Row[]> {
  const ready: number[] = [];
  const memory: number[] = [];
  for (let run = 1; run <= context.runs; run++) {
    context.progress(`start of ${role}, run ${run} of ${context.runs}`);
    const started = await startRole(context, subjectCpu, role, args);
    ready.push(started.readyMs);
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    memory.push(residentMiB(started.process.pid));
    await started.process.stop();
  }
  const [readyReach, memoryReach] = role === 'control' ? [400, 110] : [300, 95];
  return [
    {
      work: `start of ${role}`,
      figure: 'to ready',
      ours: median(ready),
      reach: { atMost: readyReach },
      unit: 'ms',
    },
    {
      work: `start of ${role}`,
      figure: 'idle RSS',
      ours: median(memory),
      reach: { atMost: memoryReach },
      unit: 'MiB',
    },
  ];
}

function help(context: BenchContext): Row {
  const times: number[] = [];
  for (let run = 1; run <= context.runs * 3; run++) {
    context.progress('--help');
    const started = performance.now();
    spawnSync('taskset', ['-c', String(subjectCpu), process.execPath, main, '--help']);
    times.push(performance.now() - started);
  }
  return {
    work: 'outrigger --help',
    figure: 'time',
    ours: median(times),
    reach: { atMost: 100 },
    unit: 'ms',
  };
}
