/** What the hop adds to the latency when nothing is saturated. */

import { median } from '../harness/measure.ts';
import { mixedLoad } from '../harness/redis-load.ts';
import type { ClientResult } from '../harness/redis-load.ts';
import type { BenchContext, Row } from '../harness/suite.ts';
import type { Trio } from './redis-rates.ts';

const names = ['outrigger', 'nutcracker', 'direct'] as const;
/** Of the load's time; beyond, its latencies are its own. */
const stalledAtMost = 0.05;

/** The latency of GETs at the same rate through each, and what is ours of it. */
export function addedLatency(context: BenchContext, trio: Trio, perSecond: number): Row[] {
  const samples = {
    outrigger: [] as ClientResult[],
    nutcracker: [] as ClientResult[],
    direct: [] as ClientResult[],
  };
  const rate = Math.round(perSecond / 1000) * 1000;
  for (let run = 1; run <= context.runs; run++) {
    for (const name of names) {
      context.progress(`latency: ${name}, run ${run} of ${context.runs}`);
      const options = { clients: 50, seconds: context.seconds, reads: 1, rate };
      samples[name].push(mixedLoad(trio[name].port, options));
    }
  }
  const work = `Redis GET, 50 clients, half load (${rate} /s)`;
  const stalled = Math.max(...names.map((name) => median(samples[name].map((sample) => sample.stalled))));
  const busy = `other processes kept the load waiting ${Math.round(stalled * 100)} % of the time`;
  const doubt = stalled > stalledAtMost ? { notMeasured: busy } : {};
  return (['p50', 'p99'] as const).flatMap((q) => {
    const middle = (name: (typeof names)[number]): number => median(samples[name].map((sample) => sample[q]));
    const ours = middle('outrigger');
    return [
      {
        work,
        figure: `latency, ${q}`,
        ours,
        // Both have the same latency of Redis in them, so this is at most 1 when what we add is.
        peer: { name: 'nutcracker', value: middle('nutcracker') },
        reach: { atMost: 1 },
        unit: 'ms',
        ...doubt,
      },
      { work, figure: `latency added, ${q}`, ours: ours - middle('direct'), reach: {}, unit: 'ms', ...doubt },
    ];
  });
}
