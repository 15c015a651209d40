/** outrigger.dev/v1alpha1 MetricsAdapter: the configuration of a metrics adapter. */

import type { Infer } from '../build.ts';
import { any, boolean, describe, integer, list, map, number, object, string } from '../build.ts';
import { daemonFields } from './daemon.ts';
import { validateMetricsAdapterSpec } from '../rules/own.ts';
import type { ObjectWith } from './define.ts';
import { defineKind } from './define.ts';
import { conditions } from './meta.ts';
import { metricsSources } from './metrics-sources.ts';

const statsd = object(
  {
    tagStyles: list(
      string('A style', { enum: ['dogstatsd', 'influxdb', 'librato', 'signalfx'] }),
      'Ways of writing tags that are understood',
      { default: ['dogstatsd', 'influxdb', 'librato', 'signalfx'] },
    ),
    containerId: boolean('Make a label container_id of the container that DogStatsD clients name', {
      default: false,
    }),
    receiveBuffer: string('SO_RCVBUF of the UDP socket; the kernel caps it at net.core.rmem_max', {
      format: 'size',
      default: '4MiB',
    }),
    maxConnections: integer('TCP and unix connections at most', { default: 1024, minimum: 1 }),
    maxLineLength: string('Longer lines are skipped', { format: 'size', default: '64KiB' }),
    cacheSize: integer('Distinct names with their tags whose series are remembered', {
      default: 100_000,
      minimum: 0,
    }),
  },
  {
    required: ['tagStyles', 'containerId', 'receiveBuffer', 'maxConnections', 'maxLineLength', 'cacheSize'],
    description: 'How StatsD is read',
    default: {},
  },
);

const otlp = object(
  {
    endpoint: string('http(s) URL of an OpenTelemetry collector; nothing is pushed if absent'),
    interval: string('How often everything is pushed', { format: 'duration', default: '60s' }),
    headers: map(string(), 'Headers sent along'),
  },
  { required: ['interval'], description: 'OTLP push of what the page shows', default: {} },
);

const probe = object(
  {
    allow: list(string(), 'Hosts, addresses and CIDRs that /probe may be pointed at', {
      default: ['127.0.0.0/8', '::1/128', 'localhost'],
      maxItems: 256,
    }),
  },
  { required: ['allow'], description: 'The page /probe?target=URL&module=NAME', default: {} },
);

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
    statsdTcp: string('TCP address for StatsD lines; off if empty', {
      default: '127.0.0.1:9125',
      keepEmpty: true,
    }),
    statsdUnix: string('Path of a unix stream socket for StatsD lines'),
    statsdMapping: string("statsd_exporter's mapping: a YAML file, read again when it changes"),
    mapping: any('The same as an object, instead of statsdMapping'),
    statsd,
    jsonModules: string("json_exporter's configuration: a YAML file, read again when it changes"),
    modules: any('Its modules as an object, instead of jsonModules'),
    sources: metricsSources,
    probe,
    webConfig: string("The Prometheus exporters' web configuration (TLS, users, headers): a YAML file"),
    otlp,
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
    required: [
      ...(['listen', 'admin', 'statsdUdp', 'statsdTcp', 'statsd', 'probe', 'otlp'] as const),
      ...(['timerBuckets', 'maxSeries', 'drainTimeout', 'logLevel'] as const),
    ],
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
