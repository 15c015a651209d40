/** Control URLs: `http://HOST:PORT[/prefix]`, `https://…`, `unix:/path`. */

import { isIP } from 'node:net';
import { OutriggerError } from '../../errors/index.ts';
import type { Address } from '../../net/index.ts';

export interface ControlUrl {
  /** As it is shown and compared: no slash at the end. */
  readonly text: string;
  readonly address: Exclude<Address, { kind: 'fd' }>;
  readonly tls: boolean;
  /** What the Host header says. */
  readonly origin: string;
  /** Name the certificate is checked for. */
  readonly hostname: string;
  /** Path in front of every request path; `''` for most. */
  readonly prefix: string;
}

/** Throws CONTROL_URL_INVALID. */
export function parseControlUrl(text: string): ControlUrl {
  if (text.startsWith('unix:')) return unixUrl(text);
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw invalid(text, 'http://HOST:PORT, https://HOST:PORT or unix:/path');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '')
    throw invalid('the URL', 'no name or password in it: use a token file or a client certificate');
  if (url.search !== '' || url.hash !== '') throw invalid(text, 'a URL without ? and #');
  const tls = url.protocol === 'https:';
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const prefix = url.pathname.replace(/\/+$/, '');
  return {
    text: `${url.origin}${prefix}`,
    address: { kind: 'tcp', host: hostname, port: url.port === '' ? (tls ? 443 : 80) : Number(url.port) },
    tls,
    origin: url.origin,
    hostname,
    prefix,
  };
}

/** The name for TLS' server name indication, which may not be an address. */
export function serverNameFor(hostname: string): string | undefined {
  return isIP(hostname) === 0 ? hostname : undefined;
}

function unixUrl(text: string): ControlUrl {
  const path = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
  if (!path.startsWith('/') || Buffer.byteLength(path) > 107)
    throw invalid(text, 'unix:/absolute/path of at most 107 bytes');
  return {
    text: `unix:${path}`,
    address: { kind: 'unix', path },
    tls: false,
    origin: 'http://localhost',
    hostname: 'localhost',
    prefix: '',
  };
}

function invalid(text: string, want: string): OutriggerError {
  return new OutriggerError(`${JSON.stringify(text)} is not a control URL`, {
    code: 'CONTROL_URL_INVALID',
    target: text,
    hint: `want ${want}`,
  });
}
