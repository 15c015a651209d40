/** What only the ambassador knows of its configuration, beside the rules of the kind: servers it cannot reach, Secrets. */

import { invalid, required, splitServers } from '@outrigger/core/api';
import type { FieldError, RedisRoute, SecretSource } from '@outrigger/core/api';
import { OutriggerError } from '@outrigger/core/errors';
import { hasControl } from '@outrigger/core/watch';
import { parseServer } from '../upstream/server.ts';
import type { AmbassadorValues } from './config.ts';

export function ownRules(spec: AmbassadorValues): FieldError[] {
  const upstreams = [
    { of: spec, path: '' },
    ...(spec.routes ?? []).map((route, i) => ({ of: route, path: `routes[${i}].` })),
  ];
  const servers = upstreams.flatMap(({ of, path }) => serversOf(of, path));
  const errors = servers.flatMap(({ text, path }) => unusable(text, path));
  if (!hasControl(spec) && servers.some(({ text }) => text.startsWith('svc:'))) {
    errors.push(required('control', 'where the control service is, to follow servers written as svc:'));
  }
  return [
    ...errors,
    ...upstreams.flatMap(({ of, path }) => [
      ...noSecret(of.passwordFrom, `${path}passwordFrom`),
      ...noSecret(of.sentinelPasswordFrom, `${path}sentinelPasswordFrom`),
    ]),
    ...(spec.users ?? []).flatMap((user, i) => noSecret(user.passwordFrom, `users[${i}].passwordFrom`)),
  ];
}

interface Named {
  readonly text: string;
  readonly path: string;
}

type Upstream = Pick<
  RedisRoute,
  'primary' | 'replica' | 'sentinel' | 'cluster' | 'passwordFrom' | 'sentinelPasswordFrom'
>;

function serversOf({ primary, replica, sentinel, cluster }: Upstream, path: string): Named[] {
  const list = (name: string, servers: readonly string[]): Named[] =>
    servers.map((text, i) => ({ text, path: `${path}${name}[${i}]` }));
  return [
    ...(primary === undefined ? [] : [{ text: primary, path: `${path}primary` }]),
    ...list('replica', replica ?? []),
    ...list('sentinel', splitServers(sentinel)),
    ...list('cluster', splitServers(cluster)),
  ];
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

function noSecret(source: SecretSource | undefined, path: string): FieldError[] {
  if (source?.secret === undefined) return [];
  const detail = 'cannot be read by this version: mount the Secret and name its file';
  return [invalid(`${path}.secret`, source.secret, detail)];
}
