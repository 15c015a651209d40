/** The adapter's configuration: the spec of a MetricsAdapter, with the control connection where presence is wanted. */

import {
  applySchemaDefaults,
  boolean,
  checkStructure,
  durationMs,
  metricsAdapterSpec,
  object,
  validateMetricsAdapterSpec,
} from '@outrigger/core/api';
import type { MetricsAdapterSpec, MetricsSource } from '@outrigger/core/api';
import type { Check } from '@outrigger/core/config';
import { InvalidConfig, refuseInvalid } from '@outrigger/core/config';
import { parseAddress } from '@outrigger/core/net';
import type { Address } from '@outrigger/core/net';
import { controlConnectionChecks, controlConnectionFields } from '@outrigger/core/watch';
import type { ControlConfig } from '@outrigger/core/watch';
import { adapterProblems } from './check.ts';
import type { OtlpConfig } from '../page/push.ts';
import { statsdConfigOf } from '../statsd/statsd.ts';
import type { StatsdConfig } from '../statsd/statsd.ts';

export const adapterSchema = object({
  ...metricsAdapterSpec.fields,
  ...controlConnectionFields,
  presence: boolean('keep a Lease that says this adapter is here, against foreign API servers too', {
    default: false,
  }),
});

export interface AdapterConfig {
  /** The scrape page. */
  readonly listen: Address;
  readonly admin: Address;
  readonly statsd: StatsdConfig;
  readonly sources: readonly MetricsSource[];
  /** A file of json_exporter's modules; or the modules themselves. */
  readonly jsonModules: string | undefined;
  readonly modules: unknown;
  /** Whom /probe may ask. */
  readonly probeAllow: readonly string[];
  /** File of the exporters' web configuration. */
  readonly webConfig: string | undefined;
  readonly otlp: OtlpConfig | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly timerBuckets: readonly number[];
  readonly maxSeries: number;
  readonly presence: boolean;
  readonly control: ControlConfig;
}

export const adapterChecks: Readonly<Record<string, Check>> = {
  ...controlConnectionChecks,
  listen: (value) => void parseAddress(String(value)),
  admin: (value) => void parseAddress(String(value)),
  statsdUdp: addressOrNothing,
  statsdTcp: addressOrNothing,
};

export function parseAdapterConfig(values: Readonly<Record<string, unknown>>): AdapterConfig {
  const spec = filled(values);
  refuseInvalid(validateMetricsAdapterSpec(spec, ''));
  const problems = adapterProblems(spec);
  if (problems.length > 0) throw new InvalidConfig(problems);
  return Object.freeze({
    listen: parseAddress(spec.listen),
    admin: parseAddress(spec.admin),
    statsd: statsdConfigOf(spec),
    sources: spec.sources ?? [],
    jsonModules: given(spec.jsonModules),
    modules: spec.modules,
    probeAllow: spec.probe.allow,
    webConfig: given(spec.webConfig),
    otlp: otlpOf(spec.otlp),
    labels: spec.labels ?? {},
    timerBuckets: spec.timerBuckets,
    maxSeries: spec.maxSeries,
    presence: spec.presence ?? false,
    control: spec,
  });
}

type Document = MetricsAdapterSpec & ControlConfig & { presence?: boolean };

/** With the defaults at every depth. Throws InvalidConfig for what is of a wrong type, or unknown, below the top. */
function filled(values: Readonly<Record<string, unknown>>): Document {
  const document = structuredClone(values) as Record<string, unknown>;
  applySchemaDefaults(adapterSchema, document);
  const { errors, unknown } = checkStructure(adapterSchema, document);
  const nested = unknown.map((path) => path.replace(/^\./, '')).filter((path) => /[.[]/.test(path));
  if (nested.length > 0)
    throw new InvalidConfig(
      nested.map((path) => ({ path, got: 'an unknown field', want: 'none of that name' })),
    );
  refuseInvalid(errors);
  return document as unknown as Document;
}

function addressOrNothing(value: unknown): string | undefined {
  return value === '' || parseAddress(String(value)).kind === 'tcp'
    ? undefined
    : 'HOST:PORT, or nothing to switch it off';
}

function given(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function otlpOf({ endpoint, interval, headers = {} }: MetricsAdapterSpec['otlp']): OtlpConfig | undefined {
  if (endpoint === undefined || endpoint === '') return undefined;
  return { endpoint, intervalMs: durationMs(interval, 'otlp.interval'), headers };
}
