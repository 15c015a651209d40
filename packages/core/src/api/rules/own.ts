/** Rules of TrafficPolicy and MetricsAdapter. */

import { dns1035Label, dns1123Label } from '../names.ts';
import {
  child,
  duplicate,
  forbidden,
  invalid,
  invalidBy,
  item,
  notSupported,
  required,
} from '../problems.ts';
import type { FieldError } from '../schema.ts';
import type { MetricsAdapterSpec } from '../kinds/metricsadapter.ts';
import { sourceKinds } from '../kinds/metrics-sources.ts';
import type { MetricsSource } from '../kinds/metrics-sources.ts';
import type { TargetRef, TrafficPolicySpec } from '../kinds/trafficpolicy.ts';
import { ms, positive, validateListen } from './own-fields.ts';
import { repeated } from './ports.ts';

/** Specs are checked by themselves too: `--config` reads them without an object around them. `path` is then ''. */
export function validateTrafficPolicySpec(spec: TrafficPolicySpec, path = 'spec'): FieldError[] {
  const { ejection, connectionLimit, targetRefs } = spec;
  const refs = child(path, 'targetRefs');
  const keys = ({ kind, name, sectionName }: TargetRef): string => `${kind}/${name}/${sectionName ?? ''}`;
  const errors = [
    ...targetRefs.flatMap((ref, index) => validateTarget(ref, item(refs, index))),
    ...repeated(targetRefs, keys).map((index) => duplicate(item(refs, index), targetRefs[index])),
    ...positive(spec.connectTimeout, child(path, 'connectTimeout')),
    ...positive(ejection.baseEjectionTime, child(path, 'ejection.baseEjectionTime')),
  ];
  if (ms(ejection.maxEjectionTime) < ms(ejection.baseEjectionTime)) {
    const detail = 'must not be shorter than `baseEjectionTime`';
    errors.push(invalid(child(path, 'ejection.maxEjectionTime'), ejection.maxEjectionTime, detail));
  }
  const { total, perEndpoint } = connectionLimit;
  if (total > 0 && perEndpoint > total) {
    const detail = 'must not be greater than `total`, which would never let it be reached';
    errors.push(invalid(child(path, 'connectionLimit.perEndpoint'), perEndpoint, detail));
  }
  return errors;
}

export function validateMetricsAdapterSpec(spec: MetricsAdapterSpec, path = 'spec'): FieldError[] {
  const buckets = spec.timerBuckets;
  const bucketPath = child(path, 'timerBuckets');
  const unordered = buckets.flatMap((bound, index) =>
    bound > (buckets[index - 1] ?? -Infinity) ? [] : [index],
  );
  return [
    ...validateListen(spec.listen, child(path, 'listen')),
    ...validateListen(spec.admin, child(path, 'admin')),
    ...(spec.statsdUdp === '' ? [] : validateListen(spec.statsdUdp, child(path, 'statsdUdp'))),
    ...(spec.statsdTcp === '' ? [] : validateListen(spec.statsdTcp, child(path, 'statsdTcp'))),
    ...(spec.sources ?? []).flatMap((source, index) =>
      validateSource(source, item(child(path, 'sources'), index)),
    ),
    ...Object.keys(spec.labels ?? {}).flatMap((name) =>
      validateMetricLabel(name, item(child(path, 'labels'), name)),
    ),
    ...unordered.map((index) =>
      invalid(item(bucketPath, index), buckets[index], 'must be greater than the bound before it'),
    ),
  ];
}

function validateSource(source: MetricsSource, path: string): FieldError[] {
  const [kind, ...more] = sourceKinds.filter((name) => source[name] !== undefined);
  return [
    ...(kind === undefined ? [required(path, `exactly one of ${sourceKinds.join(', ')}`)] : []),
    ...more.map((name) => forbidden(child(path, name), `a source has one kind, and this one has ${kind}`)),
    ...positive(source.timeout, child(path, 'timeout')),
    ...Object.keys(source.labels ?? {}).flatMap((name) =>
      validateMetricLabel(name, item(child(path, 'labels'), name)),
    ),
  ];
}

function validateTarget(ref: TargetRef, path: string): FieldError[] {
  const { group, name, sectionName } = ref;
  return [
    ...(group === '' ? [] : [notSupported(child(path, 'group'), group, [''])]),
    ...invalidBy(child(path, 'name'), name, dns1035Label(name)),
    ...(sectionName === undefined
      ? []
      : invalidBy(child(path, 'sectionName'), sectionName, dns1123Label(sectionName))),
  ];
}

function validateMetricLabel(name: string, path: string): FieldError[] {
  if (name.startsWith('__')) return [invalid(path, name, "must not begin with '__', which is reserved")];
  if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) return [];
  return [invalid(path, name, "must consist of letters, digits and '_', and must not begin with a digit")];
}
