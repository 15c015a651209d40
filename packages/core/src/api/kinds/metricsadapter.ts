/** outrigger.dev/v1alpha1 MetricsAdapter: the configuration of a metrics adapter. */

import type { Infer } from '../build.ts';
import { describe, integer, list, map, number, object, string } from '../build.ts';
import { daemonFields } from './daemon.ts';
import { validateMetricsAdapterSpec } from '../rules/own.ts';
import type { ObjectWith } from './define.ts';
import { defineKind } from './define.ts';
import { conditions } from './meta.ts';

export const metricsAdapterSpec = object(
  {
    ...daemonFields,
    listen: string('Address of the scrape page', { default: '127.0.0.1:9102' }),
    admin: describe(daemonFields.admin, 'Address of probes and the own metrics of the adapter', {
      default: '127.0.0.1:9103',
    }),
    statsdUdp: string('UDP address for StatsD lines; off if empty', {
      default: '127.0.0.1:9125',
      keepEmpty: true,
    }),
    labels: map(string(), 'Labels added to every collected series'),
    timerBuckets: list(number(), 'Upper bounds of the histograms that timers become, in seconds, ascending', {
      default: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      maxItems: 64,
    }),
    maxSeries: integer('Series kept at most; lines that would add more are counted and dropped', {
      default: 100_000,
      minimum: 1,
    }),
  },
  {
    required: ['listen', 'admin', 'statsdUdp', 'timerBuckets', 'maxSeries', 'drainTimeout', 'logLevel'],
    description: 'Configuration of the adapter',
  },
);
export type MetricsAdapterSpec = Infer<typeof metricsAdapterSpec>;

const fields = {
  spec: metricsAdapterSpec,
  status: object({ conditions }, { description: 'What was observed' }),
};
export type MetricsAdapter = ObjectWith<typeof fields, 'spec'>;

export const metricsAdapterKind = defineKind<MetricsAdapter>({
  group: 'outrigger.dev',
  version: 'v1alpha1',
  kind: 'MetricsAdapter',
  resource: 'metricsadapters',
  shortNames: ['ma'],
  categories: ['outrigger'],
  description: 'Configuration of a metrics adapter, which turns what applications send into one scrape page.',
  fields,
  required: ['spec'],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  validate: (object) => validateMetricsAdapterSpec(object.spec),
  columns: [
    {
      name: 'Listen',
      jsonPath: '.spec.listen',
      type: 'string',
      description: 'Address of the scrape page',
      priority: 0,
      cell: (object) => object.spec.listen,
    },
    {
      name: 'StatsD',
      jsonPath: '.spec.statsdUdp',
      type: 'string',
      description: 'UDP address for StatsD',
      priority: 0,
      cell: (object) => object.spec.statsdUdp,
    },
  ],
});
