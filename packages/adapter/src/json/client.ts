/** `http_client_config` of a module, and what the source says about HTTP, become one. */

import type { SourceHttp } from '@outrigger/core/api';
import { OutriggerError } from '@outrigger/core/errors';
import { fileOf, httpOptions, plainHttp } from '../http/options.ts';
import type { Authentication, HttpOptions, SecretFrom, TlsOptions } from '../http/options.ts';
import type { ClientSpec } from './schema.ts';

/** Throws CONFIG_INVALID for what cannot be had. */
export function clientOptions(spec: ClientSpec | undefined, where: string): HttpOptions {
  if (spec === undefined) return plainHttp;
  refuseUnsupported(spec, where);
  return {
    ...plainHttp,
    headers: headersOf(spec, where),
    authentication: authenticationOf(spec, where),
    tls: tlsOf(spec.tls_config),
    followRedirects: spec.follow_redirects ?? true,
  };
}

/** What the source says wins: its headers one by one, its credentials and certificates as wholes. */
export function withSourceHttp(module: HttpOptions, source: SourceHttp): HttpOptions {
  const own = httpOptions(source);
  const tlsGiven = [source.caFile, source.certFile, source.keyFile, source.serverName].some(
    (file) => file !== undefined,
  );
  return {
    headers: { ...module.headers, ...own.headers },
    authentication: own.authentication.type === 'none' ? module.authentication : own.authentication,
    tls: tlsGiven || source.insecureSkipVerify ? own.tls : module.tls,
    followRedirects: module.followRedirects && own.followRedirects,
    maxBodyBytes: own.maxBodyBytes,
  };
}

function refuseUnsupported(spec: ClientSpec, where: string): void {
  const refused = {
    oauth2: spec.oauth2 !== undefined,
    proxy_url: spec.proxy_url !== undefined && spec.proxy_url !== '',
    proxy_from_environment: spec.proxy_from_environment === true,
    'tls_config.max_version': spec.tls_config?.max_version !== undefined,
    'basic_auth.username_file': spec.basic_auth?.username_file !== undefined,
  };
  for (const [field, given] of Object.entries(refused)) {
    if (!given) continue;
    throw invalid(
      `${where}.${field}`,
      `${field} is not supported`,
      'drop it, or keep json_exporter for this module',
    );
  }
}

function headersOf(spec: ClientSpec, where: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, { values = [], secrets = [], files = [] }] of Object.entries(spec.http_headers ?? {})) {
    if (files.length > 0) {
      throw invalid(
        `${where}.http_headers[${name}]`,
        'headers out of files are not supported',
        'write its value',
      );
    }
    headers[name] = [...values, ...secrets].join(', ');
  }
  return headers;
}

function authenticationOf(spec: ClientSpec, where: string): Authentication {
  const { basic_auth: basic, authorization, bearer_token: token, bearer_token_file: tokenFile } = spec;
  const given = [basic, authorization, token ?? tokenFile].filter((one) => one !== undefined);
  if (given.length > 1) {
    throw invalid(where, 'more than one of basic_auth, authorization and bearer_token is given', 'keep one');
  }
  if (basic !== undefined) {
    const password = textOrFile(basic.password, basic.password_file);
    return { type: 'basic', username: basic.username ?? '', password };
  }
  const credentials =
    authorization === undefined
      ? textOrFile(token, tokenFile)
      : textOrFile(authorization.credentials, authorization.credentials_file);
  if (credentials === undefined) return { type: 'none' };
  return { type: 'header', scheme: authorization?.type ?? 'Bearer', credentials };
}

function tlsOf(spec: ClientSpec['tls_config']): TlsOptions {
  return {
    ca: textOrFile(spec?.ca, spec?.ca_file),
    cert: textOrFile(spec?.cert, spec?.cert_file),
    key: textOrFile(spec?.key, spec?.key_file),
    serverName: spec?.server_name,
    insecureSkipVerify: spec?.insecure_skip_verify ?? false,
    minVersion: spec?.min_version === 'TLS13' ? 'TLSv1.3' : undefined,
  };
}

function textOrFile(text: string | undefined, path: string | undefined): SecretFrom | undefined {
  return text === undefined || text === '' ? fileOf(path) : { from: 'text', text };
}

function invalid(target: string, message: string, hint: string): OutriggerError {
  return new OutriggerError(`${target}: ${message}`, { code: 'CONFIG_INVALID', target, hint });
}
