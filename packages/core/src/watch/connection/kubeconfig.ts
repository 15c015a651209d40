/**
 * kubeconfig files: the part of the format that needs no other program.
 *
 * What would change who we are or how we connect is refused, not ignored: exec plugins, auth providers, basic
 * authentication, impersonation, proxies.
 */

import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errorCode, OutriggerError } from '../../errors/index.ts';
import type { ConnectionSpec } from './connection.ts';
import type { Material } from './material.ts';
import { parseControlUrl } from './url.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Fields of a user or cluster that cannot be honoured, and what to do instead. */
const refusedFields: Readonly<Record<string, string>> = {
  exec: 'credential plugins are not run: give the context a user with a client certificate, a token or a tokenFile',
  'auth-provider':
    'auth providers are gone from Kubernetes: use a client certificate, a token or a tokenFile',
  username: 'basic authentication is gone from Kubernetes: use a client certificate, a token or a tokenFile',
  as: 'impersonation is not supported: use the credentials of that user',
  'proxy-url': 'proxies are not supported: give a server that can be reached directly',
};

/** Throws KUBECONFIG_INVALID. */
export async function fromKubeconfig(file: string, contextName: string | undefined): Promise<ConnectionSpec> {
  const config = await load(file);
  const current = contextName ?? text(config, 'current-context', file);
  if (current === undefined) throw invalid(file, 'no current-context', 'name one with --context');
  const context = entry(config, 'contexts', 'context', current, file);
  const cluster = entry(config, 'clusters', 'cluster', text(context, 'cluster', file), file);
  const userName = text(context, 'user', file);
  const user = userName === undefined ? {} : entry(config, 'users', 'user', userName, file);
  refuse(cluster, file);
  refuse(user, file);
  const server = text(cluster, 'server', file);
  if (server === undefined)
    throw invalid(file, `the cluster of context ${current} has no server`, 'add its URL');
  const namespace = text(context, 'namespace', file);
  const serverName = text(cluster, 'tls-server-name', file);
  return {
    urls: [parseControlUrl(server)],
    ...(namespace === undefined ? {} : { namespace }),
    ...(serverName === undefined ? {} : { serverName }),
    skipVerify: cluster['insecure-skip-tls-verify'] === true,
    ...materials(cluster, user, file),
  };
}

function materials(
  cluster: Fields,
  user: Fields,
  file: string,
): Pick<ConnectionSpec, 'ca' | 'cert' | 'key' | 'token'> {
  const ca = material(cluster, 'certificate-authority', file);
  const cert = material(user, 'client-certificate', file);
  const key = material(user, 'client-key', file);
  const tokenFile = text(user, 'tokenFile', file);
  const token = text(user, 'token', file);
  // As in client-go: where both are given, the file is rotated and wins.
  const source: Material | undefined =
    tokenFile !== undefined
      ? { file: beside(file, tokenFile) }
      : token !== undefined
        ? { data: token }
        : undefined;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(source === undefined ? {} : { token: source }),
  };
}

async function load(file: string): Promise<Fields> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    throw invalid(file, `cannot be read: ${errorCode(error)}`, 'check the path and its permissions', error);
  }
  const { parse } = await import('yaml');
  let parsed: unknown;
  try {
    parsed = parse(content);
  } catch (error) {
    throw invalid(
      file,
      'is not YAML',
      error instanceof Error ? (error.message.split('\n')[0] ?? '') : '',
      error,
    );
  }
  if (!isFields(parsed)) throw invalid(file, 'is not a mapping', 'want apiVersion: v1, kind: Config');
  return parsed;
}

/** `clusters: [{name, cluster: {…}}]` and its likes. */
function entry(config: Fields, list: string, member: string, name: string | undefined, file: string): Fields {
  const entries = config[list];
  const found = Array.isArray(entries)
    ? (entries as unknown[]).find((each): each is Fields => isFields(each) && each['name'] === name)
    : undefined;
  const value = found?.[member];
  if (isFields(value)) return value;
  const known = Array.isArray(entries)
    ? (entries as unknown[]).filter(isFields).map((each) => String(each['name']))
    : [];
  throw invalid(
    file,
    `no ${member} named ${JSON.stringify(name)}`,
    `${list} has: ${known.join(', ') || 'nothing'}`,
  );
}

function refuse(fields: Fields, file: string): void {
  for (const [field, hint] of Object.entries(refusedFields)) {
    if (fields[field] !== undefined) throw invalid(file, `${field} is not supported`, hint);
  }
}

/** Either `NAME-data` (base64, in place) or `NAME` (a file beside the kubeconfig); the data wins, as in client-go. */
function material(fields: Fields, name: string, file: string): Material | undefined {
  const data = text(fields, `${name}-data`, file);
  if (data !== undefined) return { data: Buffer.from(data, 'base64').toString('utf8') };
  const path = text(fields, name, file);
  return path === undefined ? undefined : { file: beside(file, path) };
}

function beside(file: string, path: string): string {
  return resolve(dirname(file), path);
}

function text(fields: Fields, name: string, file: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw invalid(file, `${name} is not a text`, `got ${typeof value}`);
  return value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(file: string, why: string, hint: string, cause?: unknown): OutriggerError {
  return new OutriggerError(`kubeconfig ${file}: ${why}`, {
    code: 'KUBECONFIG_INVALID',
    target: file,
    hint,
    cause,
  });
}
