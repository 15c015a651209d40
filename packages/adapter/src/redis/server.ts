/** Which server a place names; what cannot be one is refused. */

import { OutriggerError } from '@outrigger/core/errors';
import { parseTarget } from '@outrigger/core/net';
import type { Place } from '../sources/source.ts';
import type { RedisServer } from './connection.ts';

/** `HOST:PORT`, `unix:/path`, `redis://HOST[:PORT]` or `rediss://`. */
export function redisServerAt(place: Place): RedisServer {
  const target = parseTarget(place.address);
  if (target.kind === 'tcp' || target.kind === 'unix') return { address: target, tls: false };
  const url = target.kind === 'url' ? target.url : undefined;
  if (url === undefined || !/^rediss?:$/.test(url.protocol) || url.hostname === '') {
    throw invalid(
      place.address,
      'is none of a Redis server',
      'HOST:PORT, unix:/path or redis(s)://HOST:PORT',
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid(`${url.protocol}//${url.host}`, 'has a password in it', 'use username and passwordFrom');
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? 6379 : Number(url.port);
  return { address: { kind: 'tcp', host, port }, tls: url.protocol === 'rediss:' };
}

function invalid(address: string, what: string, hint: string): OutriggerError {
  return new OutriggerError(`the address ${address} ${what}`, {
    code: 'CONFIG_INVALID',
    target: address,
    hint,
  });
}
