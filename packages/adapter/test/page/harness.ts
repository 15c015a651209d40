/** A page with sources that answer what a test says, and what it writes. */

import type { MetricsSource } from '@outrigger/core/api';
import { FakeClock } from '@outrigger/core/clock';
import type { Clock } from '@outrigger/core/clock';
import { BlockPool, PageWriter, readPageAsked } from '@outrigger/core/exposition';
import type { LabelPairs, MetricFamily, MetricType, Sample } from '@outrigger/core/exposition';
import { Metrics } from '@outrigger/core/metrics';
import { AskedSource } from '../../src/page/ask.ts';
import { PageMetrics } from '../../src/page/observe.ts';
import { Page } from '../../src/page/page.ts';
import { shapeOf } from '../../src/page/shape.ts';
import { SeriesRegistry } from '../../src/series/registry.ts';
import type { Answer, Asked } from '../../src/sources/source.ts';

type Collect = (asked: Asked) => Promise<Answer> | Answer;

export function family(name: string, type: MetricType, ...samples: [LabelPairs, number][]): MetricFamily {
  return {
    ...{ name, type, help: `${name}.` },
    samples: samples.map(([labels, value]): Sample => ({ suffix: '', labels, value })),
  };
}

export function answering(...families: MetricFamily[]): Collect {
  return () => ({ families });
}

export interface SourceOptions {
  readonly spec?: Partial<MetricsSource>;
  readonly place?: Readonly<Record<string, string>>;
  readonly common?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly maxSeries?: number;
}

export function newPage(
  sources: Record<string, Collect | [Collect, SourceOptions]>,
  options: { maxSeries?: number; clock?: Clock } = {},
) {
  const { maxSeries = 1000, clock = new FakeClock() } = options;
  const registry = new SeriesRegistry({ maxSeries, labels: {} }, clock);
  const metrics = new PageMetrics(new Metrics({ processMetrics: false }), registry, () => maxSeries);
  const asked = Object.entries(sources).map(([name, given]) => {
    const [collect, { spec = {}, place = {}, common = {}, timeoutMs = 10_000, maxSeries: most = 100 }] =
      Array.isArray(given) ? given : ([given, {}] as [Collect, SourceOptions]);
    const source = { collect: async (one: Asked) => collect(one), close: () => undefined };
    const config = { name, timeout: '10s', maxSeries: most, ...spec } as MetricsSource;
    const shape = shapeOf(config, { address: '', labels: place }, common);
    return new AskedSource({ name, endpoint: '', source, shape, timeoutMs, maxSeries: most }, clock);
  });
  const page = new Page({
    ...{ registry, metrics, clock, sources: () => asked, maxSeries: () => maxSeries },
    own: () => Promise.resolve([]),
  });
  const read = async (headers: Record<string, string> = {}, query = ''): Promise<string> => {
    const out = new PageWriter(new BlockPool());
    await page.write(out, readPageAsked(headers, new URLSearchParams(query)));
    return Buffer.concat(out.finish()).toString('utf8');
  };
  return { clock, registry, page, read, asked };
}

/** Lines that are samples of what was collected, not of the adapter itself. */
export function collected(page: string): string[] {
  return page
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('outrigger_'));
}
