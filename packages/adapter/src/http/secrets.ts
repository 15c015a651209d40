/** Secrets and certificates, read anew at each request: what replaces them needs no reload. */

import { errorCode } from '@outrigger/core/errors';
import { readFile } from 'node:fs/promises';
import type { Asked, FailureClass } from '../sources/source.ts';
import { SourceError } from '../sources/source.ts';
import type { Authentication, SecretFrom, TlsOptions } from './options.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What is given to TLS. */
export interface TlsMaterial {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** The value of the header Authorization. */
export async function authorization(
  how: Authentication,
  environment: Environment,
  asked: Asked,
): Promise<string | undefined> {
  if (how.type === 'none') return undefined;
  if (how.type === 'token') return `Bearer ${await how.from.token(asked)}`;
  if (how.type === 'header') {
    return `${how.scheme} ${await readSecret(how.credentials, environment, 'auth')}`;
  }
  const password = how.password === undefined ? '' : await readSecret(how.password, environment, 'auth');
  return `Basic ${Buffer.from(`${how.username}:${password}`, 'utf8').toString('base64')}`;
}

export async function tlsMaterial(tls: TlsOptions, environment: Environment): Promise<TlsMaterial> {
  const read = (from: SecretFrom | undefined): Promise<string> | undefined =>
    from === undefined ? undefined : readSecret(from, environment, 'tls');
  const [ca, cert, key] = await Promise.all([read(tls.ca), read(tls.cert), read(tls.key)]);
  return { ca, cert, key };
}

export async function readSecret(
  from: SecretFrom,
  environment: Environment,
  failure: FailureClass,
): Promise<string> {
  if (from.from === 'text') return from.text;
  const [text, place] =
    from.from === 'file'
      ? [await readText(from.path, failure), `file ${from.path}`]
      : [environment[from.name], `environment variable ${from.name}`];
  if (text !== undefined && text !== '') return text;
  throw new SourceError(failure, `there is nothing in ${place}; put the secret there, or do not name it`);
}

/** Bytes that are no text would all become the same character. */
async function readText(path: string, failure: FailureClass): Promise<string> {
  try {
    const bytes = await readFile(path);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch (error) {
    const hint = 'it must exist, be readable by this user, and be UTF-8 text';
    throw new SourceError(failure, `cannot read ${path}: ${errorCode(error)}; ${hint}`, { cause: error });
  }
}
