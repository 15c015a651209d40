/** Rules of Outrigger's own kinds. */

import { parseDuration } from '../duration.ts';
import { dns1035Label, dns1123Label } from '../names.ts';
import { parseAddress, parseTarget } from '../../net/address.ts';
import { describeError } from '../../errors/index.ts';
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
import type { SecretSource } from '../kinds/daemon.ts';
import type { MetricsAdapterSpec } from '../kinds/metricsadapter.ts';
import type { RedisAmbassadorSpec } from '../kinds/redisambassador.ts';
import type { TargetRef, TrafficPolicySpec } from '../kinds/trafficpolicy.ts';
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

export function validateRedisAmbassadorSpec(spec: RedisAmbassadorSpec, path = 'spec'): FieldError[] {
  const primary = child(path, 'primary');
  return [
    ...validateListen(spec.listen, child(path, 'listen')),
    ...validateListen(spec.admin, child(path, 'admin')),
    ...(spec.primary === undefined
      ? [required(primary, 'the server that takes writes')]
      : validateServer(spec.primary, primary)),
    ...(spec.replica ?? []).flatMap((server, index) =>
      validateServer(server, item(child(path, 'replica'), index)),
    ),
    ...repeated(spec.replica ?? [], (server) => server).map((index) =>
      duplicate(item(child(path, 'replica'), index), spec.replica?.[index]),
    ),
    ...validateSecretSource(spec.passwordFrom, child(path, 'passwordFrom')),
    ...positive(spec.maxLag, child(path, 'maxLag')),
  ];
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
    ...Object.keys(spec.labels ?? {}).flatMap((name) =>
      validateMetricLabel(name, item(child(path, 'labels'), name)),
    ),
    ...unordered.map((index) =>
      invalid(item(bucketPath, index), buckets[index], 'must be greater than the bound before it'),
    ),
  ];
}

/** Exactly one place to read a password from. */
export function validateSecretSource(source: SecretSource | undefined, path: string): FieldError[] {
  if (source === undefined) return [];
  const given = (['file', 'env', 'secret'] as const).filter((field) => source[field] !== undefined);
  if (given.length === 0) return [required(path, 'one of `file`, `env` or `secret`')];
  const errors = given
    .slice(1)
    .map((field) => forbidden(child(path, field), `may not be set together with \`${given[0]}\``));
  if (source.secret !== undefined && !/^[^/\s]+\/[^/\s]+$/.test(source.secret)) {
    errors.push(invalid(child(path, 'secret'), source.secret, 'must be NAME/KEY of a Secret'));
  }
  return errors;
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

function validateListen(address: string | undefined, path: string): FieldError[] {
  return address === undefined ? [] : addressErrors(address, path, parseAddress);
}

function validateServer(address: string, path: string): FieldError[] {
  return addressErrors(address, path, parseTarget);
}

function addressErrors(address: string, path: string, parse: (text: string) => unknown): FieldError[] {
  try {
    parse(address);
    return [];
  } catch (error) {
    return [invalid(path, address, describeError(error))];
  }
}

function validateMetricLabel(name: string, path: string): FieldError[] {
  if (name.startsWith('__')) return [invalid(path, name, "must not begin with '__', which is reserved")];
  if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) return [];
  return [invalid(path, name, "must consist of letters, digits and '_', and must not begin with a digit")];
}

function positive(duration: string, path: string): FieldError[] {
  return ms(duration) > 0 ? [] : [invalid(path, duration, 'must be greater than 0s')];
}

/** The structure has been checked: what is no duration has been refused already. */
function ms(duration: string): number {
  return parseDuration(duration) ?? 0;
}
