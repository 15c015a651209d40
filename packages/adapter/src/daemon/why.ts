/** `outrigger why metric LINE`: what would become of a StatsD line, without taking it. */

import type { SeriesStore, SeriesType } from '../series/series.ts';
import { specOf } from '../statsd/intake.ts';
import { parseLine } from '../statsd/line.ts';

export interface LineExplanation {
  readonly line: string;
  /** Parts not taken, by reason. */
  readonly errors: readonly string[];
  readonly samples: readonly {
    readonly series: string;
    readonly type: SeriesType;
    readonly result: string;
  }[];
}

export function explainLine(line: string, registry: SeriesStore): LineExplanation {
  const { samples, errors } = parseLine(line);
  return {
    line,
    errors,
    samples: samples.map((sample) => {
      const spec = specOf(sample, []);
      return { series: spec.name, type: spec.type, result: registry.wouldRefuse(spec) ?? 'kept' };
    }),
  };
}
