/** How a page is asked for, out of the configuration: secrets stay where they are and are read at each request. */

import { parseSize } from '@outrigger/core/api';
import type { SecretSource, SourceHttp } from '@outrigger/core/api';
import { OutriggerError } from '@outrigger/core/errors';
import type { Asked } from '../sources/source.ts';

export type SecretFrom =
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'env'; readonly name: string }
  /** Only out of files that are the user's own (json_exporter's modules), never out of an object. */
  | { readonly from: 'text'; readonly text: string };

export type Authentication =
  | { readonly type: 'none' }
  | { readonly type: 'basic'; readonly username: string; readonly password: SecretFrom | undefined }
  /** `Authorization: SCHEME CREDENTIALS`; the scheme of a bearer token is `Bearer`. */
  | { readonly type: 'header'; readonly scheme: string; readonly credentials: SecretFrom }
  /** A bearer token that somebody else gives out. */
  | { readonly type: 'token'; readonly from: TokenSource };

export interface TokenSource {
  /** Rejects with SourceError. */
  token(asked: Asked): Promise<string>;
  /** The token was refused; the next is a new one. */
  forget(): void;
  retire(): void;
  close(): Promise<void>;
}

/** PEM, in files that are read again at each request, or as text. */
export interface TlsOptions {
  readonly ca?: SecretFrom | undefined;
  readonly cert?: SecretFrom | undefined;
  readonly key?: SecretFrom | undefined;
  readonly serverName?: string | undefined;
  readonly insecureSkipVerify: boolean;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
}

export interface HttpOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly authentication: Authentication;
  readonly tls: TlsOptions;
  /** To the same host; never from https to http. */
  readonly followRedirects: boolean;
  /** Of the answer, also after it was unpacked. */
  readonly maxBodyBytes: number;
}

export const defaultMaxBodyBytes = 10 * 1024 * 1024;

export const plainHttp: HttpOptions = {
  headers: {},
  authentication: { type: 'none' },
  tls: { insecureSkipVerify: false },
  followRedirects: true,
  maxBodyBytes: defaultMaxBodyBytes,
};

/** Of a document whose structure has been checked. Throws CONFIG_INVALID for what contradicts itself. */
export function httpOptions(spec: SourceHttp): HttpOptions {
  return {
    headers: spec.headers ?? {},
    authentication: authenticationOf(spec),
    tls: {
      ca: fileOf(spec.caFile),
      cert: fileOf(spec.certFile),
      key: fileOf(spec.keyFile),
      serverName: spec.serverName,
      insecureSkipVerify: spec.insecureSkipVerify,
    },
    followRedirects: spec.followRedirects,
    maxBodyBytes: parseSize(spec.maxBodySize) ?? defaultMaxBodyBytes,
  };
}

export function secretFrom(source: SecretSource): SecretFrom {
  if (source.file !== undefined) return { from: 'file', path: source.file };
  if (source.env !== undefined) return { from: 'env', name: source.env };
  throw refused('a secret of a source is read from `file` or `env`', 'mount the Secret and name its file');
}

export function fileOf(path: string | undefined): SecretFrom | undefined {
  return path === undefined || path === '' ? undefined : { from: 'file', path };
}

function authenticationOf(spec: SourceHttp): Authentication {
  const { username, passwordFrom, bearerTokenFrom } = spec;
  if (bearerTokenFrom !== undefined) {
    if (username === undefined && passwordFrom === undefined) {
      return { type: 'header', scheme: 'Bearer', credentials: secretFrom(bearerTokenFrom) };
    }
    throw refused('both a password and a bearer token are given', 'drop one of the two');
  }
  if (username === undefined && passwordFrom === undefined) return { type: 'none' };
  const password = passwordFrom === undefined ? undefined : secretFrom(passwordFrom);
  return { type: 'basic', username: username ?? '', password };
}

function refused(message: string, hint: string): OutriggerError {
  return new OutriggerError(message, { code: 'CONFIG_INVALID', target: 'http', hint });
}
