/** Writing the page of 100,000 series: how long it takes, how long it keeps everything else waiting, what it costs. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { median } from '../harness/measure.ts';
import { subjectCpu } from '../harness/mesh.ts';
import type { Row, Suite } from '../harness/suite.ts';

const program = join(import.meta.dirname, '../load/render.ts');
const series = 100_000;
const pages = 20;
/** The first pages are compiled while they are written. */
const cold = 5;

interface Outcome {
  readonly times: readonly number[];
  readonly stalls: readonly number[];
  readonly bytesPerSeries: number;
}

export const adapterRender: Suite = {
  name: 'adapter-render',
  needs: [],
  run: (context) => {
    const ours: Outcome[] = [];
    const peers: Outcome[] = [];
    for (let run = 1; run <= context.runs; run++) {
      context.progress(`pages of ${series} series, run ${run} of ${context.runs}`);
      ours.push(outcomeOf('ours', pages));
      peers.push(outcomeOf('prom-client', cold + 3));
    }
    return Promise.resolve(rowsOf(ours, peers));
  },
};

function rowsOf(ours: readonly Outcome[], peers: readonly Outcome[]): Row[] {
  const work = `page of ${series / 1000}k series, 4 labels`;
  const of = (outcomes: readonly Outcome[], figure: (outcome: Outcome) => number): number =>
    median(outcomes.map(figure));
  const warm = ({ times }: Outcome): number => median(times.slice(cold));
  const stall = ({ stalls }: Outcome): number => median(stalls.slice(cold));
  const peer = { name: 'prom-client', value: of(peers, warm) };
  return [
    { work, figure: 'warm', ours: of(ours, warm), reach: { atMost: 25 }, unit: 'ms', gate: true },
    { work, figure: 'warm', ours: of(ours, warm), peer, reach: { atMost: 0.2 }, unit: 'ms' },
    { work, figure: 'event loop kept', ours: of(ours, stall), reach: { atMost: 5 }, unit: 'ms', gate: true },
    {
      ...{ work, figure: 'RSS without the ingest cache', unit: 'B/series', reach: { atMost: 300 } },
      ours: of(ours, ({ bytesPerSeries }) => bytesPerSeries),
    },
  ];
}

function outcomeOf(subject: string, count: number): Outcome {
  const args = ['-c', String(subjectCpu), process.execPath, '--expose-gc', program, subject, String(series)];
  const { stdout, stderr, status } = spawnSync('taskset', [...args, String(count)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${subject} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as Outcome;
}
