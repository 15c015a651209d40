/** `http_client_config` of a module, and what the source says about HTTP, become one. */

import type { SourceHttp } from '@outrigger/core/api';
import { OutriggerError } from '@outrigger/core/errors';
import { fileOf, httpOptions, plainHttp } from '../http/options.ts';
import type { Authentication, HttpOptions, SecretFrom, TlsOptions } from '../http/options.ts';
import type { OAuthSpec } from '../http/oauth.ts';
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

/** The field of a secret that stands there as text. */
export function inlineSecret(spec: ClientSpec | undefined): string | undefined {
  const texts = {
    'basic_auth.password': spec?.basic_auth?.password,
    'authorization.credentials': spec?.authorization?.credentials,
    bearer_token: spec?.bearer_token,
    'oauth2.client_secret': spec?.oauth2?.client_secret,
    'tls_config.key': spec?.tls_config?.key,
    'oauth2.tls_config.key': spec?.oauth2?.tls_config?.key,
    'http_headers.secrets': Object.values(spec?.http_headers ?? {}).flatMap(({ secrets = [] }) => secrets)[0],
  };
  return Object.entries(texts).find(([, text]) => text !== undefined && text !== '')?.[0];
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
  const given = [basic, authorization, token ?? tokenFile, spec.oauth2].filter((one) => one !== undefined);
  if (given.length > 1) {
    throw invalid(
      where,
      'more than one of basic_auth, authorization, bearer_token and oauth2 is given',
      'keep one',
    );
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

/** Throws CONFIG_INVALID. */
export function oauthOf(spec: ClientSpec['oauth2'], where: string): OAuthSpec | undefined {
  if (spec === undefined) return undefined;
  const tokenUrl = URL.parse(spec.token_url ?? '');
  if (tokenUrl === null || !/^https?:$/.test(tokenUrl.protocol)) {
    throw invalid(`${where}.token_url`, 'oauth2 needs the URL that gives out tokens', 'write an http(s) URL');
  }
  return {
    tokenUrl,
    clientId: spec.client_id ?? '',
    clientSecret: textOrFile(spec.client_secret, spec.client_secret_file),
    scopes: spec.scopes ?? [],
    parameters: spec.endpoint_params ?? {},
    tls: tlsOf(spec.tls_config),
  };
}

function textOrFile(text: string | undefined, path: string | undefined): SecretFrom | undefined {
  return text === undefined || text === '' ? fileOf(path) : { from: 'text', text };
}

function invalid(target: string, message: string, hint: string): OutriggerError {
  return new OutriggerError(`${target}: ${message}`, { code: 'CONFIG_INVALID', target, hint });
}
