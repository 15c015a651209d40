/** What reading one's own writes costs with replicas, and what replicas give a primary that is saturated by reads. */

import { availableParallelism } from 'node:os';
import { cpuSeconds, median } from '../harness/measure.ts';
import { loadCpu } from '../harness/mesh.ts';
import { mixedLoad } from '../harness/redis-load.ts';
import type { ClientResult } from '../harness/redis-load.ts';
import { startAmbassador, startRedisServer } from '../harness/redis.ts';
import type { Subject } from '../harness/redis.ts';
import type { BenchContext, Row } from '../harness/suite.ts';

interface Measured extends ClientResult {
  readonly cpuMicros: number;
}

/** `--consistency session` against `eventual`: one primary, one real replica, a mix on every connection. */
export async function consistency(context: BenchContext): Promise<Row[]> {
  const primary = await startRedisServer(context);
  const replicas = [await startRedisServer(context, { replicaOf: primary })];
  const session = await startAmbassador(context, { primary, replicas, flags: ['--consistency', 'session'] });
  const eventual = await startAmbassador(context, {
    primary,
    replicas,
    flags: ['--consistency', 'eventual'],
  });
  const rows: Row[] = [];
  for (const reads of [0.5, 0.9]) {
    const ours: Measured[] = [];
    const peer: Measured[] = [];
    for (let run = 1; run <= context.runs; run++) {
      context.progress(`consistency, ${reads * 100} % reads, run ${run} of ${context.runs}`);
      ours.push(drive(context, session, reads));
      peer.push(drive(context, eventual, reads));
    }
    const work = `Redis, session consistency, ${reads * 100} % reads, 50 clients`;
    rows.push(
      compare(work, 'rate', '/s', 'perSecond', ours, peer, { atLeast: 0.9 }, reads === 0.5),
      compare(work, 'CPU per command', 'µs', 'cpuMicros', ours, peer, {}),
    );
  }
  return rows;
}

/** Three servers, the ambassador and the load have a core each, or it says nothing. */
const coresNeeded = 5;

/** 90 % reads: two replicas behind the ambassador against one Redis, both loaded as fast as they answer. */
export async function readScaling(context: BenchContext): Promise<Row[]> {
  const row = {
    work: 'Redis, 90 % reads, two replicas, primary saturated',
    figure: 'rate',
    reach: { atLeast: 1 },
    unit: '/s',
  };
  if (availableParallelism() < coresNeeded) {
    const notMeasured = 'needs three server cores';
    return [{ ...row, ours: Number.NaN, peer: { name: 'direct', value: Number.NaN }, notMeasured }];
  }
  const primary = await startRedisServer(context, { cpu: loadCpu + 1 });
  const replicas = [
    await startRedisServer(context, { cpu: loadCpu + 2, replicaOf: primary }),
    await startRedisServer(context, { cpu: loadCpu + 3, replicaOf: primary }),
  ];
  const outrigger = await startAmbassador(context, { primary, replicas });
  const ours: Measured[] = [];
  const peer: Measured[] = [];
  for (let run = 1; run <= context.runs; run++) {
    context.progress(`90 % reads, two replicas, run ${run} of ${context.runs}`);
    ours.push(drive(context, outrigger, 0.9));
    peer.push(drive(context, primary, 0.9));
  }
  return [compare(row.work, row.figure, row.unit, 'perSecond', ours, peer, row.reach, false, 'direct')];
}

function drive(context: BenchContext, subject: Subject, reads: number): Measured {
  const before = cpuSeconds(subject.process.pid);
  const result = mixedLoad(subject.port, { clients: 50, seconds: context.seconds, reads });
  const seconds = cpuSeconds(subject.process.pid) - before;
  return { ...result, cpuMicros: (seconds * 1e6) / result.allCommands };
}

function compare(
  work: string,
  figure: string,
  unit: string,
  field: 'perSecond' | 'cpuMicros',
  ours: readonly Measured[],
  peer: readonly Measured[],
  reach: Row['reach'],
  gate = false,
  name = 'eventual',
): Row {
  const middle = (samples: readonly Measured[]): number => median(samples.map((sample) => sample[field]));
  return { work, figure, unit, ours: middle(ours), peer: { name, value: middle(peer) }, reach, gate };
}
