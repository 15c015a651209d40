/** Rules of RedisAmbassador: what its schema cannot say. */

import type { RedisAmbassadorSpec, RedisRoute, RedisUser } from '../kinds/redisambassador.ts';
import type { RedisLimits } from '../kinds/redis-limits.ts';
import { child, duplicate, forbidden, invalid, item, required } from '../problems.ts';
import type { FieldError } from '../schema.ts';
import { parseSize } from '../size.ts';
import { ms, positive, validateListen, validateSecretSource, validateServer } from './own-fields.ts';
import { repeated } from './ports.ts';

/** Which servers: the fields that the whole and each of its routes have. */
type Upstream = Pick<
  RedisRoute,
  | 'primary'
  | 'replica'
  | 'sentinel'
  | 'master'
  | 'sentinelUsername'
  | 'sentinelPasswordFrom'
  | 'cluster'
  | 'username'
  | 'passwordFrom'
  | 'readPolicy'
>;

/** Commands that no list takes away, as in Redis: without them nobody could log in or leave. */
const alwaysAllowed: ReadonlySet<string> = new Set(['AUTH', 'HELLO', 'QUIT', 'RESET']);

/** A spec is checked by itself too: `--config` reads it without an object around it. `path` is then ''. */
export function validateRedisAmbassadorSpec(spec: RedisAmbassadorSpec, path = 'spec'): FieldError[] {
  const at = (name: string): string => child(path, name);
  return [
    ...validateListen(spec.listen, at('listen')),
    ...validateListen(spec.admin, at('admin')),
    ...validateUpstream(spec, path),
    ...positive(spec.maxLag, at('maxLag')),
    ...positive(spec.writeAcksTimeout, at('writeAcksTimeout')),
    ...(spec.routes ?? []).flatMap((route, index) =>
      validateUpstream(
        { ...route, readPolicy: route.readPolicy ?? spec.readPolicy },
        item(at('routes'), index),
      ),
    ),
    ...repeated(spec.routes ?? [], ({ prefix }) => prefix).map((index) =>
      duplicate(child(item(at('routes'), index), 'prefix'), spec.routes?.[index]?.prefix),
    ),
    ...(spec.users ?? []).flatMap((user, index) => validateUser(user, item(at('users'), index))),
    ...repeated(spec.users ?? [], ({ name }) => name).map((index) =>
      duplicate(child(item(at('users'), index), 'name'), spec.users?.[index]?.name),
    ),
    ...validateCommandLists(spec.allowCommands, spec.denyCommands, at('allowCommands'), at('denyCommands')),
    ...validateServerTls(spec.serverTls, at('serverTls')),
    ...validateLimits(spec.limits, at('limits')),
    ...validateEndpoint(spec.tracing.endpoint, child(at('tracing'), 'endpoint')),
  ];
}

/** `A,B` in one value is two servers: what a repeated flag and a list in a document may hold alike. */
export function splitServers(values: readonly string[] | undefined): string[] {
  return (values ?? [])
    .flatMap((value) => value.split(','))
    .map((server) => server.trim())
    .filter((server) => server !== '');
}

function validateUpstream(upstream: Upstream, path: string): FieldError[] {
  const { primary, username, passwordFrom, sentinelPasswordFrom } = upstream;
  const at = (name: string): string => child(path, name);
  const errors = [
    ...exactlyOne(upstream, path),
    ...sentinelRules(upstream, path),
    ...(primary === undefined ? [] : validateServer(primary, at('primary'))),
    ...validateServers(upstream.replica ?? [], at('replica')),
    ...validateServers(splitServers(upstream.sentinel), at('sentinel')),
    ...validateServers(splitServers(upstream.cluster), at('cluster')),
    ...validateSecretSource(passwordFrom, at('passwordFrom')),
    ...validateSecretSource(sentinelPasswordFrom, at('sentinelPasswordFrom')),
  ];
  if (username !== undefined && passwordFrom === undefined) {
    errors.push(required(at('passwordFrom'), 'the password of username'));
  }
  const noReplica = (upstream.replica ?? []).length === 0 && primary?.startsWith('svc:') === false;
  if (upstream.readPolicy === 'replica' && noReplica) {
    errors.push(required(at('replica'), 'at least one, since readPolicy is replica'));
  }
  return errors;
}

function exactlyOne(upstream: Upstream, path: string): FieldError[] {
  const { primary, replica, master } = upstream;
  const given = (['primary', 'sentinel', 'cluster'] as const).filter((name) =>
    name === 'primary' ? primary !== undefined : splitServers(upstream[name]).length > 0,
  );
  const [first] = given;
  if (first === undefined && master === undefined) {
    return [
      required(child(path, 'primary'), 'the server that takes writes; or sentinel and master; or cluster'),
    ];
  }
  const errors = given
    .slice(1)
    .map((name) => forbidden(child(path, name), `may not be set together with \`${first}\``));
  if (first !== 'primary' && (replica ?? []).length > 0) {
    errors.push(forbidden(child(path, 'replica'), 'may be set together with `primary` only'));
  }
  return errors;
}

function sentinelRules(upstream: Upstream, path: string): FieldError[] {
  const { master, sentinelUsername, sentinelPasswordFrom } = upstream;
  const at = (name: string): string => child(path, name);
  if (splitServers(upstream.sentinel).length === 0) {
    const besideSentinel = (name: string, value: unknown): FieldError[] =>
      value === undefined ? [] : [forbidden(at(name), 'may be set together with `sentinel` only')];
    return [
      ...(master === undefined ? [] : [required(at('sentinel'), 'the Sentinels that watch `master`')]),
      ...besideSentinel('sentinelUsername', sentinelUsername),
      ...besideSentinel('sentinelPasswordFrom', sentinelPasswordFrom),
    ];
  }
  const nameless = master === undefined;
  const wordless = sentinelUsername !== undefined && sentinelPasswordFrom === undefined;
  return [
    ...(nameless ? [required(at('master'), 'the name by which the Sentinels know the primary')] : []),
    ...(wordless ? [required(at('sentinelPasswordFrom'), 'the password of sentinelUsername')] : []),
  ];
}

function validateServers(servers: readonly string[], path: string): FieldError[] {
  return [
    ...servers.flatMap((server, index) => validateServer(server, item(path, index))),
    ...repeated(servers, (server) => server).map((index) => duplicate(item(path, index), servers[index])),
  ];
}

function validateUser(user: RedisUser, path: string): FieldError[] {
  const { name, passwordFrom, allow, deny } = user;
  const spaced = /[\s\0]/.test(name);
  return [
    ...(spaced ? [invalid(child(path, 'name'), name, 'must not contain white space')] : []),
    ...validateSecretSource(passwordFrom, child(path, 'passwordFrom')),
    ...validateCommandLists(allow, deny, child(path, 'allow'), child(path, 'deny')),
  ];
}

function validateCommandLists(
  allow: readonly string[] = [],
  deny: readonly string[] = [],
  allowPath: string,
  denyPath: string,
): FieldError[] {
  const allowed = new Set(allow.map((name) => name.toUpperCase()));
  const both = deny.flatMap((name, index) => (allowed.has(name.toUpperCase()) ? [index] : []));
  return [
    ...allow.flatMap((name, index) => validateCommandName(name, item(allowPath, index))),
    ...deny.flatMap((name, index) => validateCommandName(name, item(denyPath, index))),
    ...deny.flatMap((name, index) =>
      alwaysAllowed.has(name.toUpperCase())
        ? [invalid(item(denyPath, index), name, 'is always allowed, or nobody could log in or leave')]
        : [],
    ),
    ...both.map((index) => invalid(item(denyPath, index), deny[index], 'is allowed by the other list')),
  ];
}

function validateCommandName(name: string, path: string): FieldError[] {
  if (name.startsWith('@')) {
    const detail = 'categories are not known here: name the commands; `readOnly` refuses all that may write';
    return [invalid(path, name, detail)];
  }
  if (/^[A-Za-z_][\w.-]*(\|[\w.-]+)?$/.test(name)) return [];
  return [invalid(path, name, 'must be the name of a command, such as FLUSHALL, CONFIG or CONFIG|SET')];
}

function validateServerTls(tls: RedisAmbassadorSpec['serverTls'], path: string): FieldError[] {
  if (tls === undefined || (tls.certFile === undefined) === (tls.keyFile === undefined)) return [];
  const missing = tls.certFile === undefined ? 'certFile' : 'keyFile';
  return [required(child(path, missing), 'a certificate and its key belong together')];
}

function validateLimits(limits: RedisLimits, path: string): FieldError[] {
  const errors = (['handshakeTimeout', 'connectTimeout', 'pollInterval', 'pollTimeout'] as const).flatMap(
    (name) => positive(limits[name], child(path, name)),
  );
  for (const name of ['maxBulkBytes', 'maxInlineBytes', 'maxHeldBytes', 'maxClientOutputBytes'] as const) {
    const least = leastBytes[name];
    if (bytes(limits[name]) >= least) continue;
    errors.push(invalid(child(path, name), limits[name], `must be at least ${least} bytes`));
  }
  if (bytes(limits.maxBufferedBytes) < bytes(limits.maxClientOutputBytes)) {
    const detail = 'must not be smaller than `maxClientOutputBytes`, which would never be reached';
    errors.push(invalid(child(path, 'maxBufferedBytes'), limits.maxBufferedBytes, detail));
  }
  if (ms(limits.idleTimeout) > 0 && ms(limits.idleTimeout) < 1000) {
    errors.push(invalid(child(path, 'idleTimeout'), limits.idleTimeout, 'must be 0s or at least 1s'));
  }
  return errors;
}

/** Below these, what every client library sends at connect would not pass. */
const leastBytes = {
  maxBulkBytes: 1024,
  maxInlineBytes: 1024,
  maxHeldBytes: 1024,
  maxClientOutputBytes: 16_384,
};

/** The structure has been checked: what is no size has been refused already. */
function bytes(size: string): number {
  return parseSize(size) ?? 0;
}

function validateEndpoint(endpoint: string | undefined, path: string): FieldError[] {
  if (endpoint === undefined) return [];
  const protocol = URL.canParse(endpoint) ? new URL(endpoint).protocol : '';
  if (protocol === 'http:' || protocol === 'https:') return [];
  return [invalid(path, endpoint, 'must be an http or https URL')];
}
