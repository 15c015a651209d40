/** `outrigger why metric LINE`: what would become of a StatsD line, without taking it. */

import { metricName } from '../series/names.ts';
import type { SeriesRegistry, SeriesType } from '../series/registry.ts';
import { parseLine } from '../statsd/line.ts';
import type { SampleKind } from '../statsd/line.ts';

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

const types: Readonly<Record<SampleKind, SeriesType>> = {
  counter: 'counter',
  gauge: 'gauge',
  observation: 'histogram',
};

export function explainLine(line: string, registry: SeriesRegistry): LineExplanation {
  const { samples, errors } = parseLine(line);
  return {
    line,
    errors,
    samples: samples.map(({ name, kind, tags }) => {
      const type = types[kind];
      const refusal = registry.wouldRefuse(name, type, tags);
      return { series: metricName(name), type, result: refusal ?? 'kept' };
    }),
  };
}
