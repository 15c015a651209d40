/** The address syntax of the command line: `HOST:PORT`, `[V6]:PORT`, `:PORT`, `unix:/path`, `fd:N`, `svc:NS/NAME[:PORT]`, URLs. */

import { isIP, isIPv6 } from 'node:net';
import { OutriggerError } from '../errors/index.ts';

export interface TcpAddress {
  readonly kind: 'tcp';
  /** IP or name; empty means every address of the machine. */
  readonly host: string;
  /** 0 asks for any free port when listening. */
  readonly port: number;
}

export type Address =
  | TcpAddress
  | { readonly kind: 'unix'; readonly path: string }
  /** A listening socket handed over by the service manager. */
  | { readonly kind: 'fd'; readonly fd: number };

export interface ServiceTarget {
  readonly kind: 'service';
  readonly namespace: string;
  readonly name: string;
  /** A port name or number of the Service; undefined means its only port. */
  readonly port: string | undefined;
}

/** A server to reach. */
export type Target =
  Exclude<Address, { kind: 'fd' }> | ServiceTarget | { readonly kind: 'url'; readonly url: URL };

/** Parses a listening address. Throws ADDRESS_INVALID. */
export function parseAddress(text: string): Address {
  if (text.startsWith('unix:')) return { kind: 'unix', path: unixPath(text) };
  if (text.startsWith('fd:')) {
    const fd = Number(text.slice(3));
    if (!/^fd:\d+$/.test(text) || fd < 3) throw invalid(text, 'fd:N with N ≥ 3');
    return { kind: 'fd', fd };
  }
  return parseTcp(text);
}

/** Parses a server to reach. Throws ADDRESS_INVALID. */
export function parseTarget(text: string): Target {
  if (text.startsWith('svc:')) return parseService(text);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    if (!URL.canParse(text)) throw invalid(text, 'a valid URL');
    return { kind: 'url', url: new URL(text) };
  }
  const address = parseAddress(text);
  if (address.kind === 'fd') throw invalid(text, 'a server to connect to, not a socket handed over');
  if (address.kind === 'tcp' && (address.host === '' || address.port === 0)) {
    throw invalid(text, 'HOST:PORT with a host and a port other than 0');
  }
  return address;
}

export function formatAddress(address: Address): string {
  switch (address.kind) {
    case 'unix':
      return `unix:${address.path}`;
    case 'fd':
      return `fd:${address.fd}`;
    case 'tcp':
      return isIPv6(address.host) ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
  }
}

/** True when only this machine can reach the address: 127/8, ::1, localhost, unix sockets. */
export function isLoopback(address: Address | string): boolean {
  if (typeof address !== 'string') {
    if (address.kind === 'unix') return true;
    return address.kind === 'tcp' && isLoopback(address.host);
  }
  const host = address.replace(/^::ffff:/i, '');
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function parseTcp(text: string): TcpAddress {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (match === null) throw invalid(text, 'HOST:PORT, [V6]:PORT, :PORT, unix:/path or fd:N');
  const port = Number(match[3]);
  const v6 = match[1];
  if (v6 !== undefined && !isIPv6(v6.replace(/%.*$/, ''))) throw invalid(text, 'an IPv6 address inside [ ]');
  if (port > 65_535) throw invalid(text, 'a port of at most 65535');
  return { kind: 'tcp', host: v6 ?? match[2] ?? '', port };
}

function parseService(text: string): ServiceTarget {
  const match = /^svc:([a-z0-9-]+)\/([a-z0-9.-]+)(?::([a-zA-Z0-9-]+))?$/.exec(text);
  if (match === null) throw invalid(text, 'svc:NAMESPACE/NAME or svc:NAMESPACE/NAME:PORT');
  return { kind: 'service', namespace: match[1] ?? '', name: match[2] ?? '', port: match[3] };
}

function unixPath(text: string): string {
  const path = text.slice('unix:'.length);
  // The kernel's sun_path holds 108 bytes, the last a NUL.
  if (!path.startsWith('/') || Buffer.byteLength(path) > 107) {
    throw invalid(text, 'unix:/absolute/path of at most 107 bytes');
  }
  return path;
}

function invalid(text: string, want: string): OutriggerError {
  return new OutriggerError(`${JSON.stringify(text)} is not an address`, {
    code: 'ADDRESS_INVALID',
    target: text,
    hint: `want ${want}`,
  });
}
