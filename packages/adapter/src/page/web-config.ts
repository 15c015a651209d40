/**
 * The web configuration file of the Prometheus exporters (exporter-toolkit's format), as it is: TLS, headers, users.
 *
 * Strict: a key that is not known is refused, because a misspelt `client_auth_type` must not leave the page open.
 */

import { InvalidConfig, parseDocument } from '@outrigger/core/config';
import type { Problem } from '@outrigger/core/config';
import { dirname, resolve } from 'node:path';

export type ClientAuth =
  | 'NoClientCert'
  | 'RequestClientCert'
  | 'RequireAnyClientCert'
  | 'VerifyClientCertIfGiven'
  | 'RequireAndVerifyClientCert';

export interface WebTls {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile: string | undefined;
  readonly clientAuth: ClientAuth;
  /** Names (DNS, address, mail, URI) of which the client's certificate must have one; empty: any. */
  readonly clientNames: readonly string[];
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

export interface WebConfig {
  readonly tls: WebTls | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Name → bcrypt hash; empty: everybody may read. */
  readonly users: ReadonlyMap<string, string>;
  /** Requests at most: `burst` at once, one more per interval. */
  readonly rate: { readonly intervalMs: number; readonly burst: number } | undefined;
}

export const openWeb: WebConfig = {
  tls: undefined,
  headers: {},
  users: new Map(),
  rate: undefined,
};

const clientAuths: readonly string[] = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] satisfies ClientAuth[];

const versions: Readonly<Record<string, TlsVersion>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};

/** Those the exporters allow. */
const headerNames: readonly string[] = [
  'Content-Security-Policy',
  'X-Frame-Options',
  'X-Content-Type-Options',
  'X-XSS-Protection',
  'Strict-Transport-Security',
];

/** Ours to choose, so that they are good: a file that names them is not refused. */
const ignoredTlsKeys = ['cipher_suites', 'prefer_server_cipher_suites', 'curve_preferences'];

const topKeys: readonly string[] = [
  'tls_server_config',
  'http_server_config',
  'basic_auth_users',
  'rate_limit',
];

/** Paths in it are relative to the file. Throws InvalidConfig with every problem. */
export async function readWebConfig(text: string, file: string): Promise<WebConfig> {
  const reader = new Reader(file);
  const config = readDocument(reader, (await parseDocument(text, file)) ?? {});
  reader.finish();
  return config;
}

/** For `outrigger check`: every problem of a web configuration, or undefined where the document is none. */
export function webConfigProblems(value: unknown): readonly Problem[] | undefined {
  const isOne = typeof value === 'object' && value !== null && topKeys.some((key) => key in value);
  if (!isOne) return undefined;
  const reader = new Reader('');
  readDocument(reader, value);
  return reader.problems;
}

function readDocument(reader: Reader, document: unknown): WebConfig {
  const root = reader.object(document, '', topKeys);
  return {
    tls: readTls(reader, root['tls_server_config']),
    ...readHttp(reader, root['http_server_config']),
    users: readUsers(reader, root['basic_auth_users']),
    rate: readRate(reader, root['rate_limit']),
  };
}

function readTls(reader: Reader, value: unknown): WebTls | undefined {
  if (value === undefined || value === null) return undefined;
  const at = 'tls_server_config';
  const known = [
    'cert_file',
    'key_file',
    'client_ca_file',
    'client_auth_type',
    'client_allowed_sans',
    'min_version',
    'max_version',
  ];
  const tls = reader.object(value, at, [...known, ...ignoredTlsKeys]);
  if (Object.keys(tls).length === 0) return undefined;
  const clientAuth =
    reader.oneOf(tls['client_auth_type'], `${at}.client_auth_type`, clientAuths) ?? 'NoClientCert';
  const clientCaFile = reader.path(tls['client_ca_file'], `${at}.client_ca_file`);
  if (clientCaFile !== undefined && clientAuth === 'NoClientCert')
    reader.problem(
      `${at}.client_auth_type`,
      'nothing',
      'how client certificates are checked, as client_ca_file is given',
    );
  if (clientCaFile === undefined && clientAuth.includes('Verify'))
    reader.problem(`${at}.client_ca_file`, 'nothing', `a file, as client_auth_type is ${clientAuth}`);
  const minVersion = reader.oneOf(tls['min_version'], `${at}.min_version`, Object.keys(versions)) ?? 'TLS12';
  const maxVersion = reader.oneOf(tls['max_version'], `${at}.max_version`, Object.keys(versions)) ?? 'TLS13';
  return {
    certFile: reader.path(tls['cert_file'], `${at}.cert_file`, true) ?? '',
    keyFile: reader.path(tls['key_file'], `${at}.key_file`, true) ?? '',
    clientCaFile,
    clientAuth: clientAuth as ClientAuth,
    clientNames: reader.strings(tls['client_allowed_sans'], `${at}.client_allowed_sans`),
    minVersion: versions[minVersion] ?? 'TLSv1.2',
    maxVersion: versions[maxVersion] ?? 'TLSv1.3',
  };
}

function readHttp(reader: Reader, value: unknown): Pick<WebConfig, 'headers'> {
  const at = 'http_server_config';
  const server = reader.object(value ?? {}, at, ['http2', 'headers']);
  // Scrapers get HTTP/1.1 whatever it says: one request at a time has nothing to gain from more.
  const http2 = server['http2'] ?? true;
  if (typeof http2 !== 'boolean') reader.problem(`${at}.http2`, JSON.stringify(http2), 'true or false');
  const given = reader.object(server['headers'] ?? {}, `${at}.headers`, headerNames);
  const headers: Record<string, string> = {};
  for (const [name, text] of Object.entries(given)) {
    if (typeof text === 'string' && !/[\r\n]/.test(text)) headers[name.toLowerCase()] = text;
    else reader.problem(`${at}.headers.${name}`, JSON.stringify(text), 'one line of text');
  }
  return { headers };
}

function readUsers(reader: Reader, value: unknown): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  for (const [name, hash] of Object.entries(reader.object(value ?? {}, 'basic_auth_users', undefined))) {
    if (typeof hash === 'string' && /^\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}$/.test(hash)) users.set(name, hash);
    // The hash is not told: it would be in the log.
    else
      reader.problem(
        `basic_auth_users.${name}`,
        'something else',
        'a bcrypt hash, as `htpasswd -nBC 10 USER` prints',
      );
  }
  return users;
}

function readRate(reader: Reader, value: unknown): WebConfig['rate'] {
  if (value === undefined || value === null) return undefined;
  const rate = reader.object(value, 'rate_limit', ['interval', 'burst']);
  const interval = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(
    typeof rate['interval'] === 'string' ? rate['interval'] : '',
  );
  if (interval === null)
    reader.problem('rate_limit.interval', JSON.stringify(rate['interval']), 'a duration such as 1s');
  const burst = rate['burst'];
  if (!Number.isInteger(burst) || Number(burst) < 1)
    reader.problem('rate_limit.burst', JSON.stringify(burst), 'an integer from 1');
  const unit = { ms: 1, s: 1000, m: 60_000 }[interval?.[2] ?? 's'] ?? 1000;
  return { intervalMs: Number(interval?.[1] ?? 1) * unit, burst: Number(burst) };
}

class Reader {
  readonly #file: string;
  readonly problems: Problem[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  problem(path: string, got: string, want: string): void {
    this.problems.push({ path: this.#file === '' ? path : `${this.#file}: ${path}`, got, want });
  }

  finish(): void {
    if (this.problems.length > 0) throw new InvalidConfig(this.problems);
  }

  /** `keys`: those that may be there; undefined: any. */
  object(
    value: unknown,
    path: string,
    keys: readonly string[] | undefined,
  ): Readonly<Record<string, unknown>> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.problem(path, JSON.stringify(value), 'a mapping');
      return {};
    }
    for (const key of Object.keys(value)) {
      if (keys !== undefined && !keys.includes(key))
        this.problem(path === '' ? key : `${path}.${key}`, 'an unknown key', `one of ${keys.join(', ')}`);
    }
    return value as Record<string, unknown>;
  }

  oneOf(value: unknown, path: string, choices: readonly string[]): string | undefined {
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value === 'string' && choices.includes(value)) return value;
    this.problem(path, JSON.stringify(value), `one of ${choices.join(', ')}`);
    return undefined;
  }

  path(value: unknown, path: string, isRequired = false): string | undefined {
    if (typeof value === 'string' && value !== '') return resolve(dirname(this.#file), value);
    if (value !== undefined && value !== null && value !== '')
      this.problem(path, JSON.stringify(value), 'a path');
    else if (isRequired) this.problem(path, 'nothing', 'the path of a PEM file');
    return undefined;
  }

  strings(value: unknown, path: string): readonly string[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
    this.problem(path, JSON.stringify(value), 'a list of names');
    return [];
  }
}
