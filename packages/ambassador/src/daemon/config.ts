/** The ambassador's configuration: the spec of a RedisAmbassador, turned into what the program uses. */

import {
  applySchemaDefaults,
  boolean,
  checkStructure,
  durationMs,
  forbidden,
  object,
  prune,
  redisAmbassadorSpec,
  splitServers,
  validateRedisAmbassadorSpec,
} from '@outrigger/core/api';
import type { RedisAmbassadorSpec, RedisRoute, RedisUser, SecretSource } from '@outrigger/core/api';
import { refuseInvalid } from '@outrigger/core/config';
import type { Check } from '@outrigger/core/config';
import { parseAddress } from '@outrigger/core/net';
import type { Address } from '@outrigger/core/net';
import { controlConnectionChecks, controlConnectionFields } from '@outrigger/core/watch';
import type { ControlConfig } from '@outrigger/core/watch';
import type { SlowLogOptions } from '../observe/slow-log.ts';
import { parseServer } from '../upstream/server.ts';
import type { ServerSpec } from '../upstream/server.ts';
import { ownRules } from './config-rules.ts';
import { readLimits } from './limits.ts';
import type { AmbassadorLimits } from './limits.ts';

export type ReadPolicy = RedisAmbassadorSpec['readPolicy'];
export type Consistency = RedisAmbassadorSpec['consistency'];

/** Where a password is read from; never the password itself. */
export type SecretFrom =
  { readonly from: 'file'; readonly path: string } | { readonly from: 'env'; readonly name: string };

/** Who to log in as; `username` undefined is Redis' default user, `password` undefined no login at all. */
export interface Login {
  readonly username: string | undefined;
  readonly password: SecretFrom | undefined;
}

/** Where servers come from: what a realm (topology/realm.ts) is made of. */
export type UpstreamSpec =
  | { readonly kind: 'static'; readonly primary: ServerSpec; readonly replicas: readonly ServerSpec[] }
  /** One Service may have all servers: who is what, they are asked. */
  | { readonly kind: 'service'; readonly servers: readonly ServerSpec[] }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly ServerSpec[];
      readonly master: string;
      /** At the Sentinels; at the servers it is the `login` of the whole or of the route. */
      readonly sentinelLogin: Login;
    }
  | { readonly kind: 'cluster'; readonly seeds: readonly ServerSpec[] };

/** Keys that begin with `prefix` are elsewhere. */
export interface RouteSpec {
  readonly prefix: Buffer;
  readonly upstream: UpstreamSpec;
  /** Its own, or that of the whole where it has none. */
  readonly login: Login;
  readonly readPolicy: ReadPolicy;
  readonly consistency: Consistency;
}

/** Names of commands in upper case, `NAME` or `NAME|SUBCOMMAND`; no `allow` is everything. */
export interface CommandLists {
  readonly readOnly: boolean;
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

export interface UserSpec extends CommandLists {
  readonly name: string;
  readonly password: SecretFrom;
}

export interface ListenerTls {
  readonly certFile: string;
  readonly keyFile: string;
  /** Present: clients must show a certificate of one of these authorities. */
  readonly clientCaFile: string | undefined;
}

export interface ServerTls {
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly serverName: string | undefined;
}

export interface AmbassadorConfig {
  readonly listen: Address;
  readonly admin: Address;
  readonly upstream: UpstreamSpec;
  /** At the servers. */
  readonly login: Login;
  /**
   * Who answers reads. `nearest` prefers servers of `zone`. `replica` never falls back: without a usable replica a read
   * waits `replicaWaitMs` and then fails.
   */
  readonly readPolicy: ReadPolicy;
  readonly consistency: Consistency;
  /** A replica whose last proven state is older takes no reads. Raised: more stale reads, fewer reads at the primary. */
  readonly maxLagMs: number;
  /** '' when not told. */
  readonly zone: string;
  /** Replicas that must have a write before its answer; 0: none is asked. */
  readonly writeAcks: number;
  readonly writeAcksTimeoutMs: number;
  /** How long a command waits for a primary; 0: not at all. */
  readonly failoverWaitMs: number;
  readonly allowNonAtomicMset: boolean;
  /** Longest prefix first. */
  readonly routes: readonly RouteSpec[];
  /** Not empty: AUTH ends here (access/auth.ts). */
  readonly users: readonly UserSpec[];
  /** For every client, before what its user may. */
  readonly commands: CommandLists;
  readonly tls: ListenerTls | undefined;
  /** Undefined: TLS to `rediss://` servers alone. Otherwise to every server but `redis://` and unix sockets. */
  readonly serverTls: ServerTls | undefined;
  readonly limits: AmbassadorLimits;
  readonly slowLog: SlowLogOptions;
  readonly tracing: { readonly endpoint: string | undefined; readonly sample: number };
  /** For servers written as `svc:`, and for presence. */
  readonly control: ControlConfig;
  /** A Lease also on API servers that are not Outrigger's. */
  readonly presence: boolean;
}

export const ambassadorSchema = object(
  {
    ...redisAmbassadorSpec.fields,
    ...controlConnectionFields,
    presence: boolean('keep a Lease that says this ambassador is here, against foreign API servers too', {
      default: false,
    }),
  },
  { required: [] },
);

export type AmbassadorValues = RedisAmbassadorSpec & ControlConfig & { readonly presence?: boolean };

const eachServer: Check = (value) => splitServers([String(value)]).forEach((server) => parseServer(server));
const duration =
  (field: string): Check =>
  (value) =>
    void durationMs(String(value), field);

export const ambassadorChecks: Readonly<Record<string, Check>> = {
  ...controlConnectionChecks,
  listen: (value) => void parseAddress(String(value)),
  admin: (value) => void parseAddress(String(value)),
  primary: (value) => void parseServer(String(value)),
  replica: (value) => void parseServer(String(value)),
  sentinel: eachServer,
  cluster: eachServer,
  maxLag: duration('maxLag'),
  writeAcksTimeout: duration('writeAcksTimeout'),
  failoverWait: duration('failoverWait'),
};

/** Throws InvalidConfig with every problem. */
export function parseConfig(values: Readonly<Record<string, unknown>>): AmbassadorConfig {
  const { errors, unknown } = checkStructure(redisAmbassadorSpec, withoutControl(values));
  // The loader has told what is wrong with given values, and knows the fields of the whole; what is missing may have come
  // from a flag, and what is unknown lies deeper.
  refuseInvalid([...errors, ...unknown.map((path) => forbidden(path, 'is an unknown field'))]);
  const known = prune(ambassadorSchema, values);
  applySchemaDefaults(ambassadorSchema, known);
  const spec = { ...controlOf(values), ...known } as unknown as AmbassadorValues;
  refuseInvalid([...validateRedisAmbassadorSpec(spec, ''), ...ownRules(spec)]);
  return Object.freeze(configOf(spec));
}

function configOf(spec: AmbassadorValues): AmbassadorConfig {
  const { readPolicy, consistency, slowLog } = spec;
  const login = loginOf(spec.username, spec.passwordFrom);
  // A scheme that is left out means TLS once there is `serverTls`.
  const tls = spec.serverTls !== undefined;
  return {
    listen: parseAddress(spec.listen),
    admin: parseAddress(spec.admin),
    upstream: upstreamOf(spec, tls),
    login,
    readPolicy,
    consistency,
    maxLagMs: durationMs(spec.maxLag, 'maxLag'),
    zone: spec.zone ?? '',
    writeAcks: spec.writeAcks,
    writeAcksTimeoutMs: durationMs(spec.writeAcksTimeout, 'writeAcksTimeout'),
    failoverWaitMs: durationMs(spec.failoverWait, 'failoverWait'),
    allowNonAtomicMset: spec.allowNonAtomicMset,
    routes: (spec.routes ?? [])
      .map((route) => routeOf(route, { tls, login, readPolicy, consistency }))
      .toSorted((a, b) => b.prefix.length - a.prefix.length),
    users: (spec.users ?? []).map(userOf),
    commands: listsOf(spec.readOnly, spec.allowCommands, spec.denyCommands),
    tls: listenerTls(spec.tls),
    serverTls: serverTls(spec.serverTls),
    limits: readLimits(spec.limits),
    slowLog: {
      thresholdMs: durationMs(slowLog.threshold, 'slowLog.threshold'),
      entries: slowLog.entries,
      keys: slowLog.keys,
    },
    tracing: { endpoint: spec.tracing.endpoint, sample: spec.tracing.sample },
    control: controlOf(spec),
    presence: spec.presence ?? false,
  };
}

function upstreamOf(spec: RedisAmbassadorSpec | RedisRoute, tls: boolean): UpstreamSpec {
  const parse = (server: string): ServerSpec => parseServer(server, { tls });
  const sentinels = splitServers(spec.sentinel);
  if (sentinels.length > 0) {
    return {
      kind: 'sentinel',
      sentinels: sentinels.map((server) => parseServer(server, { tls, port: sentinelPort })),
      master: spec.master ?? '',
      sentinelLogin: loginOf(spec.sentinelUsername, spec.sentinelPasswordFrom),
    };
  }
  if (spec.primary === undefined) return { kind: 'cluster', seeds: splitServers(spec.cluster).map(parse) };
  const primary = parse(spec.primary);
  const replicas = (spec.replica ?? []).map(parse);
  if (primary.kind === 'service' && replicas.length === 0) return { kind: 'service', servers: [primary] };
  return { kind: 'static', primary, replicas };
}

const sentinelPort = 26_379;

function routeOf(
  route: RedisRoute,
  whole: Pick<RouteSpec, 'login' | 'readPolicy' | 'consistency'> & { readonly tls: boolean },
): RouteSpec {
  return {
    prefix: Buffer.from(route.prefix),
    upstream: upstreamOf(route, whole.tls),
    login: route.passwordFrom === undefined ? whole.login : loginOf(route.username, route.passwordFrom),
    readPolicy: route.readPolicy ?? whole.readPolicy,
    consistency: route.consistency ?? whole.consistency,
  };
}

function userOf({ name, passwordFrom, readOnly, allow, deny }: RedisUser): UserSpec {
  return { name, password: secret(passwordFrom) as SecretFrom, ...listsOf(readOnly, allow, deny) };
}

function listsOf(
  readOnly: boolean,
  allow: readonly string[] = [],
  deny: readonly string[] = [],
): CommandLists {
  const upper = (names: readonly string[]): string[] => names.map((name) => name.toUpperCase());
  return { readOnly, allow: upper(allow), deny: upper(deny) };
}

function listenerTls(tls: RedisAmbassadorSpec['tls']): ListenerTls | undefined {
  return tls === undefined
    ? undefined
    : { certFile: tls.certFile, keyFile: tls.keyFile, clientCaFile: tls.clientCaFile };
}

function serverTls(tls: RedisAmbassadorSpec['serverTls']): ServerTls | undefined {
  if (tls === undefined) return undefined;
  const { caFile, certFile, keyFile, serverName } = tls;
  return { caFile, certFile, keyFile, serverName };
}

const controlNames = [...Object.keys(controlConnectionFields), 'stateDir', 'inClusterAddress'];

/** The control connection alone, so that a reload can tell whether it changed. */
function controlOf(values: object): ControlConfig {
  return Object.fromEntries(Object.entries(values).filter(([name]) => controlNames.includes(name)));
}

function withoutControl(values: object): object {
  const known = redisAmbassadorSpec.fields;
  return Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(known, name)));
}

function loginOf(username: string | undefined, source: SecretSource | undefined): Login {
  return { username, password: secret(source) };
}

function secret(source: SecretSource | undefined): SecretFrom | undefined {
  if (source?.file !== undefined) return { from: 'file', path: source.file };
  return source?.env === undefined ? undefined : { from: 'env', name: source.env };
}
