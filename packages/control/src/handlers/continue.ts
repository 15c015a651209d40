/** The token that continues a list: the revision of its first page and where the next begins. Opaque to clients. */

import { ApiError } from '@outrigger/core/api';
import type { ObjectPath } from '../registry/resource.ts';

export interface Continuation {
  /** Revision all pages are read at; `newest` after history was lost, when pages may not fit together. */
  readonly revision: number | 'newest';
  /** First path of the next page, inclusive. */
  readonly from: ObjectPath;
}

const tokenVersion = 'meta.k8s.io/v1';

export function encodeContinue({ revision, from }: Continuation): string {
  const rv = revision === 'newest' ? -1 : revision;
  return Buffer.from(JSON.stringify({ v: tokenVersion, rv, start: from })).toString('base64url');
}

/** Throws 400. */
export function decodeContinue(token: string): Continuation {
  const value = parsed(token);
  const { v, rv, start } = value as { v?: unknown; rv?: unknown; start?: unknown };
  if (v !== tokenVersion || typeof start !== 'string' || !Number.isSafeInteger(rv)) throw invalidToken();
  return { revision: rv === -1 ? 'newest' : (rv as number), from: start };
}

/** The first path after one. */
export function after(path: ObjectPath): ObjectPath {
  return `${path}\0`;
}

function parsed(token: string): object {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (typeof value === 'object' && value !== null) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw invalidToken();
}

function invalidToken(): ApiError {
  return ApiError.badRequest(
    'continue key is not valid: it must be the one the server gave with the last page',
  );
}
