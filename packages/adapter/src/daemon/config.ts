/** The adapter's configuration: the spec of a MetricsAdapter, with the control connection where presence is wanted. */

import { boolean, metricsAdapterSpec, object, validateMetricsAdapterSpec } from '@outrigger/core/api';
import type { MetricsAdapterSpec } from '@outrigger/core/api';
import type { Check } from '@outrigger/core/config';
import { refuseInvalid } from '@outrigger/core/config';
import { parseAddress } from '@outrigger/core/net';
import type { Address, TcpAddress } from '@outrigger/core/net';
import { controlConnectionChecks, controlConnectionFields } from '@outrigger/core/watch';
import type { ControlConfig } from '@outrigger/core/watch';

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
  /** Undefined: no StatsD. */
  readonly statsdUdp: TcpAddress | undefined;
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
  statsdUdp: (value) =>
    value === '' || parseAddress(String(value)).kind === 'tcp'
      ? undefined
      : 'HOST:PORT, or nothing to switch it off',
};

export function parseAdapterConfig(values: Readonly<Record<string, unknown>>): AdapterConfig {
  const spec = values as unknown as MetricsAdapterSpec & ControlConfig & { presence?: boolean };
  refuseInvalid(validateMetricsAdapterSpec(spec, ''));
  return Object.freeze({
    listen: parseAddress(spec.listen),
    admin: parseAddress(spec.admin),
    statsdUdp: spec.statsdUdp === '' ? undefined : (parseAddress(spec.statsdUdp) as TcpAddress),
    labels: spec.labels ?? {},
    timerBuckets: spec.timerBuckets,
    maxSeries: spec.maxSeries,
    presence: spec.presence ?? false,
    control: spec,
  });
}
