/** The ambassador's configuration: the spec of a RedisAmbassador, turned into what the program uses. */

import {
  boolean,
  durationMs,
  invalid,
  object,
  redisAmbassadorSpec,
  required,
  validateRedisAmbassadorSpec,
} from '@outrigger/core/api';
import type { FieldError, RedisAmbassadorSpec, SecretSource } from '@outrigger/core/api';
import { refuseInvalid } from '@outrigger/core/config';
import type { Check } from '@outrigger/core/config';
import { OutriggerError } from '@outrigger/core/errors';
import { parseAddress } from '@outrigger/core/net';
import type { Address } from '@outrigger/core/net';
import { controlConnectionChecks, controlConnectionFields, hasControl } from '@outrigger/core/watch';
import type { ControlConfig } from '@outrigger/core/watch';
import { parseServer } from '../upstream/server.ts';
import type { ServerSpec } from '../upstream/server.ts';

export type ReadPolicy = RedisAmbassadorSpec['readPolicy'];
export type Consistency = RedisAmbassadorSpec['consistency'];

/** Where a password is read from; never the password itself. */
export type SecretFrom =
  { readonly from: 'file'; readonly path: string } | { readonly from: 'env'; readonly name: string };

export interface AmbassadorConfig {
  readonly listen: Address;
  readonly admin: Address;
  readonly primary: ServerSpec;
  readonly replicas: readonly ServerSpec[];
  /** ACL user at the servers; undefined is Redis' default user. */
  readonly username: string | undefined;
  readonly password: SecretFrom | undefined;
  /**
   * Who answers reads. `nearest` is `preferReplica` as long as nothing measures distance. `replica` never falls back:
   * without a usable replica a read waits `replicaWaitMs` and then fails.
   */
  readonly readPolicy: ReadPolicy;
  readonly consistency: Consistency;
  /** A replica whose last proven state is older takes no reads. Raised: more stale reads, fewer reads at the primary. */
  readonly maxLagMs: number;
  /** For servers written as `svc:`, and for presence. */
  readonly control: ControlConfig;
  /** A Lease also on API servers that are not Outrigger's. */
  readonly presence: boolean;
}

export const ambassadorSchema = object({
  ...redisAmbassadorSpec.fields,
  ...controlConnectionFields,
  presence: boolean('keep a Lease that says this ambassador is here, against foreign API servers too', {
    default: false,
  }),
});

type Values = RedisAmbassadorSpec & ControlConfig & { readonly presence?: boolean };

export const ambassadorChecks: Readonly<Record<string, Check>> = {
  ...controlConnectionChecks,
  listen: (value) => void parseAddress(String(value)),
  admin: (value) => void parseAddress(String(value)),
  primary: (value) => void parseServer(String(value)),
  replica: (value) => void parseServer(String(value)),
  maxLag: (value) => void durationMs(String(value), 'maxLag'),
};

/** Throws InvalidConfig with every problem. */
export function parseConfig(values: Readonly<Record<string, unknown>>): AmbassadorConfig {
  const spec = values as unknown as Values;
  refuseInvalid([...validateRedisAmbassadorSpec(spec, ''), ...ownRules(spec)]);
  return Object.freeze({
    listen: parseAddress(spec.listen),
    admin: parseAddress(spec.admin),
    primary: parseServer(spec.primary ?? ''),
    replicas: (spec.replica ?? []).map(parseServer),
    username: spec.username,
    password: secret(spec.passwordFrom),
    readPolicy: spec.readPolicy,
    consistency: spec.consistency,
    maxLagMs: durationMs(spec.maxLag, 'maxLag'),
    control: controlOf(spec),
    presence: spec.presence ?? false,
  });
}

/** The control connection alone, so that a reload can tell whether it changed. */
function controlOf(spec: Values): ControlConfig {
  const names = new Set([...Object.keys(controlConnectionFields), 'stateDir']);
  return Object.fromEntries(Object.entries(spec).filter(([name]) => names.has(name)));
}

/** What only the ambassador knows about its servers. */
function ownRules(spec: Values): FieldError[] {
  const replicas = spec.replica ?? [];
  const errors = [
    ...(spec.primary === undefined ? [] : unusable(spec.primary, 'primary')),
    ...replicas.flatMap((server, i) => unusable(server, `replica[${i}]`)),
  ];
  if (!hasControl(spec) && [spec.primary, ...replicas].some((server) => server?.startsWith('svc:'))) {
    errors.push(required('control', 'where the control service is, to follow servers written as svc:'));
  }
  if (spec.readPolicy === 'replica' && replicas.length === 0) {
    errors.push(required('replica', 'at least one, since readPolicy is replica'));
  }
  if (spec.username !== undefined && spec.passwordFrom === undefined) {
    errors.push(required('passwordFrom', 'the password of username'));
  }
  if (spec.passwordFrom?.secret !== undefined) {
    const detail = 'cannot be read by this version: mount the Secret and name its file';
    errors.push(invalid('passwordFrom.secret', spec.passwordFrom.secret, detail));
  }
  return errors;
}

function unusable(text: string, path: string): FieldError[] {
  try {
    parseServer(text);
    return [];
  } catch (error) {
    if (!(error instanceof OutriggerError)) throw error;
    // A bad address has been told by the common rules; what is told here names no password.
    return error.code === 'AMBASSADOR_SERVER_INVALID' ? [invalid(path, error.target, error.hint ?? '')] : [];
  }
}

function secret(source: SecretSource | undefined): SecretFrom | undefined {
  if (source?.file !== undefined) return { from: 'file', path: source.file };
  return source?.env === undefined ? undefined : { from: 'env', name: source.env };
}
