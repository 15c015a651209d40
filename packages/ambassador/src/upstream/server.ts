/** A Redis server to reach: how it is written, and what is dialled. */

import { OutriggerError } from '@outrigger/core/errors';
import { formatAddress, parseTarget } from '@outrigger/core/net';
import type { Address, ServiceTarget } from '@outrigger/core/net';

export interface Server {
  /** `HOST:PORT` or `unix:/path`: the key in metrics, logs and /debug. */
  readonly name: string;
  readonly address: Exclude<Address, { kind: 'fd' }>;
  /** TLS, the certificate verified against the host or the configured name. */
  readonly tls: boolean;
  /** Availability zone, where the source of the server knows it. */
  readonly zone?: string | undefined;
}

/** What holds where the text leaves it open. */
export interface ServerDefaults {
  /** Without a scheme. Sockets of this machine (`unix:`) never have TLS. Default false. */
  readonly tls?: boolean;
  /** Of URLs without one. Default 6379. */
  readonly port?: number;
}

/** What configuration names: one server, or a Service whose endpoints are servers. */
export type ServerSpec = { readonly kind: 'server'; readonly server: Server } | ServiceTarget;

const defaultPort = 6379;

/** Parses `HOST:PORT`, `unix:/path`, `redis://HOST[:PORT]`, `rediss://…`, `svc:NS/NAME[:PORT]`. Throws an OutriggerError. */
export function parseServer(text: string, defaults: ServerDefaults = {}): ServerSpec {
  const target = parseTarget(text);
  switch (target.kind) {
    case 'service':
      return target;
    case 'url':
      return { kind: 'server', server: fromUrl(target.url, defaults.port ?? defaultPort) };
    default:
      return { kind: 'server', server: serverAt(target, defaults.tls ?? false) };
  }
}

export function serverAt(address: Exclude<Address, { kind: 'fd' }>, tls = false): Server {
  return { name: formatAddress(address), address, tls: tls && address.kind !== 'unix' };
}

function fromUrl(url: URL, port: number): Server {
  const { protocol, hostname, username, password, pathname } = url;
  if (protocol !== 'redis:' && protocol !== 'rediss:')
    throw refused(`${protocol}//…`, 'redis:// or rediss://');
  if (username !== '' || password !== '') {
    throw refused(
      `${protocol}//…@${hostname}`,
      'no user and password in the URL: use username and passwordFrom',
    );
  }
  if (hostname === '') throw refused(url.href, 'a host in the URL');
  if (pathname !== '' && pathname !== '/' && pathname !== '/0') {
    throw refused(url.href, 'database 0: a client chooses another with SELECT');
  }
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return serverAt(
    { kind: 'tcp', host, port: url.port === '' ? port : Number(url.port) },
    protocol === 'rediss:',
  );
}

function refused(got: string, want: string): OutriggerError {
  return new OutriggerError(`${got} is not a server the ambassador can reach`, {
    code: 'AMBASSADOR_SERVER_INVALID',
    target: got,
    hint: `want ${want}`,
  });
}
